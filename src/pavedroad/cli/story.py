"""A thing that takes its time, told line by line; where someone watches, the last line moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.text import Text

from pavedroad.cli import screen

_TICK = 0.2


class Story:
    """`line` stays on the screen; `moving` is replaced by what comes next, if it is watched.

    What `beside` gives is shown after the moving line, and kept up to date.
    """

    def __init__(self, *, quiet: bool = False, beside: Callable[[], str] | None = None) -> None:
        self._quiet = quiet
        self._beside = beside
        self._since = time.monotonic()
        self._status = screen.err.status("") if screen.live() and not quiet else None
        self._moving = ""
        self._until: datetime | None = None
        self._ended = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
            self._ticking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._status:
            self._ticking.join()
            self._status.stop()

    def line(self, text: str) -> None:
        """Something that has happened."""
        self._moving = ""
        if not self._quiet:
            screen.err.print(self._timed(text))

    def moving(self, text: str, until: datetime | None = None) -> None:
        """How it stands, and when it is given up if it goes on so."""
        if text != self._moving and self._status is None:
            self.line(text + _countdown(until))
        self._moving, self._until = text, until

    def _tick(self) -> None:
        while self._status and not self._ended.wait(_TICK):
            shown = [
                self._moving and self._moving + _countdown(self._until),
                self._beside() if self._beside else "",
            ]
            text = " · ".join(part for part in shown if part)
            self._status.update(self._timed(text))

    def _timed(self, text: str) -> Text:
        return Text.assemble((self._clock(), "dim"), " ", text)

    def _clock(self) -> str:
        return f"{time.monotonic() - self._since:6.1f} s"


def _countdown(until: datetime | None) -> str:
    if until is None:
        return ""
    minutes, seconds = divmod(max(0, round((until - datetime.now(UTC)).total_seconds())), 60)
    return f" (gives up in {f'{minutes} min ' if minutes else ''}{seconds} s)"
