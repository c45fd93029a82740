"""Makes instances into guests and their reports into states: looks at all of them, again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

from pavedroad.localcloud.api.ec2.facts import Facts
from pavedroad.localcloud.api.ec2.guests import guest_of
from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.faults.effects import NO_FAULTS
from pavedroad.localcloud.ports import Faults
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Guest, GuestStatus
from pavedroad.localcloud.watch import Watch

_log = logging.getLogger(__name__)

AT_ONCE = 250
"""Instances that are looked at in one hold of the state lock."""
_ABSENT_SECONDS = 1.0
_IMPAIRED_SECONDS = 60.0
_FORGET_AFTER = timedelta(hours=1)
_FORGET_EVERY = 30.0


class Managed(Protocol):
    """An instance as the controller needs it; the moto adapter's is one."""

    impaired: bool

    @property
    def id(self) -> str: ...

    @property
    def availability_zone(self) -> str | None: ...

    @property
    def life(self) -> Life: ...

    @property
    def ends(self) -> bool:
        """Whether it terminates when it shuts itself down."""
        ...

    def take_down(self) -> None: ...


class Fleet(Protocol):
    """Every account's and region's instances."""

    def instances(self) -> Iterator[Managed]:
        """Those that there are when it is first asked; taken with the lock held, a few at a time."""
        ...

    def fingerprint(self, instance: Managed) -> object:
        """Differs whenever the guest that is made of it would. Cheap: taken of all in every pass."""
        ...

    def facts(self, instance: Managed) -> Facts: ...

    def advance(self, now: datetime) -> bool:
        """Do what is due by itself, as spot requests are; whether anything changed."""
        ...

    def forget(self, ended_before: datetime) -> list[str]: ...


class Link(Protocol):
    """The host, as the controller needs it."""

    def guest(self, guest_id: str) -> GuestStatus | None: ...

    def want_guests(self, guests: dict[str, Guest | None]) -> int: ...

    def taken(self, revision: int) -> bool:
        """Whether the host that reports now has been told that revision of what is wanted."""
        ...


class Controller:
    """Level-triggered: every pass looks at the whole, so that nothing missed is lost."""

    def __init__(
        self,
        state: State,
        fleet: Fleet,
        link: Link,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._state = state
        self._fleet = fleet
        self._link = link
        self._now = now
        self._faults = faults
        self._wanted: dict[str, object] = {}
        """Instance id to the fingerprint of the guest that the host was told of."""
        self._dropped: dict[str, int] = {}
        """Instance id to the revision of Wanted that took its guest away."""
        self._absent: dict[str, float] = {}
        self._unreached: dict[str, float] = {}
        self._forgotten_at = 0.0
        self._watch = Watch("instances", state, self.step)

    def start(self) -> None:
        self._watch.start()

    def close(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        """One pass, in turns, so that calls need not wait for all of it."""
        alive: set[str] = set()
        with self._state.lock:
            if self._fleet.advance(self._now()):
                self._state.touch()
            instances = self._fleet.instances()
        while self._look_at_some(instances, alive):
            self._state.give_way()
        with self._state.lock:
            gone = [known for known in self._wanted if known not in alive]
            for instance_id in gone:
                del self._wanted[instance_id]
            self._tell(dict.fromkeys(gone))
            if self._forget(alive):
                self._state.touch()

    def _look_at_some(self, instances: Iterator[Managed], alive: set[str]) -> bool:
        """One turn; whether there may be more to look at."""
        changes: dict[str, Guest | None] = {}
        changed = False
        with self._state.lock:
            some = list(islice(instances, AT_ONCE))
            for instance in some:
                alive.add(instance.id)
                changed |= self._observe(instance)
                try:
                    self._want(instance, changes)
                except Exception:
                    _log.exception("Nothing can be told of %s, and the others go on", instance.id)
            self._tell(changes)
            if changed:
                self._state.touch()
        return len(some) == AT_ONCE

    def _tell(self, changes: dict[str, Guest | None]) -> None:
        if changes:
            revision = self._link.want_guests(changes)
            self._dropped.update(
                dict.fromkeys((key for key, one in changes.items() if one is None), revision)
            )

    def _observe(self, instance: Managed) -> bool:
        life = instance.life
        if life.is_over:
            return False
        failure = self._faults.failure(instance.availability_zone or "")
        failed = bool(failure) and life.fail(failure, self._now(), ends=True)
        guest = self._link.guest(instance.id)
        settled = self._settled(instance, guest)
        changed = life.observe(guest, self._now(), settled=settled, ends=instance.ends) or failed
        if changed and life.is_over and life.wish == "terminate":
            instance.take_down()
        return self._examine(instance, guest) or changed

    def _settled(self, instance: Managed, guest: GuestStatus | None) -> bool:
        """The host was told to drop the guest, and for some time has not spoken of it."""
        revision = self._dropped.get(instance.id)
        never_ran = revision is None and instance.id not in self._wanted
        if guest is not None or not (never_ran or (revision is not None and self._link.taken(revision))):
            self._absent.pop(instance.id, None)
            return False
        since = self._absent.setdefault(instance.id, time.monotonic())
        return time.monotonic() - since >= _ABSENT_SECONDS

    def _examine(self, instance: Managed, guest: GuestStatus | None) -> bool:
        """An instance that should run and has not been seen running for a while is impaired, and so is one
        that a fault keeps from answering."""
        well = instance.life.state != "running" or (guest is not None and guest.state == "running")
        if well:
            self._unreached.pop(instance.id, None)
            impaired = instance.life.state == "running" and self._faults.is_impaired(
                instance.id, instance.availability_zone or ""
            )
        else:
            since = self._unreached.setdefault(instance.id, time.monotonic())
            impaired = time.monotonic() - since > _IMPAIRED_SECONDS
        if impaired == instance.impaired:
            return False
        instance.impaired = impaired
        return True

    def _want(self, instance: Managed, changes: dict[str, Guest | None]) -> None:
        life = instance.life
        if not life.keeps_disk:
            if self._wanted.pop(instance.id, None) is not None:
                changes[instance.id] = None
            return
        afflictions = self._faults.afflictions(instance.id, instance.availability_zone or "")
        fingerprint = (life.should_run, life.failed, afflictions, self._fleet.fingerprint(instance))
        if self._wanted.get(instance.id) != fingerprint:
            self._wanted[instance.id] = fingerprint
            self._dropped.pop(instance.id, None)
            changes[instance.id] = guest_of(
                self._fleet.facts(instance),
                running=life.should_run,
                failed=life.failed,
                afflictions=afflictions,
            )

    def _forget(self, alive: set[str]) -> bool:
        if time.monotonic() - self._forgotten_at < _FORGET_EVERY:
            return False
        self._forgotten_at = time.monotonic()
        forgotten = self._fleet.forget(self._now() - _FORGET_AFTER)
        alive.difference_update(forgotten)
        for known in (self._dropped, self._absent, self._unreached):
            for gone in [it for it in known if it not in alive]:
                del known[gone]
        return bool(forgotten)
