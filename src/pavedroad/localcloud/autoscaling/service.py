"""Auto Scaling as the endpoint and the launcher see it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import (
    ApiRequest,
    ApiResponse,
    BalancersOf,
    ComputeOf,
    MetricsOf,
    QueuesOf,
    TopicsOf,
)
from pavedroad.localcloud.autoscaling import journal, lengths, warmup
from pavedroad.localcloud.autoscaling.call import Call, Result
from pavedroad.localcloud.autoscaling.controller import Controller
from pavedroad.localcloud.autoscaling.group_pass import GroupPass
from pavedroad.localcloud.autoscaling.model import FORM, Region, known_once
from pavedroad.localcloud.autoscaling.operations import OPERATIONS
from pavedroad.localcloud.autoscaling.policies import deciding, owners
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.modelled import Wire
from pavedroad.localcloud.ports import AlarmSignal
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)

Regions = dict[tuple[str, str], Region]
"""By account and region."""


class AutoScaling:
    """A `Service` and `Durable` of the endpoint, with a controller that `start` sets going."""

    form = FORM

    def __init__(
        self,
        state: State,
        compute: ComputeOf,
        balancers: BalancersOf,
        clock: Clock,
        *,
        metrics: MetricsOf,
        topics: TopicsOf,
        queues: QueuesOf,
    ) -> None:
        self._state = state
        self._compute = compute
        self._balancers = balancers
        self._metrics = metrics
        self._topics = topics
        self._queues = queues
        self._clock = clock
        self._regions: Regions = {}
        self._generation = 0
        self._wire = Wire("autoscaling", lengths.check)
        self._controller = Controller(state, self._passes, lambda: self._generation)

    @property
    def name(self) -> str:
        return "autoscaling"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def zone_returned(self, zone: str) -> None:
        """EC2 has capacity there again: whoever was refused need not wait before trying again. Called with
        the state lock held."""
        for region in self._regions.values():
            for group in region.groups.values():
                group.refusing_zones.pop(zone, None)

    def step(self) -> bool:
        """One look at every group, in the caller's thread. Says whether anything was changed."""
        return self._controller.step()

    def handle(self, request: ApiRequest) -> ApiResponse:
        try:
            operation, parameters = self._wire.read(request)
            result = self.call(request.account, request.region, operation, parameters)
            return self._wire.write(request, operation, result or {})
        except ServiceError as error:
            return error_response(request, error)
        except Exception:
            _log.exception("A call of Auto Scaling failed")
            return error_response(request, internal_failure())

    def call(self, account: str, region: str, operation: str, parameters: dict[str, Any]) -> Result:
        """One operation, its parameters checked already. Nothing is changed where it raises."""
        perform = OPERATIONS.get(operation)
        if perform is None:
            raise ServiceError("UnsupportedOperation", f"{operation} is not offered by this cloud yet.")
        with self._state.lock:
            call = Call(
                region=self._region(account, region),
                compute=self._compute(account, region),
                balancers=self._balancers(account, region),
                metrics=self._metrics(account, region),
                topics=self._topics(account, region),
                parameters=parameters,
                now=self._clock.now(),
                queues=self._queues(account, region),
            )
            result = perform(call)
            if not reads(operation):
                self._generation += 1
                self._state.touch()
            return result

    def alarmed(self, policy_arn: str, signal: AlarmSignal) -> None:
        """As `ports.Scaling` has it."""
        with self._state.lock:
            group, policy = owners.of_policy(self._regions, policy_arn)
            if deciding.on_alarm(group, policy, signal, self._clock.now()):
                self._generation += 1
                self._state.touch()

    def warming(self) -> frozenset[str]:
        """The instances that do not count yet in what is measured of their groups."""
        now = self._clock.now()
        with self._state.lock:
            return frozenset(
                member.id
                for region in self._regions.values()
                for group in region.groups.values()
                for member in group.members.values()
                if member.warmup_seconds and member.in_capacity and not warmup.is_warm(member, now)
            )

    def dump(self) -> tuple[Region, ...]:
        return tuple(self._regions.values())

    def load(self, saved: Any) -> None:
        known_once(saved)
        self._regions = {(region.account, region.name): region for region in saved}
        self._generation += 1

    def region(self, account: str, region: str) -> Region:
        """What is kept there, for whoever inspects it in the process."""
        return self._region(account, region)

    def _region(self, account: str, region: str) -> Region:
        return self._regions.setdefault((account, region), Region(account, region))

    def _passes(self) -> Iterator[GroupPass]:
        now = self._clock.now()
        for (account, name), region in self._regions.items():
            journal.forget_old(region, now)
            compute, balancers = self._compute(account, name), self._balancers(account, name)
            metrics, topics = self._metrics(account, name), self._topics(account, name)
            queues = self._queues(account, name)
            for group in region.groups.values():
                yield GroupPass(region, group, compute, balancers, metrics, topics, now, queues)
