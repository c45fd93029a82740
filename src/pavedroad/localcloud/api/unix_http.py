"""HTTP over a Unix socket, from the standard library's client."""

from __future__ import annotations

import contextlib
import http.client
import socket
from pathlib import Path
from typing import cast


class UnixConnection(http.client.HTTPConnection):
    """One connection, opened on first use and again after it was lost."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise

    def call(self, method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; `OSError` when the other side is not there or does not speak HTTP."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            self.request(method, target, body, headers)
            response = self.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, OSError):
                raise
            raise ConnectionError(str(error) or type(error).__name__) from error

    def hang_up(self) -> None:
        """End a call that another thread is waiting in."""
        if (sock := cast("socket.socket | None", self.sock)) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
