"""What is to be known of instances and load balancers to name what was measured of them as AWS does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from pavedroad.localcloud.ports import Sample

Place = tuple[str, str]
"""Account and region."""


class Outlet(Protocol):
    """All that is asked of `ports.Metrics` here."""

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None: ...


OutletOf = Callable[[str, str], Outlet]
"""(account, region) -> CloudWatch there."""


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A running instance. With `detailed` monitoring it is published every minute, else every five."""

    place: Place
    id: str
    instance_type: str
    image_id: str
    group_name: str | None
    address: str
    cpus: float
    detailed: bool
    impaired: bool


@dataclass(frozen=True, slots=True)
class BalancerView:
    """A load balancer by its ARN's end, `app/name/id`, with the ARNs of its listeners. One of these has
    `most_rules`, the default left out."""

    place: Place
    path: str
    zones: tuple[str, ...]
    listener_arns: frozenset[str]
    most_rules: int = 0


@dataclass(frozen=True, slots=True)
class MemberView:
    """A registered target; `state` is ELBv2's."""

    zone: str
    address: str
    port: int
    state: Literal["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A target group by its ARN's end, `targetgroup/name/id`, with the balancers that send to it."""

    place: Place
    arn: str
    balancer_paths: tuple[str, ...]
    members: tuple[MemberView, ...]

    @property
    def path(self) -> str:
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class ClassicView:
    """A classic load balancer: the ARNs of its listeners, of which some look at no requests, and of their
    target groups; its instances, each once, as it does at worst."""

    place: Place
    name: str
    listener_arns: frozenset[str]
    streams: frozenset[str]
    group_arns: frozenset[str]
    members: tuple[MemberView, ...]


Instances = Callable[[], Iterator[InstanceView]]
Balancers = Callable[[], Iterator[BalancerView]]
Groups = Callable[[], Iterator[GroupView]]
Classics = Callable[[], Iterator[ClassicView]]
"""All four look with the state lock held, which may be given up between one view and the next."""
