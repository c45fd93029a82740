"""When a target that drains may be let go: at its time, or as soon as nothing is in flight to it."""

from __future__ import annotations

import time

from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.model import Member

_SURE_SECONDS = 1.0
"""How long Envoy must have known of a drain before an empty count is believed: its workers learn of it a
moment after it has acknowledged."""

_Key = tuple[str, str, int]


class Drains:
    """Those under way. In memory only: after a restart each is told, and waited for, anew."""

    def __init__(self, actual: ActualView) -> None:
        self._actual = actual
        self._told: dict[_Key, int] = {}
        """The revision in which the host has heard of a drain."""
        self._known: dict[_Key, float] = {}
        """Since when (monotonic) Envoy has known of it."""

    def told(self, draining: list[Member], revision: int) -> None:
        """These drain, and no others; the host hears of them in `revision` at the latest."""
        keys = {_key(member) for member in draining}
        self._told = {key: self._told.get(key, revision) for key in keys}
        self._known = {key: since for key, since in self._known.items() if key in keys}

    def is_over(self, member: Member, now: float) -> bool:
        """`now` is of the wall clock."""
        if member.drain_until is None:
            return False
        if now >= member.drain_until:
            return True
        key = _key(member)
        if key not in self._told or self._actual.routed < self._told[key]:
            return False
        known = time.monotonic() - self._known.setdefault(key, time.monotonic())
        status = self._actual.target(*key)
        return known >= _SURE_SECONDS and status is not None and status.active == 0


def _key(member: Member) -> _Key:
    return member.group_arn, member.id, member.port
