"""Functions of the C library and the kernel that Python does not wrap."""

from __future__ import annotations

import ctypes
import os
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """A function of the C library that answers 0 for success; `OSError` else."""
    if getattr(_LIBC, name)(*arguments) != 0:
        raise _error()


def system_call(number: int, *arguments: Any) -> int:
    """One of the kernel's own, which answers 0 or more; `OSError` else. Numbers from 424 on are the same on
    every processor."""
    answer: int = _LIBC.syscall(number, *arguments)
    if answer < 0:
        raise _error()
    return answer


def prctl(option: int, first: int, second: int = 0) -> None:
    call("prctl", option, *map(ctypes.c_ulong, (first, second, 0, 0)))


def die_with_parent(number: int) -> None:
    """Get this signal when the thread that made this process ends: look then whether it has already."""
    prctl(_PR_SET_PDEATHSIG, number)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
