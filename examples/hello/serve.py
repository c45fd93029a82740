"""A service that says hello: which version it is, and from which instance and zone."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path(__file__).with_name("version.txt").read_text().strip()
INSTANCE = os.environ.get("PAVED_INSTANCE_ID", "none")


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
        elif self.path == "/":
            self.answer(200, {"hello": "world", "version": VERSION, "instance": INSTANCE})
        elif self.path == "/version":
            self.answer(200, VERSION)
        else:
            self.answer(404, {"error": f"there is no {self.path} here"})

    def answer(self, status: int, body: dict[str, object] | str) -> None:
        text = (body if isinstance(body, str) else json.dumps(body)).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Version", VERSION)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        if not self.path.startswith("/healthz"):
            print(f"{self.address_string()} {format % args}", flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


def main() -> None:
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    server = Server(address, Hello)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"hello {VERSION} listens on {address[0]}:{address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
