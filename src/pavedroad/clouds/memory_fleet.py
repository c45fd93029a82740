"""The memory cloud's server groups and machines, moved on in steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pavedroad.clouds.model import (
    Activity,
    HealthState,
    Instance,
    InstanceState,
    Member,
    ServerGroup,
    ServerGroupSpec,
    TargetHealth,
)
from pavedroad.core.clock import Clock


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an image's instances, in one sentence.

    `refused`: none can be launched. `crashes`: each ends when it should become healthy, and is replaced.
    `unhealthy`: each runs, but no health check succeeds.
    """

    kind: Literal["refused", "crashes", "unhealthy"]
    reason: str


@dataclass(slots=True)
class Machine:
    """An instance; `age` counts the steps since its launch."""

    id: str
    image_id: str
    zone: str
    address: str
    launched_at: datetime
    tags: dict[str, str]
    state: InstanceState = "pending"
    reason: str = ""
    health: HealthState = "initial"
    health_reason: str = "Target registration is in progress"
    age: int = 0

    @property
    def alive(self) -> bool:
        return self.state in {"pending", "running"}

    def end(self, reason: str) -> None:
        self.state, self.reason = "terminated", reason

    def seen(self) -> Instance:
        return Instance(
            self.id,
            self.image_id,
            self.zone,
            self.address,
            self.state,
            self.reason,
            self.launched_at,
            self.tags,
        )

    def member(self) -> Member:
        lifecycle = "Pending" if self.state == "pending" else "InService"
        return Member(self.id, self.zone, lifecycle, "Unhealthy" if self.health == "unhealthy" else "Healthy")

    def target(self, *, in_use: bool) -> TargetHealth:
        if not in_use:
            sentence = "Target group is not configured to receive traffic from the load balancer"
            return TargetHealth(self.id, "unused", sentence)
        return TargetHealth(self.id, self.health, "" if self.health == "healthy" else self.health_reason)


@dataclass(slots=True)
class Group:
    """A server group; its spec never changes, its size may."""

    spec: ServerGroupSpec
    zones: tuple[str, ...]
    minimum: int
    maximum: int
    desired: int
    created_at: datetime
    deleting: bool = False
    machines: list[Machine] = field(default_factory=list[Machine])
    activities: list[Activity] = field(default_factory=list[Activity])

    @property
    def alive(self) -> list[Machine]:
        return [machine for machine in self.machines if machine.alive]

    def seen(self) -> ServerGroup:
        return ServerGroup(
            name=self.spec.name,
            image_id=self.spec.image_id,
            instance_type=self.spec.instance_type,
            zones=self.zones,
            minimum=self.minimum,
            maximum=self.maximum,
            desired=self.desired,
            target_group_ids=self.spec.target_group_ids,
            members=tuple(machine.member() for machine in self.alive),
            suspended=(),
            created_at=self.created_at,
            deleting=self.deleting,
            tags=self.spec.tags,
        )


class Fleet:
    """All groups. A step launches, boots, breaks and ends machines as the groups' sizes and `faults` say."""

    def __init__(self, clock: Clock, boot_steps: int) -> None:
        self.faults: dict[str, Fault] = {}
        self.groups: dict[str, Group] = {}
        self._ended: dict[str, Machine] = {}
        self._clock = clock
        self._boot_steps = boot_steps
        self._made = 0

    def next_number(self) -> int:
        self._made += 1
        return self._made

    def images_in_use(self) -> set[str]:
        """Of all groups, and of the machines that are left of them."""
        machines = {machine.image_id for group in self.groups.values() for machine in group.machines}
        return machines | {group.spec.image_id for group in self.groups.values()}

    def machine(self, instance_id: str) -> Machine | None:
        """A machine that is, or was."""
        alive = (machine for group in self.groups.values() for machine in group.machines)
        return next((machine for machine in alive if machine.id == instance_id), self._ended.get(instance_id))

    def step(self) -> None:
        for group in list(self.groups.values()):
            if group.deleting and not group.machines:
                del self.groups[group.spec.name]
                continue
            for machine in group.alive:
                self._age(group, machine)
            self._bury(group)
            self._resize(group)

    def _age(self, group: Group, machine: Machine) -> None:
        machine.age += 1
        machine.state = "running"
        if machine.age < self._boot_steps:
            return
        fault = self.faults.get(machine.image_id)
        if fault is None or fault.kind == "refused":
            machine.health, machine.health_reason = "healthy", ""
        elif fault.kind == "crashes":
            machine.end(fault.reason)
            self._record(group, "Successful", f"Terminating EC2 instance: {machine.id}", fault.reason)
        else:
            machine.health, machine.health_reason = "unhealthy", fault.reason

    def _bury(self, group: Group) -> None:
        for machine in [machine for machine in group.machines if not machine.alive]:
            self._ended[machine.id] = machine
            group.machines.remove(machine)

    def _resize(self, group: Group) -> None:
        wanted = 0 if group.deleting else group.desired
        alive = group.alive
        for machine in alive[wanted:]:
            machine.end("Client.UserInitiatedShutdown: User initiated shutdown")
            self._record(group, "Successful", f"Terminating EC2 instance: {machine.id}", "")
        for _ in range(wanted - len(alive)):
            self._launch(group)

    def _launch(self, group: Group) -> None:
        fault = self.faults.get(group.spec.image_id)
        if fault is not None and fault.kind == "refused":
            self._record(group, "Failed", "Launching a new EC2 instance", fault.reason)
            return
        number = self.next_number()
        held = [machine.zone for machine in group.alive]
        machine = Machine(
            id=f"i-{number:017x}",
            image_id=group.spec.image_id,
            zone=min(group.zones, key=held.count),
            address=f"127.16.{number // 250}.{number % 250 + 4}",
            launched_at=self._clock.now(),
            tags={**group.spec.tags, "aws:autoscaling:groupName": group.spec.name},
        )
        group.machines.append(machine)
        self._record(group, "Successful", f"Launching a new EC2 instance: {machine.id}", "")

    def _record(self, group: Group, status: str, description: str, message: str) -> None:
        cause = "An instance was started or ended to meet the desired capacity."
        activity = Activity(
            f"activity-{self.next_number()}", status, cause, description, message, self._clock.now()
        )
        group.activities.insert(0, activity)
