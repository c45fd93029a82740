"""Which port a listener gets: the one asked for where it may be had, else the nearest that may."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterator, Sequence

_FAMILIAR = {80: 8080, 443: 8443}
_MANY = 10_000


def choose_port(addresses: Sequence[str], asked: int, taken: Collection[int]) -> int | None:
    """`taken` are the ports that other listeners of these addresses have or have failed to open; None
    when an address itself cannot be had."""
    for port in _candidates(asked):
        if port in taken:
            continue
        verdict = _try_all(addresses, port)
        if verdict == 0:
            return port
        if verdict == errno.EADDRNOTAVAIL:
            return None
    return None


def _candidates(asked: int) -> Iterator[int]:
    yield asked
    if asked in _FAMILIAR:
        yield _FAMILIAR[asked]
    if asked + _MANY < 65_536:
        yield asked + _MANY
    yield from range(max(asked + 1, 20_000), 65_536)


def _try_all(addresses: Sequence[str], port: int) -> int:
    return next((verdict for it in addresses if (verdict := _try(it, port))), 0)


def _try(address: str, port: int) -> int:
    """0 when the port can be bound, else the error number. Binding is asked rather than the limit on low
    ports read, since capabilities and namespaces change it too."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error.errno or errno.EADDRINUSE
        return 0


def can_open(addresses: Sequence[str], port: int) -> bool:
    """Some of them may be ours already: those that are not are to be free."""
    return _try_all(addresses, port) == 0
