"""What a process may do, in a user namespace of our own or as another user."""

from __future__ import annotations

import ctypes
import os

from pavedroad.core import kernel

_CLONE_NEWUSER = 0x10000000
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522
_BIND = 10
_LAST = "/proc/sys/kernel/cap_last_cap"


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def leave_users() -> None:
    """This process, of one thread, gets a user namespace of its own, where it stays the same user and may do
    everything."""
    user, group = os.geteuid(), os.getegid()
    kernel.call("unshare", _CLONE_NEWUSER)
    for name, words in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (user, user)),
        ("gid_map", b"%d %d 1" % (group, group)),
    ):
        with open(f"/proc/self/{name}", "wb", buffering=0) as file:
            file.write(words)


def enter_users(space: int) -> None:
    """This process, of one thread, goes into a user namespace that its user has made."""
    kernel.call("setns", space, _CLONE_NEWUSER)


def hand_on() -> None:
    """What this thread may do, the programs that it executes may do too."""
    header, sets = _Header(_VERSION_3, 0), (_Set * 2)()
    kernel.call("capget", ctypes.byref(header), sets)
    for one in sets:
        one.inheritable = one.permitted
    kernel.call("capset", ctypes.byref(header), sets)
    allowed = sets[0].permitted | sets[1].permitted << 32
    for capability in _every():
        if allowed >> capability & 1:
            kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def give_up() -> None:
    """This thread and all that it executes may do what an ordinary user may, and never more."""
    kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _bound(())
    kernel.call("capset", ctypes.byref(_Header(_VERSION_3, 0)), (_Set * 2)())


def become(user: int) -> None:
    """This process, of one thread, is another user's from now on, and may do no more than that user may, but
    listen on any port, as on a machine of its own."""
    _bound((_BIND,))
    kernel.prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    sets = (_Set * 2)(_Set(1 << _BIND, 1 << _BIND, 1 << _BIND), _Set())
    kernel.call("capset", ctypes.byref(_Header(_VERSION_3, 0)), sets)
    kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _BIND)


def _bound(kept: tuple[int, ...]) -> None:
    for capability in _every():
        if capability not in kept:
            kernel.prctl(_PR_CAPBSET_DROP, capability)


def _every() -> range:
    with open(_LAST, "rb") as last:  # bytes: behind walls, the interpreter's own codecs may not be seen
        return range(int(last.read()) + 1)
