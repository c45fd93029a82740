"""Walls around programs that are not ours: what a process, and all that it starts, may see of this machine.

Made by Landlock, which any user may use. Light to import: every instance's supervisor carries it.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Literal, NamedTuple

from pavedroad.core import kernel

Way = Literal["landlock", "none"]

WISH = "PAVED_CONFINEMENT"
"""The variable by which an operator does without: `none`."""
READABLE = "PAVED_READABLE"
"""Of the folders that the operator lets be read besides."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt"),
    *("/nix/store", "/run/current-system", "/snap", "/home/linuxbrew/.linuxbrew"),
    *("/proc", "/sys", "/var/cache/fontconfig", "/var/lib/ca-certificates"),
    *("/run/systemd/resolve", "/run/resolvconf", "/run/nscd"),
)
"""What is no user's own. Of /proc the kernel itself keeps back what belongs to processes beyond the walls."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - semaphores and shared memory have no other place
_RESOLVERS = "/etc/resolv.conf"
_CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "AWS_CA_BUNDLE",
)

_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_MAKE_CHARACTER, _MAKE_BLOCK = 1 << 6, 1 << 11
_ALL_BEFORE_TRUNCATE = (1 << 14) - 1
_SEEN = _EXECUTE | _READ | _LIST
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE
_SCOPE_SOCKETS, _SCOPE_SIGNALS = 1, 2
_OLDEST = 2
"""Before it, in Linux 5.13 to 5.18, no file could be moved from one folder into another."""
_TRUNCATES, _SCOPES = 3, 6
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
_KEYS = {"x86_64": 250, "aarch64": 219}
_JOIN_ANOTHER = 1


class Walls(NamedTuple):
    """Folders and files that may be read and executed, and those that may be changed too. What is in neither
    can be neither read nor listed; the system's own folders can always be read."""

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()

    def also(self, *readable: str) -> Walls:
        return self._replace(readable=(*self.readable, *readable))


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def wanted() -> bool:
    """Unless the operator does without."""
    return os.environ.get(WISH) != "none"


@cache
def way() -> Way:
    """What this machine has."""
    return "landlock" if wanted() and _version() >= _OLDEST else "none"


def sentence(who: str, *, own_users: bool = False, own_view: bool = False) -> str:
    """How they are walled in, for people: `instances`, `builds`. Each may be a user of its own, or have a
    view of its own of the machine's folders (`seclusion`)."""
    users = ", and each is a user of its own" if own_users else ""
    if own_view:
        users = ", with /tmp, /run and shared memory of their own"
    if way() == "landlock":
        if not (own_users or own_view):
            users = ", but may open the Unix sockets of this user's whose paths they know"
        return f"{who} see the system's folders and their own, nothing else (Landlock){users}"
    why = "this kernel has no Landlock since 5.19" if wanted() else f"{WISH} is none"
    if own_view:
        return f"{who} see and change all that this user may beside its home, /tmp and /run ({why})"
    if own_users:
        return f"{who} may read what every user of this machine may ({why}){users}"
    return f"{who} are not walled in, and may read and change all that this user may: {why}"


def let_through(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the operator's environment names: certificates, and folders of his choice."""
    named = (environment.get(name, "") for name in (*_CERTIFICATES, READABLE))
    return tuple(path for paths in named for path in paths.split(":") if path.startswith("/"))


def visible(path: str, walls: Walls) -> str:
    """Of a search path the folders that are seen within these walls."""
    seen = tuple(f"{os.path.realpath(top)}/" for top in (*_SYSTEM, *walls.readable, *walls.writable))
    return ":".join(folder for folder in path.split(":") if f"{os.path.realpath(folder)}/".startswith(seen))


def installation_of(program: str) -> tuple[str, ...]:
    """The folders of a Python or Node that is installed outside the system's, as below a home; none where the
    program is of no such installation. So links in an image let nobody see what is no interpreter's."""
    real = os.path.realpath(program)
    prefix = os.path.dirname(os.path.dirname(real))
    name, library = os.path.basename(real), f"{prefix}/lib"
    if prefix == os.path.realpath(os.path.expanduser("~")) or not os.access(real, os.X_OK):
        return ()
    try:
        found = os.listdir(library)
    except OSError:
        return ()
    is_python = name.startswith("python") and any(
        it.startswith("python") and os.path.isfile(f"{library}/{it}/os.py") for it in found
    )
    if is_python or (name == "node" and "node_modules" in found):
        return (real, f"{prefix}/bin", library, f"{prefix}/include")
    return ()


def interpreters_of(folders: list[str]) -> tuple[str, ...]:
    """What the programs in these folders are run by, where links lead to it."""
    found: dict[str, None] = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                links = [it.path for it in entries if it.is_symlink()]
        except OSError:
            continue
        for real in {os.path.realpath(link) for link in links}:
            if not real.startswith("/usr/"):
                found.update(dict.fromkeys(installation_of(real)))
    return tuple(found)


def confine(walls: Walls, *, alone: bool = True) -> None:
    """This process, of one thread, and all that it starts, from now on. `alone`: they signal no others."""
    _forgo_privileges()
    _forgo_keys()
    if way() == "none":
        return
    files = _ALL_BEFORE_TRUNCATE | (_TRUNCATE if _version() >= _TRUNCATES else 0)
    changed = files & ~(_MAKE_CHARACTER | _MAKE_BLOCK)
    rules = _ruleset(files, alone=alone)
    try:
        for path in (*_SYSTEM, os.path.realpath(_RESOLVERS), *walls.readable):
            _allow(rules, path, _SEEN)
        for name in _DEVICES:
            _allow(rules, f"/dev/{name}", _READ | _WRITE)
        for path in (_SHARED_MEMORY, *walls.writable):
            _allow(rules, path, changed)
        kernel.system_call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def keep_to_itself() -> None:
    """This process and all that it starts signal only each other, and speak over no abstract socket with
    others; where the kernel has no such wall, nothing happens."""
    if way() == "landlock" and _version() >= _SCOPES:
        _forgo_privileges()
        rules = _ruleset(0, alone=True)
        try:
            kernel.system_call(_RESTRICT, rules, 0)
        finally:
            os.close(rules)


@cache
def _version() -> int:
    """Of the kernel's Landlock; 0 where there is none."""
    try:
        return kernel.system_call(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)
    except OSError:
        return 0


def _ruleset(files: int, *, alone: bool) -> int:
    scopes = _version() >= _SCOPES
    asked = _Ruleset(files, 0, _SCOPE_SOCKETS | _SCOPE_SIGNALS if alone and scopes else 0)
    size = ctypes.sizeof(_Ruleset) if scopes else ctypes.sizeof(ctypes.c_uint64)
    return kernel.system_call(_CREATE, ctypes.byref(asked), ctypes.c_size_t(size), 0)


def _allow(rules: int, path: str, what: int) -> None:
    """What is not there is allowed to nobody."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            what &= _OF_FILES if _version() >= _TRUNCATES else _OF_FILES & ~_TRUNCATE
        kernel.system_call(_ADD, rules, _BENEATH, ctypes.byref(_Beneath(what, place)), 0)
    finally:
        os.close(place)


def _forgo_privileges() -> None:
    """No program makes more of it than it is, as sudo would."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _forgo_keys() -> None:
    """Who has a session's keyring reads what is in it, whatever user it is by then: tickets, say, of whoever
    has started us."""
    if (call := _KEYS.get(os.uname().machine)) is not None:
        with suppress(OSError):  # a kernel without any
            kernel.system_call(call, _JOIN_ANOTHER, None)
