"""@NAME@: a service that answers with its version and the instance that it runs on."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer({"ok": True})
        else:
            instance = os.environ.get("PAVED_INSTANCE_ID", "none")
            self.answer({"service": "@NAME@", "version": VERSION, "instance": instance})

    def answer(self, body: dict[str, object]) -> None:
        text = json.dumps(body).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def stop(signal_number: int, frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    # The platform says where to listen, and stops an instance with SIGTERM.
    signal.signal(signal.SIGTERM, stop)
    Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
