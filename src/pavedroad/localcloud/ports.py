"""What the private cloud's services ask of each other, inside the API process.

Every call is made with the state lock held (`pavedroad.localcloud.state.State.lock`), waits for nothing,
and works within one account and region.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

from pavedroad.localcloud.wanted import Affliction, Certificate


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
    market: Literal["on-demand", "spot"] = "on-demand"
    spot_max_price: str = ""
    """Dollars an hour; empty where the on-demand price is the most."""
    metadata_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """EC2's structure (`HttpTokens`, ...)."""
    monitored: bool = False
    """In detail: every minute."""
    ebs_optimized: bool = False


@dataclass(frozen=True, slots=True)
class LaunchTemplateVersion:
    template_id: str
    template_name: str
    version: str
    """The number that `$Latest` or `$Default` stood for."""
    data: LaunchData
    placement: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """EC2's structure (`GroupName`, ...)."""


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
    market: Literal["on-demand", "spot"] = "on-demand"
    rebalance_recommended: bool = False
    """A spot instance that is likely to be interrupted soon."""
    interrupted: bool = False
    """A spot instance that has its interruption notice, or has been interrupted."""


class Compute(Protocol):
    """EC2, for groups. Refusals are raised as AWS errors (`ServiceError` with code and message)."""

    def launch_template(self, id_or_name: str, version: str) -> LaunchTemplateVersion:
        """`version` is a number, `$Latest` or `$Default`."""
        ...

    def image_exists(self, image_id: str) -> bool: ...

    def architecture(self, image_id: str) -> str:
        """`x86_64` or `arm64`; of an image that is gone, whatever."""
        ...

    def instance_types(self) -> Mapping[str, Mapping[str, Any]]:
        """EC2's descriptions of the types that it offers, by name, in DescribeInstanceTypes' structure."""
        ...

    def check(self, data: LaunchData) -> None:
        """Refuses what `launch` would refuse in whatever subnet."""
        ...

    def launched_from(self, instance_id: str) -> LaunchData | None:
        """What the instance is, for launching more like it; None as in `machine`."""
        ...

    def zones(self) -> tuple[str, ...]: ...

    def zone_ids(self) -> Mapping[str, str]:
        """The zones' ids by their names."""
        ...

    def subnet_zone(self, subnet_id: str) -> str: ...

    def subnet_vpc(self, subnet_id: str) -> str: ...

    def default_subnet(self, zone: str) -> str: ...

    def launch(
        self,
        data: LaunchData,
        *,
        subnet_id: str,
        tags: dict[str, str],
        placement: Mapping[str, Any] | None = None,
    ) -> Machine:
        """One instance, pending. `placement` is EC2's structure, without the zone."""
        ...

    def check_placement(self, placement: Mapping[str, Any]) -> None:
        """Refuses what there is not."""
        ...

    def show_target_state(self, instance_id: str, state: str) -> None:
        """What the instance reads at its metadata service as `autoscaling/target-lifecycle-state`."""
        ...

    def stop(self, instance_id: str) -> None:
        """It keeps its disk and its addresses. Stopped already is fine."""
        ...

    def start(self, instance_id: str) -> None:
        """A stopped instance is pending again, with the same id. Running already is fine."""
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
    """Load balancing, for groups. A source of traffic is a target group, by its ARN, or a classic load
    balancer, by its name."""

    def exists(self, source: str) -> bool: ...

    def register(self, source: str, instance_id: str) -> None:
        """Idempotent."""
        ...

    def deregister(self, source: str, instance_id: str) -> None:
        """Starts draining; idempotent."""
        ...

    def registrations(self, source: str) -> dict[str, Registration]:
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


class Certificates(Protocol):
    """ACM, for load balancers."""

    def certificate(self, arn: str) -> Certificate | None:
        """With its private key. None where there is no such certificate, or none that is issued."""
        ...


class Network(Protocol):
    """EC2, for load balancers."""

    def vpc_exists(self, vpc_id: str) -> bool: ...

    def subnet(self, subnet_id: str) -> Subnet | None: ...

    def default_subnet(self, zone: str) -> Subnet | None: ...

    def security_group_name(self, group_id: str) -> str:
        """Empty where there is no such group."""
        ...

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

    def place(self, vpc_id: str, address: str) -> str:
        """Where an address of a VPC really is; most are where they say."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured of one metric around `at` (seconds since the epoch): values, and how often each was
    seen. `counts` is empty where every value was seen once."""

    name: str
    dimensions: Mapping[str, str]
    at: float
    values: tuple[float, ...]
    counts: tuple[float, ...] = ()
    unit: str = "None"


@dataclass(frozen=True, slots=True)
class AlarmSignal:
    """An alarm that is in the state whose action is to be taken. `value` is the newest datapoint that made it
    so, None where data was missing; `threshold` is None for alarms that have none."""

    name: str
    arn: str
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    reason: str
    at: datetime
    value: float | None
    threshold: float | None
    values: tuple[float, ...] = ()
    """All datapoints that were evaluated, oldest first, where they are known."""
    measured_at: datetime | None = None
    """When the period of `value` began."""


class Metrics(Protocol):
    """CloudWatch, for those who publish and for Auto Scaling."""

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
        """Never refuses: what the cloud publishes about itself is well-formed."""
        ...

    def statistics(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str,
        period_seconds: int,
        since: float,
        until: float,
    ) -> list[tuple[float, float]]:
        """Aligned datapoints, oldest first: the period's start and the statistic over it. `statistic` is
        AWS's: `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, `p99.9`."""
        ...

    def put_alarm(self, parameters: Mapping[str, Any]) -> str:
        """PutMetricAlarm with its own parameters; gives the alarm's ARN."""
        ...

    def delete_alarms(self, names: Iterable[str]) -> None:
        """Gone already is fine."""
        ...

    def alarm_states(self, names: Iterable[str]) -> Mapping[str, str]:
        """By name the states (`OK`, `ALARM`, `INSUFFICIENT_DATA`) of those alarms that exist, composite
        ones too."""
        ...

    def alarms_naming(self, action_arn: str) -> list[tuple[str, str]]:
        """Name and ARN of every alarm one of whose actions is `action_arn`, by name."""
        ...

    def forget_action(self, action_arn: str, *, with_alarms: bool = False) -> None:
        """No alarm has this action any more; with `with_alarms` those that have none left are deleted."""
        ...


class Scaling(Protocol):
    """Auto Scaling, for alarms."""

    def alarmed(self, policy_arn: str, signal: AlarmSignal) -> None:
        """Called when an alarm comes into the state whose action names the policy, and again every minute
        while it stays there. Raises `ServiceError` where the policy is not known or refuses."""
        ...


class Topics(Protocol):
    """SNS, for those who notify."""

    def exists(self, topic_arn: str) -> bool: ...

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        """Returns at once; subscribers are reached (and HTTP endpoints retried) from another thread."""
        ...


class Queues(Protocol):
    """SQS, for those who notify."""

    def exists(self, queue_arn: str) -> bool: ...

    def send(self, queue_arn: str, message: str, more: Mapping[str, Any] | None = None) -> None:
        """`more` are further parameters of SendMessage. `ServiceError` where it cannot be sent."""
        ...


class Objects(Protocol):
    """S3, for those who read from it and write to it."""

    def has_bucket(self, account: str, bucket: str) -> bool: ...

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
        """What the object holds; None where there is none."""
        ...

    def put(self, account: str, bucket: str, key: str, content: bytes) -> None: ...


class Faults(Protocol):
    """What is made to fail on purpose at the moment, for whoever would otherwise succeed."""

    def zone_is_down(self, zone: str) -> bool: ...

    def launch_refusal(self, zone: str, instance_type: str) -> Exception | None:
        """The AWS error with which a launch there is refused, or None."""
        ...

    def failure(self, zone: str) -> str:
        """Why the machines of a zone have failed, in words; empty where they have not."""
        ...

    def is_impaired(self, instance_id: str, zone: str) -> bool:
        """Whether an instance fails its status checks."""
        ...

    def afflictions(self, instance_id: str, zone: str) -> tuple[Affliction, ...]:
        """What is made to fail in an instance."""
        ...
