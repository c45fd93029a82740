"""SIGTERM, and a terminal that closes, end a command as Ctrl-C does: what it began is taken back or named."""

from __future__ import annotations

import signal
from types import FrameType

_ENDS = (signal.SIGTERM, signal.SIGHUP)


def listen() -> None:
    """From now on they raise KeyboardInterrupt; one that is ignored, as `nohup` has it, stays so."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore() -> None:
    """For what is done to its end, a second Ctrl-C or not; it has to be short."""
    for number in (signal.SIGINT, *_ENDS):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for ending in _ENDS:  # terminals and `timeout` say it twice, the second time into what is taken back
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt
