"""Whose the other end of a connection is, where that is on this machine, as the kernel knows it."""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

Place = tuple[str, int]

_DIAGNOSTICS = 4  # netlink's family
_BY_FAMILY, _REQUEST = 20, 1
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBBI")
_ENDS = struct.Struct("!HH4s12x4s12x")
_REST = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any link, and no cookie
_STATE, _USER = 17, 80
_ANY_STATE = 0xFFFFFFFF
_TIME_WAIT = 6
"""Nobody's any more."""
_LONGEST = 8192
_TABLE = Path("/proc/net/tcp")
_CREDENTIALS = struct.Struct("=iII")
"""Process, user and group of who connected."""


def is_kin(connected: socket.socket) -> bool:
    """Whether who connected to our Unix socket is our parent, or another process that it started. Guests are
    not, which may be our own user's and know the path."""
    size = _CREDENTIALS.size
    pid, _, _ = _CREDENTIALS.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return os.getppid() in (pid, _parent_of(pid))


def _parent_of(pid: int) -> int | None:
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # it has ended
        return None
    return int(words.rpartition(b")")[2].split()[1])


def user_of(peer: Place, here: Place) -> int | None:
    """The user whose socket at `peer` is connected to `here`; None where this network has no such socket."""
    with suppress(OSError):
        if (found := by_question(peer, here)) is not None:
            return found
    return by_list(peer, here)


def by_question(peer: Place, here: Place) -> int | None:
    """One question to the kernel, whatever number of connections there is."""
    ends = _ENDS.pack(peer[1], here[1], socket.inet_aton(peer[0]), socket.inet_aton(here[0]))
    body = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY_STATE) + ends + _REST
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _DIAGNOSTICS) as asking:
        asking.settimeout(1)
        asking.sendto(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body, (0, 0))
        answer = asking.recv(_LONGEST)
    if _HEADER.unpack_from(answer)[1] != _BY_FAMILY or answer[_STATE] == _TIME_WAIT:
        return None
    return int.from_bytes(answer[_USER : _USER + 4], sys.byteorder)


def by_list(peer: Place, here: Place) -> int | None:
    """For kernels that answer no such questions: the list of all connections."""
    wanted = [_spelled(peer), _spelled(here)]
    with suppress(OSError), _TABLE.open(encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[1:3] == wanted and int(words[3], 16) != _TIME_WAIT:
                return int(words[7])
    return None


def _spelled(place: Place) -> str:
    number = int.from_bytes(socket.inet_aton(place[0]), sys.byteorder)
    return f"{number:08X}:{place[1]:04X}"
