"""A bench under load, whose instances are measured and whose alarms are looked at each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.ports import Sample
from tests.localcloud.autoscaling.bench import Bench


class Loaded:
    """A bench under load: instances boot in `boot_seconds`; each minute the mean use of those in service is
    measured (in percent of one instance; at most 100), told `every` so many minutes as EC2 does, and the
    alarms are looked at: by a stand-in, or by `cloudwatch`."""

    def __init__(
        self,
        bench: Bench,
        load: Callable[[float], float],
        *,
        most: float = 100,
        warm_only: bool = True,
        every: int = 1,
        cloudwatch: Monitoring | None = None,
    ) -> None:
        self.every = every
        self.cloudwatch = cloudwatch
        self.untold: list[float] = []
        self.bench = bench
        self.load = load
        self.most = most
        self.warm_only = warm_only
        self.elapsed = 0.0
        self.desired: list[int] = []
        self.uses: list[float] = []
        self.boot_seconds = 40

    def run(self, minutes: int) -> None:
        for _ in range(minutes):
            for _ in range(6):
                self._ten_seconds()
            self._minute()

    def _ten_seconds(self) -> None:
        self.bench.clock.advance(10)
        self.elapsed += 10
        compute = self.bench.compute
        young = self.bench.clock.now() - timedelta(seconds=self.boot_seconds)
        for machine in list(compute.machines.values()):
            if machine.state == "pending" and machine.launched_at <= young:
                compute.machines[machine.id] = replace(machine, state="running")
        self.bench.balancers.drained()
        if self.bench.service.step():
            self.bench.service.step()
        if self.cloudwatch:
            self.cloudwatch.step()

    def _minute(self) -> None:
        now = self.bench.clock.now()
        serving = self.bench.members()
        use = min(self.most, 100 * self.load(self.elapsed / 60) / max(1, len(serving)))
        measured = [m for m in serving if not self.warm_only or self.warm(m, now)]
        if measured:
            self.untold.append(use)
        minute = int(now.timestamp()) // 60
        if self.untold and minute % self.every == 0:
            at, values = (minute - self.every) * 60.0, tuple(self.untold)
            self.untold = []
            sample = Sample("CPUUtilization", {"AutoScalingGroupName": "web"}, at, values)
            self.bench.metrics.publish("AWS/EC2", [sample])
        self.uses.append(use)
        if self.cloudwatch is None:
            self.bench.metrics.look(self.bench.service, now.timestamp())
        self.desired.append(self.bench.group().desired)

    @staticmethod
    def warm(member: Any, now: Any) -> bool:
        return now >= member.in_service_at + timedelta(seconds=member.warmup_seconds)

    @property
    def turns(self) -> int:
        """How often it changed direction."""
        moves = [after - before for before, after in pairwise(self.desired) if after != before]
        return sum((one > 0) != (other > 0) for one, other in pairwise(moves))
