"""What stands between a call and its service while faults of the API last: delays, refusals, limits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import operation_of
from pavedroad.localcloud.api.services import ApiRequest, Hindrance
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.faults import refusals
from pavedroad.localcloud.faults.model import Fault

_ERRORS: dict[str, Callable[[str], ServiceError]] = {
    "throttling": refusals.throttled,
    "failing": refusals.failing,
    "unavailable": refusals.unavailable,
}


class _Rule(Protocol):
    def judge(self, request: ApiRequest) -> Hindrance: ...


class Gate:
    """Asked by the endpoint for every call, in its event loop, without a lock: rules are replaced whole."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._rules: dict[str, tuple[_Scope, _Rule]] = {}

    def have(self, active: Iterable[Fault]) -> None:
        """These faults last; a limit that goes on keeps its count."""
        known = self._rules
        self._rules = {
            fault.id: known.get(fault.id) or rule
            for fault in active
            if (rule := self._rule(fault)) is not None
        }

    def __call__(self, request: ApiRequest) -> Hindrance | None:
        """What hinders the call, or None. Of several refusals the first counts; delays add up."""
        rules = self._rules
        if not rules:
            return None
        operation: str | None = None
        delay, refusal = 0.0, None
        for scope, rule in tuple(rules.values()):
            if scope.operation and operation is None:
                operation = operation_of(request)
            if not scope.covers(request, operation or ""):
                continue
            found = rule.judge(request)
            delay += found.delay_seconds
            refusal = refusal or found.refusal
        return Hindrance(delay, refusal) if delay or refusal else None

    def _rule(self, fault: Fault) -> tuple[_Scope, _Rule] | None:
        if fault.kind == "region-down":
            return _Scope(region=fault.target), _Broken(1.0, refusals.unavailable, 0.0, self._chance)
        service, _, operation = fault.target.partition(":")
        scope = _Scope(service, operation, fault.text("region"))
        if fault.kind == "api":
            error = _ERRORS.get(fault.text("error"))
            delay = fault.number("delay_ms") / 1000
            return scope, _Broken(fault.number("rate"), error, delay, self._chance)
        if fault.kind == "api-limit":
            rate = fault.number("per_second")
            return scope, _Limited(rate, fault.number("burst") or max(1.0, rate), self._clock)
        return None


@dataclass(frozen=True, slots=True)
class _Scope:
    service: str = ""
    operation: str = ""
    region: str = ""

    def covers(self, request: ApiRequest, operation: str) -> bool:
        return (
            self.service in ("", request.service)
            and self.region in ("", request.region)
            and self.operation in ("", operation)
        )


@dataclass(frozen=True, slots=True)
class _Broken:
    """A share of the calls is late, refused, or both."""

    rate: float
    error: Callable[[str], ServiceError] | None
    delay_seconds: float
    chance: random.Random

    def judge(self, request: ApiRequest) -> Hindrance:
        if self.chance.random() >= self.rate:
            return Hindrance()
        return Hindrance(self.delay_seconds, self.error(request.service) if self.error else None)


class _Limited:
    """A bucket of tokens that fills at a rate; a call without one is throttled."""

    def __init__(self, rate: float, size: float, clock: Clock) -> None:
        self._rate = rate
        self._size = size
        self._clock = clock
        self._tokens = size
        self._at = clock.monotonic()

    def judge(self, request: ApiRequest) -> Hindrance:
        now = self._clock.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return Hindrance(refusal=refusals.throttled(request.service))
        self._tokens -= 1
        return Hindrance()
