"""Where a guest's processes listen, as the kernel has it in /proc."""

from __future__ import annotations

import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from pavedroad.localcloud.host.limits import Hold
from pavedroad.localcloud.host.nursery.linux import enter_network
from pavedroad.localcloud.listening import Elsewhere

_LISTENING = "0A"
_LONELY = "127.0.0.1"
_ANY = frozenset({"0.0.0.0", "::", _LONELY})
_CONNECT_SECONDS = 0.5
_SOCKET = "socket:["


def elsewhere(hold: Hold) -> Elsewhere:
    """Where a guest listens; nowhere where that cannot be seen. Blocks."""
    if hold.shim is None:
        return Elsewhere()
    own, ports, lonely = _inodes(hold.processes()), dict[int, str](), dict[int, str]()
    for family in ("tcp", "tcp6"):
        with suppress(OSError):
            for at, port, inode in _listening(Path(f"/proc/{hold.shim}/net/{family}")):
                if inode in own:
                    (lonely if at == _LONELY else ports).setdefault(port, at)
    alone = {port: at for port, at in lonely.items() if port not in ports}
    return Elsewhere(ports, alone, partial(_connected, hold.shim))


def _connected(shim: int, host: str, port: int) -> socket.socket:
    """In a thread that ends in the guest's network, if that is not ours."""
    with ThreadPoolExecutor(1) as inside:
        return inside.submit(_from_inside, shim, host, port).result()


def _from_inside(shim: int, host: str, port: int) -> socket.socket:
    theirs = Path(f"/proc/{shim}/ns/net")
    if not theirs.samefile("/proc/self/ns/net"):
        with theirs.open() as space:
            enter_network(space.fileno())
    if host not in _ANY:
        return socket.create_connection((host, port), _CONNECT_SECONDS)
    try:
        return socket.create_connection((_LONELY, port), _CONNECT_SECONDS)
    except OSError:
        return socket.create_connection(("::1", port), _CONNECT_SECONDS)


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
