"""A little real service on an address of its own, whose behaviour a test may change while it runs."""

from __future__ import annotations

import itertools
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PORT = 8000
_numbers = itertools.count(1)


def fresh_address() -> str:
    """Outside every cloud's networks, and of this process alone."""
    number, process = next(_numbers), os.getpid()
    return f"127.{230 + process % 20}.{process // 20 % 250}.{1 + number % 250}"


class Service:
    """Answers every path with its label; `/slow/2.5` only after so many seconds."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.address = fresh_address()
        self.port = _PORT
        self.status = 200
        self.slow: list[str] = []
        """Slow requests that have begun."""
        self._server = ThreadingHTTPServer((self.address, _PORT), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path.startswith("/slow/"):
                    service.slow.append(parts.path)
                    time.sleep(float(parts.path.removeprefix("/slow/")))
                body = service.label.encode()
                self.send_response(int(parse_qs(parts.query).get("status", [service.status])[0]))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - http.server's own name

            def log_message(self, format: str, *_: object) -> None:
                """Say nothing."""

        return Handler
