"""EC2 and ELBv2 in memory, as groups see them: nothing runs, and every failure can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from pavedroad.core.numbers import whole
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData, LaunchTemplateVersion, Machine, Registration

Now = Callable[[], datetime]


def instance_type(name: str, vcpus: int, gigabytes: int, **more: Any) -> Mapping[str, Any]:
    """As much of EC2's description as groups look at."""
    return {
        "InstanceType": name,
        "CurrentGeneration": True,
        "BareMetal": False,
        "BurstablePerformanceSupported": name.startswith("t"),
        "HibernationSupported": False,
        "InstanceStorageSupported": False,
        "SupportedUsageClasses": ["on-demand", "spot"],
        "VCpuInfo": {"DefaultVCpus": vcpus},
        "MemoryInfo": {"SizeInMiB": gigabytes * 1024},
        "ProcessorInfo": {"Manufacturer": "Intel", "SupportedArchitectures": ["x86_64"]},
        **more,
    }


@dataclass(slots=True)
class MemoryCompute:
    """A `Compute`. Machines stay pending until `run`. `refusals` refuse launches: by zone, by instance type,
    by `zone/type/market`, or all of them (`*`)."""

    now: Now
    zone_names: tuple[str, ...] = ("us-east-1a", "us-east-1b", "us-east-1c")
    templates: dict[str, list[LaunchData]] = field(default_factory=dict[str, list[LaunchData]])
    """By name; the id of template `web` is `lt-web`. Versions count from 1; version 1 is the default."""
    machines: dict[str, Machine] = field(default_factory=dict[str, Machine])
    types: dict[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            name: instance_type(name, vcpus, gigabytes)
            for name, vcpus, gigabytes in (
                ("t3.micro", 2, 1),
                ("t3.small", 2, 2),
                ("m5.large", 2, 8),
                ("m5.xlarge", 4, 16),
                ("c5.large", 2, 4),
                ("c5.2xlarge", 8, 16),
                ("r5.large", 2, 16),
            )
        }
    )
    launched: dict[str, LaunchData] = field(default_factory=dict[str, LaunchData])
    tags: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    refusals: dict[str, ServiceError] = field(default_factory=dict[str, ServiceError])
    target_states: dict[str, str] = field(default_factory=dict[str, str])
    slow_to_end: bool = False
    """Terminated machines stay in `shutting-down` until `finish`."""
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def launch_template(self, id_or_name: str, version: str) -> LaunchTemplateVersion:
        name = id_or_name.removeprefix("lt-")
        versions = self.templates.get(name)
        if versions is None:
            raise ServiceError(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {id_or_name}, does not exist.",
            )
        number = {"$Latest": len(versions), "$Default": 1}.get(version) or whole(version)
        if not 1 <= number <= len(versions):
            raise ServiceError(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find the specified version {version} for the launch template with ID lt-{name}.",
            )
        return LaunchTemplateVersion(f"lt-{name}", name, str(number), versions[number - 1])

    def architecture(self, image_id: str) -> str:
        return "arm64" if image_id.endswith("arm") else "x86_64"

    def image_exists(self, image_id: str) -> bool:
        return not image_id.endswith("gone")

    def instance_types(self) -> Mapping[str, Mapping[str, Any]]:
        return self.types

    def check(self, data: LaunchData) -> None:
        if not self.image_exists(data.image_id):
            raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{data.image_id}]' does not exist")
        if data.instance_type not in self.types:
            raise ServiceError(
                "InvalidParameterValue", f"Invalid value '{data.instance_type}' for InstanceType."
            )

    def launched_from(self, instance_id: str) -> LaunchData | None:
        return self.launched.get(instance_id)

    def zones(self) -> tuple[str, ...]:
        return self.zone_names

    def zone_ids(self) -> Mapping[str, str]:
        return {zone: f"use1-az{number}" for number, zone in enumerate(self.zone_names, start=1)}

    def subnet_zone(self, subnet_id: str) -> str:
        zone = subnet_id.removeprefix("subnet-").split(".")[0]
        if zone not in self.zone_names:
            raise ServiceError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
        return zone

    def subnet_vpc(self, subnet_id: str) -> str:
        return "vpc-other" if subnet_id.endswith(".other") else "vpc-1"

    def default_subnet(self, zone: str) -> str:
        return f"subnet-{zone}"

    def check_placement(self, placement: Mapping[str, Any]) -> None:
        if named := placement.get("GroupName"):
            raise ServiceError("InvalidPlacementGroup.Unknown", f"The Placement Group '{named}' is unknown.")

    def launch(
        self,
        data: LaunchData,
        *,
        subnet_id: str,
        tags: dict[str, str],
        placement: Mapping[str, Any] | None = None,
    ) -> Machine:
        zone = self.subnet_zone(subnet_id)
        pool = f"{zone}/{data.instance_type}/{data.market}"
        for refusing in (zone, "*", data.instance_type, pool):
            if refusing in self.refusals:
                raise self.refusals[refusing]
        machine = Machine(
            id=f"i-{next(self._numbers):017x}",
            zone=zone,
            subnet_id=subnet_id,
            state="pending",
            state_reason="",
            image_id=data.image_id,
            instance_type=data.instance_type,
            launched_at=self.now(),
            impaired=False,
            market=data.market,
        )
        self.launched[machine.id] = data
        self.machines[machine.id] = machine
        self.tags[machine.id] = tags
        return machine

    def show_target_state(self, instance_id: str, state: str) -> None:
        self.target_states[instance_id] = state

    def stop(self, instance_id: str) -> None:
        machine = self.machines[instance_id]
        if machine.state in ("pending", "running"):
            state = "stopping" if self.slow_to_end else "stopped"
            self.machines[instance_id] = replace(machine, state=state)

    def start(self, instance_id: str) -> None:
        machine = self.machines[instance_id]
        if machine.state in ("pending", "running"):
            return
        for refusing in (machine.zone, "*"):
            if refusing in self.refusals:
                raise self.refusals[refusing]
        if machine.state != "stopped":
            raise ServiceError("IncorrectInstanceState", f"The instance '{instance_id}' is not stopped.")
        self.machines[instance_id] = replace(machine, state="pending")

    def terminate(self, instance_id: str, reason: str) -> None:
        machine = self.machines.get(instance_id)
        if machine and machine.state != "terminated":
            ending = "shutting-down" if self.slow_to_end else "terminated"
            self.machines[instance_id] = replace(machine, state=ending, state_reason=reason)

    def machine(self, instance_id: str) -> Machine | None:
        return self.machines.get(instance_id)

    def run(self) -> None:
        """All pending machines come to run."""
        for machine in list(self.machines.values()):
            if machine.state == "pending":
                self.machines[machine.id] = replace(machine, state="running")

    def crash(self, instance_id: str, reason: str) -> None:
        machine = self.machines[instance_id]
        self.machines[instance_id] = replace(machine, state="terminated", state_reason=reason)

    def reboot(self, instance_id: str) -> None:
        """It is pending again until `run`, as after a restart of the whole cloud."""
        self.machines[instance_id] = replace(self.machines[instance_id], state="pending")

    def impair(self, instance_id: str) -> None:
        self.machines[instance_id] = replace(self.machines[instance_id], impaired=True)

    def recommend_rebalance(self, instance_id: str) -> None:
        machine = self.machines[instance_id]
        self.machines[instance_id] = replace(machine, rebalance_recommended=True)

    def warn_of_interruption(self, instance_id: str) -> None:
        """The notice; the interruption itself is `interrupt`."""
        self.machines[instance_id] = replace(self.machines[instance_id], interrupted=True)

    def interrupt(self, instance_id: str) -> None:
        self.warn_of_interruption(instance_id)
        self.crash(instance_id, "Server.SpotInstanceTermination: Spot instance termination")

    def finish(self) -> None:
        """All that are shutting down are terminated, all that are stopping are stopped."""
        for machine in list(self.machines.values()):
            if machine.state == "shutting-down":
                self.machines[machine.id] = replace(machine, state="terminated")
            elif machine.state == "stopping":
                self.machines[machine.id] = replace(machine, state="stopped")

    def alive(self) -> set[str]:
        return {m.id for m in self.machines.values() if m.state in ("pending", "running")}


@dataclass(slots=True)
class MemoryBalancers:
    """A `Balancers`. With `slow_to_drain` targets drain until `drained`."""

    target_groups: dict[str, dict[str, Registration]] = field(
        default_factory=dict[str, dict[str, Registration]]
    )
    slow_to_drain: bool = False

    def exists(self, source: str) -> bool:
        return source in self.target_groups

    def register(self, source: str, instance_id: str) -> None:
        targets = self._targets(source)
        if instance_id not in targets or targets[instance_id].state == "draining":
            targets[instance_id] = Registration("initial", "Elb.InitialHealthChecking", "")

    def deregister(self, source: str, instance_id: str) -> None:
        targets = self._targets(source)
        if instance_id not in targets:
            return
        if self.slow_to_drain:
            targets[instance_id] = Registration("draining", "Target.DeregistrationInProgress", "")
        else:
            del targets[instance_id]

    def registrations(self, source: str) -> dict[str, Registration]:
        return dict(self._targets(source))

    def report(self, arn: str, instance_id: str, *, healthy: bool) -> None:
        """What the health check of a target has come to."""
        reason = "" if healthy else "Target.FailedHealthChecks"
        state = "healthy" if healthy else "unhealthy"
        self.target_groups[arn][instance_id] = Registration(state, reason, "")

    def drained(self) -> None:
        for targets in self.target_groups.values():
            for id_ in [id_ for id_, target in targets.items() if target.state == "draining"]:
                del targets[id_]

    def _targets(self, arn: str) -> dict[str, Registration]:
        if arn not in self.target_groups:
            raise ServiceError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return self.target_groups[arn]
