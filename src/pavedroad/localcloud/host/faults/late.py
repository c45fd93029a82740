"""A process that makes late whatever a guest sends, in the guest's network namespace, however it is sent.

A tunnel takes what would leave by the guest's link, and when its time has come it goes there. It needs no
module of the kernel's for delays. With the process the tunnel goes, and its routes: all is as before.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pavedroad.localcloud.faults.tunnels import DEVICE
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.nursery import linux

_NAMES = b"late%d"
"""Of tunnels, numbered by the kernel: one may still be ending."""
_LINK = "eth0"
_NEAR, _FAR = ("127.0.0.0/9", "127.128.0.0/9"), ("0.0.0.0/1", "128.0.0.0/1")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_IP, _TCP = 0x0800, 6
_LONGEST = 1 << 16
_IN_A_ROW = 64
_MOST_WAITING = 20_000
"""Packets; what comes on top is lost, as in any queue that is full."""
_ORDERS = 0
_SETTINGS = "/proc/sys/net/ipv4/conf"


class Way(NamedTuple):
    """Of a guest: its addresses, here and for the outside world, and who takes what it sends. What goes to
    its metadata service is never late: on AWS that is no network's."""

    address: str
    outside: str
    neighbour: str
    metadata: tuple[str, int]


class _Line:
    """Packets in the order in which they were sent, each with its time."""

    def __init__(self, way: Way) -> None:
        host, port = way.metadata
        self._spared = (socket.inet_aton(host), port)
        self._to = (_LINK, _IP, 0, 0, bytes.fromhex(way.neighbour.replace(":", "")))
        self._link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._delay = self._jitter = 0.0

    def be(self, delay: float, jitter: float) -> None:
        self._delay, self._jitter = delay, jitter

    def take(self, packet: bytes) -> None:
        if self._is_spared(packet):
            self._send(packet)
        elif len(self._waiting) < _MOST_WAITING:
            late = max(0.0, self._delay + random.uniform(-1, 1) * self._jitter)  # noqa: S311
            due = time.monotonic() + late
            # None overtakes another: receivers would take that for a loss.
            self._waiting.append((max(due, self._waiting[-1][0]) if self._waiting else due, packet))

    def give(self, until: float) -> None:
        while self._waiting and self._waiting[0][0] <= until:
            self._send(self._waiting.popleft()[1])

    def milliseconds(self) -> float | None:
        """Until the next one is due."""
        if not self._waiting:
            return None
        return max(0.0, self._waiting[0][0] - time.monotonic()) * 1000

    def _is_spared(self, packet: bytes) -> bool:
        if packet[9] != _TCP or packet[16:20] != self._spared[0]:
            return False
        begin = (packet[0] & 15) * 4 + 2
        return int.from_bytes(packet[begin : begin + 2], "big") == self._spared[1]

    def _send(self, packet: bytes) -> None:
        with suppress(OSError):  # the link is full or gone: it is lost
            self._link.sendto(packet, self._to)


def main() -> None:
    """In the namespace of the descriptor that comes first, for the `Way` that comes then. Each line of input
    is a delay and a jitter in seconds; the end of it ends this."""
    linux.name_process("paved-late")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    space, way = int(sys.argv[1]), Way(*json.loads(sys.argv[2]))
    linux.enter_network(space)
    os.close(space)
    line = _Line(way)
    tunnel = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    request = struct.pack("16sH22x", _NAMES, _IFF_TUN | _IFF_NO_PI)
    name = fcntl.ioctl(tunnel, _TUNSETIFF, request)[:16].rstrip(b"\0").decode()
    _hear(line)
    _lead(way, name)
    poll = select.poll()
    poll.register(tunnel, select.POLLIN)
    poll.register(_ORDERS, select.POLLIN)
    lasts = True
    while lasts:
        wait = line.milliseconds()
        ready = {fd for fd, _ in poll.poll(None if wait is None else wait + 0.999)}
        if _ORDERS in ready:
            lasts = _hear(line)
        if tunnel in ready:
            _take(tunnel, line)
        line.give(time.monotonic())
    line.give(float("inf"))


def _hear(line: _Line) -> bool:
    orders = os.read(_ORDERS, _LONGEST)
    if orders:
        line.be(*json.loads(orders.splitlines()[-1]))
    return bool(orders)


def _take(tunnel: int, line: _Line) -> None:
    with suppress(BlockingIOError):
        for _ in range(_IN_A_ROW):
            line.take(os.read(tunnel, _LONGEST))


def _lead(way: Way, tunnel: str) -> None:
    """All that leaves goes by the tunnel: its routes are narrower than those that there are."""
    for name in ("all", _LINK):  # answers come by another way than what was asked left
        Path(_SETTINGS, name, "rp_filter").write_text("0")
    commands.ip(
        [
            f"link set {tunnel} up",
            *(f"route replace {it} dev {tunnel} src {way.address}" for it in _NEAR),
            *(f"route replace {it} dev {tunnel} src {way.outside}" for it in _FAR),
        ]
    )
