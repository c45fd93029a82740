"""Users of their own for programs that are not ours, with their own view of the machine's folders: where root
runs us.

What nobody but root may enter is hidden behind an empty folder, and of what lies in it only what the program
needs is shown. Its temporary folder and its shared memory are its own as well.
"""

from __future__ import annotations

import binascii
import ctypes
import os
import socket
import stat
import threading

from pavedroad.core import confinement, kernel

_NEW_MOUNTS = 0x00020000
_NO_SET_USER, _NO_DEVICES, _RECURSIVE, _FOLLOWS = 2, 4, 1 << 14, 1 << 19
_OPEN_TREE, _MOVE_MOUNT = 428, 429
_CLONE, _WITH_ALL_BELOW, _FROM_DESCRIPTOR = 1, 0x8000, 4
_HERE = -100
_USERS = "/proc/self/uid_map"
_NAMED = 126 << 24
_TEMPORARY, _SHARED_MEMORY = "/tmp", "/dev/shm"  # noqa: S108 - what they hide


def user_of(address: str) -> int:
    """Each address of this machine's is one instance's, so its number is a user of the instance's own."""
    return int.from_bytes(socket.inet_aton(address), "big")


def user_named(name: str) -> int:
    """One of 16 million users that are nobody else's."""
    return _NAMED | binascii.crc32(name.encode()) & 0xFFFFFF


def possible() -> bool:
    """Tried on a thread of its own, whose view of the folders ends with it."""
    if not confinement.wanted() or os.geteuid() != 0 or not _knows(user_of("127.255.255.254")):
        return False
    worked: list[bool] = []

    def try_it() -> None:
        try:
            _leave_mounts()
            _mount_empty(_SHARED_MEMORY, "mode=1777")
            os.close(_copy_of("/usr"))
        except OSError:
            return
        worked.append(True)

    thread = threading.Thread(target=try_it, name="seclusion trial")
    thread.start()
    thread.join()
    return bool(worked)


def hand_over(root: str, user: int) -> None:
    """All of a folder is this user's, the folder last: only then it is known to be done."""
    for _, folders, files, here in os.fwalk(root, topdown=False):  # never by a link, whoever else is there
        for name in (*folders, *files):
            os.chown(name, user, user, dir_fd=here, follow_symlinks=False)
    os.chown(root, user, user)


def seclude(temporary: str, shown: tuple[str, ...]) -> None:
    """This process, of one thread, sees of root's own folders what is shown alone, from now on. What comes
    first in a folder that is shown with all of it need not be there twice."""
    _leave_mounts()
    hidden: dict[str, list[tuple[str, int]]] = {_TEMPORARY: []}
    done: list[str] = []
    for path in sorted({os.path.abspath(it) for it in shown if os.path.exists(it)}):
        top = _hidden_above(path)
        if top and not any(path.startswith(f"{it}/") for it in done):
            hidden.setdefault(top, []).append((path, _copy_of(path)))
            done.append(path)
    mask = os.umask(0o022)
    _mount_empty(_SHARED_MEMORY, "mode=1777")
    for top, needed in hidden.items():
        if top == _TEMPORARY and not needed:
            _put(_copy_of(temporary), top)
        else:
            _mount_empty(top, "mode=1777" if top == _TEMPORARY else "mode=755,size=1m")
    for path, copy in (it for needed in hidden.values() for it in needed):
        _make_place(path, copy)
        _put(copy, path)
    os.umask(mask)


def _hidden_above(path: str) -> str:
    """The folder that hides this path; empty where everybody may see it."""
    if path.startswith(f"{_TEMPORARY}/"):
        return _TEMPORARY
    folder = ""
    for name in path.split("/")[1:-1]:
        folder = f"{folder}/{name}"
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
    return ""


def _knows(user: int) -> bool:
    """Whether the user namespace that we are in has this user."""
    with open(_USERS, encoding="ascii") as lines:
        ranges = [tuple(map(int, line.split())) for line in lines]
    return any(first <= user < first + count for first, _, count in ranges)


def _leave_mounts() -> None:
    kernel.call("unshare", _NEW_MOUNTS)
    kernel.call("mount", None, b"/", None, ctypes.c_ulong(_RECURSIVE | _FOLLOWS), None)


def _mount_empty(place: str, options: str) -> None:
    flags = ctypes.c_ulong(_NO_SET_USER | _NO_DEVICES)
    kernel.call("mount", b"tmpfs", place.encode(), b"tmpfs", flags, options.encode())


def _copy_of(path: str) -> int:
    """A mount of what is there, which is nowhere yet."""
    flags = ctypes.c_uint(_CLONE | _WITH_ALL_BELOW | os.O_CLOEXEC)
    return kernel.system_call(_OPEN_TREE, _HERE, os.fsencode(path), flags)


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
