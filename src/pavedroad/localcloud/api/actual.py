"""What the host last said is true, kept by key so that a report costs only what it brings."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from pavedroad.core.networking import Listening
from pavedroad.localcloud.wanted import Actual, ActualChange, GuestStatus, TargetStatus

TargetKey = tuple[str, str, int]
"""Target group ARN, target id, port."""


class ActualView:
    """Read from any thread, written by the link. Readers see each report whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guests: dict[str, GuestStatus] = {}
        self._targets: dict[TargetKey, TargetStatus] = {}
        self._refused: dict[str, str] = {}
        self._impaired: dict[str, str] = {}
        self._listening: Listening | None = None
        self._troubled_at = 0
        """The revision routed at which these two were as they are, at least."""
        self._epoch = ""
        self._revision = 0
        self._routed = 0
        self._most_routed = 0
        self._lost_at: datetime | None = None

    @property
    def lost_at(self) -> datetime | None:
        """Since when the host has not answered, or its balancers have not been what they were: what was said
        before may be true no more. None while all is well, and before there was a host."""
        return self._lost_at

    def lose(self) -> None:
        """The host does not answer."""
        if self._epoch and self._lost_at is None:
            self._lost_at = datetime.now(UTC)

    @property
    def epoch(self) -> str:
        """The host process that spoke last; empty before any did."""
        return self._epoch

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def routed(self) -> int:
        return self._routed

    def guest(self, guest_id: str) -> GuestStatus | None:
        return self._guests.get(guest_id)

    def guests(self) -> dict[str, GuestStatus]:
        with self._lock:
            return dict(self._guests)

    def target(self, pool_arn: str, target_id: str, port: int) -> TargetStatus | None:
        return self._targets.get((pool_arn, target_id, port))

    def refused(self, front_arn: str) -> str | None:
        """Why a listener could not be opened."""
        return self._refused.get(front_arn)

    @property
    def listening(self) -> Listening | None:
        """Where guests' services listen that ask for every address; None before the host has said it."""
        return self._listening

    def impaired(self, front_arn: str) -> str | None:
        """Why a listener does not serve all that it should."""
        return self._impaired.get(front_arn)

    def troubles(self) -> dict[str, str]:
        """What is wrong with listeners, by their ARNs."""
        return {**self._impaired, **self._refused}

    def any_refusal(self) -> str | None:
        """Why some listener could not be opened; without Envoy it is the reason for all of them."""
        return next(iter(self._refused.values()), None)

    def forget_target(self, pool_arn: str, target_id: str, port: int) -> None:
        """Drop what was said of a target that is no longer wanted, so that its return begins anew."""
        with self._lock:
            self._targets.pop((pool_arn, target_id, port), None)

    def trouble(self, refused: dict[str, str], impaired: dict[str, str], routed: int = 0) -> None:
        """What the host answers beside its reports: one from before Envoy had `routed` says no more of it."""
        with self._lock:
            self._refused, self._impaired = dict(refused), dict(impaired)
            self._troubled_at = max(self._troubled_at, routed)

    def replace(self, actual: Actual) -> ActualChange | None:
        """Take a whole report; gives what is news in it, or None where nothing is."""
        with self._lock:
            guests = {guest.id: guest for guest in actual.guests}
            gone = tuple(self._guests.keys() - guests.keys())
            news = self._news(actual.targets)
            fresh = self._is_fresh(actual)
            changed = guests != self._guests
            self._guests = guests
            self._targets = {_key(it): it for it in actual.targets}
            self._head(actual)
        if not (fresh or changed or news):
            return None
        return ActualChange(
            actual.epoch,
            actual.revision,
            actual.routed,
            actual.guests,
            news,
            actual.refused,
            gone,
            actual.impaired,
        )

    def merge(self, change: ActualChange) -> ActualChange | None:
        """Take what changed; gives what is news in it, or None where nothing is."""
        with self._lock:
            news = self._news(change.targets)
            fresh = self._is_fresh(change)
            for guest_id in change.gone:
                self._guests.pop(guest_id, None)
            self._guests.update((guest.id, guest) for guest in change.guests)
            self._targets.update((_key(it), it) for it in change.targets)
            self._head(change)
        if not (fresh or news or change.guests or change.gone):
            return None
        return replace(change, targets=news)

    def _news(self, targets: Iterable[TargetStatus]) -> tuple[TargetStatus, ...]:
        """Those whose health has changed: how much is in flight to them is no news."""
        return tuple(it for it in targets if _health(it) != _health(self._targets.get(_key(it))))

    def _head(self, report: Actual | ActualChange) -> None:
        self._most_routed = max(self._most_routed, report.routed)
        if report.routed >= self._most_routed:
            self._lost_at = None
        if report.epoch != self._epoch or report.routed >= self._troubled_at:
            self._refused, self._impaired = dict(report.refused), dict(report.impaired)
            self._troubled_at = report.routed
        self._epoch, self._revision, self._routed = report.epoch, report.revision, report.routed
        if isinstance(report, Actual):
            self._listening = report.listening

    def _is_fresh(self, report: Actual | ActualChange) -> bool:
        known = (self._epoch, self._refused, self._impaired)
        return (report.epoch, report.refused, report.impaired) != known


def _key(status: TargetStatus) -> TargetKey:
    return status.pool_arn, status.target_id, status.port


def _health(status: TargetStatus | None) -> tuple[str, str, str] | None:
    return None if status is None else (status.state, status.reason, status.description)
