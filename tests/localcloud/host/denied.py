"""A command on a kernel that has less, or lets us have less, than this one: `denied.py users,mounts,landlock
COMMAND...`. What is denied fails as it does there, by a filter over system calls."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

_UNSHARE, _CLONE, _MOUNT = {"x86_64": (272, 56, 165), "aarch64": (97, 220, 40)}[platform.machine()]
_CLONE3 = 435
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_OPEN_TREE_TO_MOUNT_SETATTR = (428, 429, 430, 432, 442)
_LANDLOCK = (444, 445, 446)

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _FIRST_ARGUMENT = 0, 16
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2

Step = tuple[int, int, int, int]
"""Code, steps to pass over where it is so and where not, operand."""


def _whole(number: int, error: int) -> list[Step]:
    return [(_LOAD, 0, 0, _NUMBER), (_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | error)]


def _with_flag(number: int, flag: int) -> list[Step]:
    return [
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_EQUAL, 0, 3, number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_SET, 0, 1, flag),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
    ]


def _steps(denied: set[str]) -> list[Step]:
    steps: list[Step] = []
    if "users" in denied:
        # What cannot be looked into is said not to be there, and the C library does with clone.
        steps += _whole(_CLONE3, errno.ENOSYS)
        steps += _with_flag(_UNSHARE, _NEW_USERS) + _with_flag(_CLONE, _NEW_USERS)
    if "mounts" in denied:
        steps += _with_flag(_UNSHARE, _NEW_MOUNTS) + _with_flag(_CLONE, _NEW_MOUNTS)
        for number in (_MOUNT, *_OPEN_TREE_TO_MOUNT_SETATTR):
            steps += _whole(number, errno.EPERM)
    if "landlock" in denied:
        for number in _LANDLOCK:
            steps += _whole(number, errno.ENOSYS)
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def deny(denied: set[str]) -> None:
    """To this process and all that it starts."""
    packed = b"".join(struct.pack("=HBBI", *step) for step in _steps(denied))
    program = ctypes.create_string_buffer(packed, len(packed))
    head = struct.pack("@HP", len(packed) // 8, ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    for answer in (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, one, zero, zero, zero),
        libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), head, zero, zero),
    ):
        if answer:
            raise OSError(ctypes.get_errno(), "the filter was not taken")


if __name__ == "__main__":
    deny(set(sys.argv[1].split(",")))
    os.execvp(sys.argv[2], sys.argv[2:])
