"""A view of the machine's folders of their own for programs that are not ours, and users of their own where
root runs us.

`/tmp`, `/run`, our home and what nobody but us may enter are hidden behind empty folders, and so are the
sockets in them; of what lies there only what the program needs is shown. Shared memory is its own as well.
"""

from __future__ import annotations

import binascii
import ctypes
import os
import socket
import stat
import subprocess
import sys
import threading
from typing import Literal

from pavedroad.core import confinement, kernel
from pavedroad.core.confinement import Walls

_NEW_MOUNTS = 0x00020000
_NO_SET_USER, _NO_DEVICES, _RECURSIVE, _FOLLOWS = 2, 4, 1 << 14, 1 << 19
_OPEN_TREE, _MOVE_MOUNT, _SET_MOUNT = 428, 429, 442
_CLONE, _WITH_ALL_BELOW, _FROM_DESCRIPTOR, _ITSELF, _READ_ONLY = 1, 0x8000, 4, 0x1000, 1
_HERE = -100
_USERS = "/proc/self/uid_map"
_NAMED = NOBODY = 126 << 24
_TEMPORARY, _RUN, _SHARED_MEMORY = "/tmp", "/run", "/dev/shm"  # noqa: S108 - what is hidden
_OF_RUN = ("/run/systemd/resolve", "/run/resolvconf", "/run/nscd", "/run/current-system")
_SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_TRIAL = (
    "import sys; sys.path.insert(0, sys.argv.pop()); from pavedroad.core import capabilities, seclusion; "
    "capabilities.leave_users(); seclusion.try_view()"
)

Way = Literal["users", "view", "none"]
"""Users of their own, each with a view of its own; a view alone, as our own user; neither."""


def user_of(address: str) -> int:
    """Each address of this machine's is one instance's, so its number is a user of the instance's own."""
    return int.from_bytes(socket.inet_aton(address), "big")


def user_named(name: str) -> int:
    """One of 16 million users that are nobody else's."""
    return _NAMED | max(binascii.crc32(name.encode()) & 0xFFFFFF, 1)


def way() -> Way:
    """What this machine allows us: tried, in a thread or process whose view ends with it. Blocks."""
    if not confinement.wanted():
        return "none"
    if os.geteuid() == 0 and _knows(user_of("127.255.255.254")) and _works_in_thread():
        return "users"
    trial = [sys.executable, "-I", "-S", "-c", _TRIAL, _SOURCE]
    done = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return "view" if done.returncode == 0 else "none"


def _works_in_thread() -> bool:
    worked: list[bool] = []

    def try_it() -> None:
        try:
            try_view()
        except OSError:
            return
        worked.append(True)

    thread = threading.Thread(target=try_it, name="seclusion trial")
    thread.start()
    thread.join()
    return bool(worked)


def try_view() -> None:
    """Whether this thread may have a view of its own, which it has then; raises `OSError`."""
    _leave_mounts()
    _mount_empty(_SHARED_MEMORY, "mode=1777")
    os.close(_copy_of("/usr", changed=False))


def with_own_temporary(walls: Walls) -> Walls:
    """As they are for who is secluded: `/tmp` may be changed, unless folders of others are shown there."""
    if any(path.startswith(f"{_TEMPORARY}/") for path in walls.writable):
        return walls
    return walls._replace(writable=(*walls.writable, _TEMPORARY))


def hand_over(root: str, user: int) -> None:
    """All of a folder is this user's, the folder last: only then it is known to be done."""
    for _, folders, files, here in os.fwalk(root, topdown=False):  # never by a link, whoever else is there
        for name in (*folders, *files):
            os.chown(name, user, user, dir_fd=here, follow_symlinks=False)
    os.chown(root, user, user)


def seclude(temporary: str, readable: tuple[str, ...], writable: tuple[str, ...]) -> None:
    """This process, of one thread, sees in what is hidden only these, from now on; `temporary` is its `/tmp`.
    Without being root it needs a user namespace of its own."""
    always = {_TEMPORARY, _RUN, os.path.realpath(os.path.expanduser("~"))} - {"/"}
    hidden: dict[str, list[tuple[str, int]]] = {top: [] for top in sorted(always) if os.path.isdir(top)}
    hidden = {top: [] for top in hidden if not _hidden_above(top, always)}
    _leave_mounts()
    done: list[str] = []
    changed = {os.path.abspath(it) for it in writable}
    needed = (*readable, *writable, *_OF_RUN, os.path.realpath("/etc/resolv.conf"))
    for path in sorted({os.path.abspath(it) for it in needed if os.path.exists(it)}):
        top = _hidden_above(path, always)
        if top and not any(path.startswith(f"{it}/") for it in done):
            hidden.setdefault(top, []).append((path, _copy_of(path, changed=path in changed)))
            done.append(path)
    mask = os.umask(0o022)
    own = _copy_of(temporary)
    _mount_empty(_SHARED_MEMORY, "mode=1777")
    for top, kept in hidden.items():
        if top == _TEMPORARY and not kept:
            _put(os.dup(own), top)
        else:
            _mount_empty(top, "mode=1777" if top == _TEMPORARY else "mode=755,size=1m")
    os.close(own)
    for path, copy in (it for kept in hidden.values() for it in kept):
        _make_place(path, copy)
        _put(copy, path)
    os.umask(mask)


def _hidden_above(path: str, always: set[str]) -> str:
    """The folder that hides this path; empty where it is seen."""
    folder = ""
    for name in path.split("/")[1:-1]:
        folder = f"{folder}/{name}"
        if folder in always or not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
    return ""


def _knows(user: int) -> bool:
    """Whether the user namespace that we are in has this user."""
    with open(_USERS, "rb") as lines:
        ranges = [tuple(map(int, line.split())) for line in lines]
    return any(first <= user < first + count for first, _, count in ranges)


def _leave_mounts() -> None:
    kernel.call("unshare", _NEW_MOUNTS)
    kernel.call("mount", None, b"/", None, ctypes.c_ulong(_RECURSIVE | _FOLLOWS), None)


def _mount_empty(place: str, options: str) -> None:
    flags = ctypes.c_ulong(_NO_SET_USER | _NO_DEVICES)
    kernel.call("mount", b"tmpfs", place.encode(), b"tmpfs", flags, options.encode())


def _copy_of(path: str, *, changed: bool = True) -> int:
    """A mount of what is there, which is nowhere yet; one that is not to be changed cannot be."""
    flags = ctypes.c_uint(_CLONE | _WITH_ALL_BELOW | os.O_CLOEXEC)
    copy = kernel.system_call(_OPEN_TREE, _HERE, os.fsencode(path), flags)
    if not changed:
        attributes = (ctypes.c_uint64 * 4)(_READ_ONLY)
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        try:
            kernel.system_call(_SET_MOUNT, copy, b"", _ITSELF | _WITH_ALL_BELOW, attributes, size)
        except OSError:
            os.close(copy)
            raise
    return copy


def _make_place(path: str, copy: int) -> None:
    if stat.S_ISDIR(os.fstat(copy).st_mode):
        os.makedirs(path, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _put(copy: int, path: str) -> None:
    try:
        kernel.system_call(_MOVE_MOUNT, copy, b"", _HERE, os.fsencode(path), _FROM_DESCRIPTOR)
    finally:
        os.close(copy)
