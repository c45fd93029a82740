"""Where a guest's processes listen, as the kernel has it in /proc."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

from pavedroad.localcloud.host.limits import Hold

_LISTENING = "0A"
_LONELY = "127.0.0.1"
_MOST = 4
_SOCKET = "socket:["


def elsewhere(hold: Hold) -> str:
    """Where a guest listens, in a few words; empty where it does not, or that cannot be seen. Blocks."""
    if hold.shim is None:
        return ""
    own, ports, lonely = _inodes(hold.processes()), set[int](), set[int]()
    for family in ("tcp", "tcp6"):
        with suppress(OSError):
            for at, port, inode in _listening(Path(f"/proc/{hold.shim}/net/{family}")):
                if inode in own:
                    (lonely if at == _LONELY else ports).add(port)
    if ports:
        return f"the instance listens on {_named([str(port) for port in sorted(ports)])}"
    if lonely:
        return f"the instance listens on {_named([str(port) for port in sorted(lonely)])} of 127.0.0.1 alone"
    return ""


def _named(ports: list[str]) -> str:
    more = " and others" if len(ports) > _MOST else ""
    return f"port{'s' if len(ports) > 1 else ''} {', '.join(ports[:_MOST])}{more}"


def _inodes(processes: list[int]) -> set[str]:
    found: set[str] = set()
    for pid in processes:
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    leads = str(Path(entry.path).readlink())
                    if leads.startswith(_SOCKET):
                        found.add(leads[len(_SOCKET) : -1])
    return found


def _listening(table: Path) -> list[tuple[str, int, str]]:
    """Address, port and inode of each; an address of IPv6 as the one of IPv4 that it maps, or as it is."""
    found: list[tuple[str, int, str]] = []
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENING:
            host, _, port = fields[1].partition(":")
            found.append((_address(host), int(port, 16), fields[9]))
    return found


def _address(words: str) -> str:
    packed = b"".join(
        struct.pack("=I", int(words[start : start + 8], 16)) for start in range(0, len(words), 8)
    )
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    if packed == bytes(15) + b"\1":
        return _LONELY
    if packed.startswith(bytes(10) + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)
