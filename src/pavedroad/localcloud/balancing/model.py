"""Load balancers, listeners, rules, target groups and targets, as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pavedroad.localcloud.wanted import Condition, FixedResponse, Redirect, Transform

TRAFFIC_PORT = "traffic-port"
AFTER_ALL = 50_001
"""Where a default rule stands: priorities end at 50,000."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A balancer's node in one zone: a subnet, and an address in it."""

    zone: str
    subnet_id: str
    interface_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """Capacity units, of which nothing follows here."""

    units: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer. It listens on an address of its own, which reaches all its zones, and on
    that of its node in each zone."""

    arn: str
    name: str
    scheme: str
    vpc_id: str
    presences: tuple[Presence, ...]
    """By zone."""
    security_groups: tuple[str, ...]
    interface_id: str
    address: str
    created_at: datetime
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    """Those that were changed; the rest are the defaults."""
    reservation: Reservation | None = None
    kind: Literal["application", "network"] = "application"

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(presence.zone for presence in self.presences)

    @property
    def subnets(self) -> tuple[tuple[str, str], ...]:
        """(zone, subnet), by zone."""
        return tuple((presence.zone, presence.subnet_id) for presence in self.presences)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its own, and its nodes'."""
        return self.address, *(presence.address for presence in self.presences)

    @property
    def path(self) -> str:
        """`app/name/id` or `net/name/id`, which its listeners' ARNs repeat."""
        return self.arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True, slots=True)
class Listener:
    """`port` is the one asked for, `bound_port` the one that could be had."""

    arn: str
    balancer_arn: str
    port: int
    bound_port: int
    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"] = "HTTP"
    ssl_policy: str = ""
    certificates: tuple[str, ...] = ()
    """ARNs; the first is the default."""
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def path(self) -> str:
        """`app/name/balancer/id`, which its rules' ARNs repeat."""
        return self.arn.partition(":listener/")[2]


@dataclass(frozen=True, slots=True)
class Share:
    group_arn: str
    weight: int


@dataclass(frozen=True, slots=True)
class ForwardTo:
    """Weighted shares of the traffic. Clients stay with their target group for `sticky_seconds`, if not 0."""

    shares: tuple[Share, ...]
    sticky_seconds: int = 0


RuleAction = ForwardTo | FixedResponse | Redirect


@dataclass(frozen=True, slots=True)
class ListenerRule:
    """`priority` is None for the listener's default rule, which has no conditions."""

    arn: str
    listener_arn: str
    priority: int | None
    conditions: tuple[Condition, ...]
    action: RuleAction
    transforms: tuple[Transform, ...] = ()

    @property
    def order(self) -> int:
        return AFTER_ALL if self.priority is None else self.priority


@dataclass(frozen=True, slots=True)
class HealthCheck:
    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"]
    port: str
    path: str
    interval_seconds: int
    timeout_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True, slots=True)
class TargetGroup:
    arn: str
    name: str
    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"]
    port: int
    vpc_id: str
    target_type: Literal["instance", "ip"]
    health_check: HealthCheck
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    classic: bool = False
    """It serves a listener of a classic load balancer."""

    @property
    def streams(self) -> bool:
        """It is sent connections, and no requests."""
        return self.protocol in ("TCP", "SSL")


@dataclass(frozen=True, slots=True)
class Member:
    """A registered target. While it drains, `drain_until` is the time (of the wall clock) that ends it."""

    group_arn: str
    id: str
    port: int
    zone: str
    """As registered: empty unless it was said."""
    drain_until: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.id, self.port
