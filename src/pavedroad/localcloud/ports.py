"""What AutoScaling asks of EC2 and of the load balancers, inside the API process.

Every call is made with the state lock held (`pavedroad.localcloud.state.State.lock`), waits for nothing,
and works within one region.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class LaunchData:
    """A launch template version's data, or what an instance brings of its own, as EC2 has it."""

    image_id: str
    instance_type: str
    user_data: str = ""
    """Base64."""
    key_name: str | None = None
    security_group_ids: tuple[str, ...] = ()
    instance_profile_arn: str | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LaunchTemplateVersion:
    template_id: str
    template_name: str
    version: str
    """The number that `$Latest` or `$Default` stood for."""
    data: LaunchData


@dataclass(frozen=True, slots=True)
class Machine:
    """An EC2 instance as groups see it."""

    id: str
    zone: str
    subnet_id: str
    state: Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]
    state_reason: str
    image_id: str
    instance_type: str
    launched_at: datetime
    impaired: bool
    """A status check has failed: the process runs but its machine does not do well."""


class Compute(Protocol):
    """EC2, for groups. Refusals are raised as AWS errors (`ServiceError` with code and message)."""

    def launch_template(self, id_or_name: str, version: str) -> LaunchTemplateVersion:
        """`version` is a number, `$Latest` or `$Default`."""
        ...

    def image_exists(self, image_id: str) -> bool: ...

    def zones(self) -> tuple[str, ...]: ...

    def subnet_zone(self, subnet_id: str) -> str: ...

    def default_subnet(self, zone: str) -> str: ...

    def launch(self, data: LaunchData, *, subnet_id: str, tags: dict[str, str]) -> Machine:
        """One instance, pending."""
        ...

    def terminate(self, instance_id: str, reason: str) -> None:
        """Gone already is fine."""
        ...

    def machine(self, instance_id: str) -> Machine | None:
        """None where EC2 never knew it, or has forgotten it."""
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """A target in a target group: `state` and `reason` are ELBv2's words."""

    state: Literal["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]
    reason: str
    description: str


class Balancers(Protocol):
    """ELBv2, for groups."""

    def target_group_exists(self, arn: str) -> bool: ...

    def register(self, arn: str, instance_id: str) -> None:
        """Idempotent."""
        ...

    def deregister(self, arn: str, instance_id: str) -> None:
        """Starts draining; idempotent."""
        ...

    def registrations(self, arn: str) -> dict[str, Registration]:
        """By instance id; a target that has drained is no longer there."""
        ...


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    vpc_id: str
    zone: str


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface made for a load balancer; its address is its own until it is given back."""

    id: str
    address: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An instance as a target: where it listens, and whether it runs at all."""

    id: str
    vpc_id: str
    zone: str
    address: str
    state: Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]


class Network(Protocol):
    """EC2, for load balancers."""

    def vpc_exists(self, vpc_id: str) -> bool: ...

    def subnet(self, subnet_id: str) -> Subnet | None: ...

    def security_group_vpc(self, group_id: str) -> str | None:
        """The VPC of a security group; None where there is no such group."""
        ...

    def default_security_group(self, vpc_id: str) -> str: ...

    def take_address(self, subnet_id: str, description: str) -> Interface:
        """A free address of the subnet, that no instance will get."""
        ...

    def give_back(self, interface_id: str) -> None:
        """Gone already is fine."""
        ...

    def endpoint(self, instance_id: str) -> Endpoint | None:
        """None where EC2 never knew the instance, or has forgotten it."""
        ...
