# pyright: basic
"""How many instances there are, counted as they change: a launch asks, and must not look at all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_types import vcpus

_BUCKETS = {
    "f": "F",
    "g": "G and VT",
    "v": "G and VT",
    "p": "P",
    "x": "X",
    "i": "Standard",
    "u": "High Memory",
}


def bucket(instance_type: str) -> str:
    """The limit that a type counts against: AWS has one for the common families together."""
    return "Inf" if instance_type.startswith("inf") else _BUCKETS.get(instance_type[:1], "Standard")


class _Part(NamedTuple):
    """What one instance counts for."""

    alive: int
    zone: str
    """Empty where it should not run."""
    market: tuple[str, bool]
    """Its bucket, and whether it is a spot instance."""
    vcpus: int


class Census:
    """Of one account and region. Each instance's life tells it of its changes."""

    def __init__(self, instances: Iterable[LocalInstance]) -> None:
        self.alive = 0
        """Those that are not terminated."""
        self.by_zone: Counter[str] = Counter()
        """Those that should run."""
        self.terminated: dict[str, LocalInstance] = {}
        """Until they are forgotten."""
        self._vcpus: Counter[tuple[str, bool]] = Counter()
        self._parts: dict[str, _Part] = {}
        for one in instances:
            self.watch(one)

    def watch(self, one: LocalInstance) -> None:
        one.life.watcher = partial(self.count, one)
        self.count(one)

    def forget(self, one: LocalInstance) -> None:
        one.life.watcher = None
        self.terminated.pop(one.id, None)
        if part := self._parts.pop(one.id, None):
            self._add(part, -1)

    def count(self, one: LocalInstance) -> None:
        """Anew, whatever it counted for before."""
        part, before = _part_of(one), self._parts.get(one.id)
        if part == before:
            return
        if before:
            self._add(before, -1)
        self._parts[one.id] = part
        if not part.alive:
            self.terminated[one.id] = one
        self._add(part, 1)

    def vcpus(self, instance_type: str, *, spot: bool) -> int:
        """Of those that should run, and share a limit with this type and market."""
        return self._vcpus[bucket(instance_type), spot]

    def _add(self, part: _Part, sign: int) -> None:
        self.alive += sign * part.alive
        self._vcpus[part.market] += sign * part.vcpus
        if part.zone:
            self.by_zone[part.zone] += sign


def _part_of(one: LocalInstance) -> _Part:
    life = one.life
    return _Part(
        int(life.state != "terminated"),
        (one.availability_zone or "") if life.wish == "run" else "",
        (bucket(one.instance_type), one.lifecycle == "spot"),
        vcpus(one.instance_type) if life.should_run else 0,
    )
