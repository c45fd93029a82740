"""An address that SNS can send to, and what came there last."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import eventually


@contextmanager
def hook() -> Generator[dict[str, Any]]:
    """`hook` is its address; `heard` waits for a message, and gives it."""
    messages = list[dict[str, Any]]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "hook": f"http://127.0.0.1:{server.server_port}/",
            "heard": lambda: (eventually(lambda: messages), messages[-1])[1],
        }
    finally:
        server.shutdown()
        server.server_close()
