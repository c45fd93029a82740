"""Classic load balancers as they are kept: all that their balancers of the newer kind do not say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["HTTP", "HTTPS", "TCP", "SSL"]


@dataclass(frozen=True, slots=True)
class ClassicListener:
    """From a port of the balancer to one of each instance."""

    port: int
    protocol: Protocol
    instance_port: int
    instance_protocol: Protocol
    certificate: str = ""
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassicCheck:
    """`path` is empty for TCP and SSL."""

    protocol: Protocol
    port: int
    path: str
    interval_seconds: int = 30
    timeout_seconds: int = 5
    healthy_threshold: int = 10
    unhealthy_threshold: int = 2

    @property
    def target(self) -> str:
        """As it is written: `HTTP:80/ping`."""
        return f"{self.protocol}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Policy:
    kind: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ClassicAttributes:
    cross_zone: bool = False
    draining: bool = False
    draining_seconds: int = 300
    idle_seconds: int = 60
    desync_mode: str = "defensive"


@dataclass(frozen=True, slots=True)
class Classic:
    """One classic load balancer, by the ARN of the balancer that serves it."""

    arn: str
    name: str
    listeners: tuple[ClassicListener, ...]
    """By port."""
    check: ClassicCheck
    instances: tuple[str, ...] = ()
    """In the order in which they came."""
    policies: dict[str, Policy] = field(default_factory=dict[str, Policy])
    backends: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Policies by instance port."""
    attributes: ClassicAttributes = ClassicAttributes()
