"""What the platform says to a cloud and hears from it: values without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

HealthState = Literal["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]
InstanceState = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image to register: `bucket/key` of its manifest, and what its tags say of it."""

    name: str
    location: str
    description: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    name: str
    state: str
    created_at: datetime
    tags: dict[str, str]
    location: str = ""
    """`bucket/key` of its manifest, where it has one."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target group asks an instance whether it is well. `matcher` is e.g. `200-399`."""

    path: str = "/"
    interval_seconds: int = 5
    timeout_seconds: int = 2
    healthy_threshold: int = 2
    unhealthy_threshold: int = 2
    matcher: str = "200-399"


@dataclass(frozen=True, slots=True)
class TargetGroupSpec:
    """`name` has at most 32 letters, digits and hyphens. `known_by` are those of its tags by which its maker
    knows it again."""

    name: str
    port: int
    health_check: HealthCheck
    deregistration_delay_seconds: int
    tags: dict[str, str]
    known_by: dict[str, str]


@dataclass(frozen=True, slots=True)
class TargetGroup:
    id: str
    name: str
    port: int
    health_check: HealthCheck
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """An instance as the load balancer sees it; `reason` is one sentence, empty when healthy."""

    instance_id: str
    state: HealthState
    reason: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A balancer's port. `weights` maps a target group's id to its share of the traffic."""

    id: str
    port: int
    weights: dict[str, int]


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer; `url` opens in any client on this network."""

    id: str
    name: str
    url: str
    listeners: tuple[Listener, ...]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class ServerGroupSpec:
    """A server group to create; the target group must exist.

    `health_grace_seconds` shields booting instances. `known_by` are those of its tags by which its maker
    knows it again.
    """

    name: str
    image_id: str
    instance_type: str
    zones: tuple[str, ...]
    minimum: int
    maximum: int
    desired: int
    target_group_ids: tuple[str, ...]
    health_grace_seconds: int
    user_data: str
    tags: dict[str, str]
    known_by: dict[str, str]


@dataclass(frozen=True, slots=True)
class Instance:
    id: str
    image_id: str
    zone: str
    address: str
    state: InstanceState
    state_reason: str
    launched_at: datetime
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Member:
    """An instance as its server group sees it: `lifecycle` and `health` are AutoScaling's words."""

    instance_id: str
    zone: str
    lifecycle: str
    health: str


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """A server group as the cloud has it. `deleting` is true from its deletion until it is gone."""

    name: str
    image_id: str
    instance_type: str
    zones: tuple[str, ...]
    minimum: int
    maximum: int
    desired: int
    target_group_ids: tuple[str, ...]
    members: tuple[Member, ...]
    suspended: tuple[str, ...]
    created_at: datetime
    deleting: bool
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a server group did or tried: `status` is AutoScaling's code, `message` its own reason."""

    id: str
    status: str
    cause: str
    description: str
    message: str
    started_at: datetime
