"""Where a guest listens if not where it should, as the host sees it and the health checks ask."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_MOST = 4


def _nobody(host: str, port: int) -> socket.socket:
    raise ConnectionRefusedError(f"nobody listens at {host}:{port}")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Addresses by port: of `ports`, which others reach, and of `lonely`, which only the guest itself does.
    `connect` opens one from inside the guest's network; it blocks, and raises OSError."""

    ports: Mapping[int, str] = field(default_factory=dict[int, str])
    lonely: Mapping[int, str] = field(default_factory=dict[int, str])
    connect: Callable[[str, int], socket.socket] = _nobody

    def first(self) -> dict[int, str]:
        """As many as are told, those that others reach before the others."""
        every = [*sorted(self.ports.items()), *sorted(self.lonely.items())]
        return dict(every[:_MOST])

    def told(self) -> str:
        """In a few words; empty where it does not listen."""
        if self.ports:
            return f"the instance listens on {_named(sorted(self.ports))}"
        return self.alone(*sorted(self.lonely)) if self.lonely else ""

    def alone(self, *ports: int) -> str:
        return f"the instance listens on {_named(ports)} of 127.0.0.1 alone"

    def well(self, port: int) -> str:
        """In words that no guest is told of with which may be booting yet."""
        where = f"the instance listens on {_named([port])}" if port in self.ports else self.alone(port)
        return f"{where} and is well there"


def _named(ports: list[int] | tuple[int, ...]) -> str:
    more = " and others" if len(ports) > _MOST else ""
    return f"port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports[:_MOST]))}{more}"
