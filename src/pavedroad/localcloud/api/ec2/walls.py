"""Tells the host who may reach whom: security groups, with the addresses that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import SecurityGroup
from pavedroad.localcloud.watch import Watch

Groups = Callable[[], Iterable[SecurityGroup]]
"""All there are, with the members that EC2 knows; called with the state lock held."""

Members = Callable[[], Iterable[tuple[str, str]]]
"""Further members: a group's id and an address; called with the state lock held."""


class Link(Protocol):
    """The host, as walls need it."""

    def want_groups(self, groups: Mapping[str, SecurityGroup | None]) -> int: ...


class Walls:
    """Level-triggered, only where instances have networks of their own."""

    def __init__(self, state: State, link: Link, groups: Groups, balancers: Members) -> None:
        self._state = state
        self._link = link
        self._groups = groups
        self._balancers = balancers
        self._told: dict[str, SecurityGroup] = {}
        self._watch = Watch("security groups", state, self.step)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        """One pass."""
        with self._state.lock:
            further: dict[str, list[str]] = {}
            for group_id, address in self._balancers():
                further.setdefault(group_id, []).append(address)
            groups = {it.id: _joined(it, further.get(it.id)) for it in self._groups()}
        changes: dict[str, SecurityGroup | None] = dict.fromkeys(self._told.keys() - groups.keys())
        changes.update((it.id, it) for it in groups.values() if self._told.get(it.id) != it)
        if changes:
            self._told = groups
            self._link.want_groups(changes)


def _joined(group: SecurityGroup, further: list[str] | None) -> SecurityGroup:
    return replace(group, members=(*group.members, *further)) if further else group
