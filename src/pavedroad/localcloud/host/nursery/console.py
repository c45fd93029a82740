"""A guest's console: all it printed, within bounds."""

from __future__ import annotations

import os
from contextlib import suppress

HALF = 1 << 20
"""Bytes of each of the two files that a console takes turns in."""
_REMEMBERED = 2048


class Console:
    """Two files in turn, so that a flood never fills the disk: `console.log`, before it `console.old`."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "console.log")
        self._old = os.path.join(folder, "console.old")
        self._size = 0
        self._fd = -1
        self._end = b""
        with suppress(OSError):
            self._open()
        with suppress(OSError):
            os.unlink(self._old)

    def write(self, text: bytes) -> None:
        """Never fails: what a full disk does not take is lost, and remembered for `last_line` alone."""
        self._end = (self._end + text)[-_REMEMBERED:]
        try:
            if self._size + len(text) > HALF:
                os.replace(self._path, self._old)
                self._open()
            if self._fd >= 0:
                self._size += os.write(self._fd, text)
        except OSError:
            return

    def note(self, sentence: str) -> None:
        """A line of the machine's own, as a kernel would print."""
        fresh = b"" if not self._end or self._end.endswith(b"\n") else b"\n"
        self.write(fresh + f"[pavedroad] {sentence}\n".encode())

    @property
    def last_line(self) -> str:
        lines = self._end.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _open(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._size = 0


def tail(folder: str, size: int) -> bytes:
    """The last bytes of a console; empty where there is none yet."""
    text = b""
    for name in ("console.log", "console.old"):
        if len(text) < size:
            text = _end_of(os.path.join(folder, name), size - len(text)) + text
    return text


def _end_of(path: str, size: int) -> bytes:
    try:
        with open(path, "rb") as console:
            console.seek(max(0, os.fstat(console.fileno()).st_size - size))
            return console.read(size)
    except FileNotFoundError:
        return b""
