"""A thing that takes its time, told line by line; where someone watches, the last line moves."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.markup import escape

from pavedroad.cli import screen


class Story:
    """`line` stays on the screen; `moving` is replaced by what comes next, if it is watched."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._since = time.monotonic()
        self._status = screen.err.status("") if screen.live() and not quiet else None
        self._last = ""

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def line(self, text: str) -> None:
        if not self._quiet:
            screen.err.print(f"[dim]{self._clock()}[/dim] {escape(text)}")

    def moving(self, text: str) -> None:
        if self._status:
            self._status.update(f"[dim]{self._clock()}[/dim] {escape(text)}")
        elif text != self._last:
            self.line(text)
        self._last = text

    def _clock(self) -> str:
        return f"{time.monotonic() - self._since:6.1f} s"
