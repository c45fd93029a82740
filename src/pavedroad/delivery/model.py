"""What delivery speaks of: frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pavedroad.clouds.model import HealthState, InstanceState

WhenBusy = Literal["refuse", "wait"]
WhenCold = Literal["warm-up", "refuse"]


class Phase(StrEnum):
    """Where a deployment is. The last three are final."""

    QUEUED = "queued"
    CREATING = "creating"
    WAITING = "waiting"
    FLIPPING = "flipping"
    ROLLING_BACK = "rolling-back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance with all that is known of it; `reason` says in one sentence why it does not serve."""

    id: str
    zone: str
    address: str
    state: InstanceState
    lifecycle: str
    health: HealthState
    reason: str
    launched_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServerGroupView:
    """A server group; `weight` is its share of traffic in percent; `reason` is empty when it is well. Of
    `unknown` instances nobody can say now whether they are healthy."""

    name: str
    cluster: str
    image_id: str
    version: str
    enabled: bool
    weight: int
    minimum: int
    maximum: int
    desired: int
    healthy: int
    instances: tuple[InstanceView, ...]
    created_at: datetime
    deleting: bool
    reason: str
    unknown: int = 0
    commit: str = ""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster: its server groups newest first, and the address where its users find it. `as_of` is when the
    cloud said so: long ago where its region does not answer, which is then the `reason`."""

    name: str
    application: str
    owner: str
    region: str
    url: str
    server_groups: tuple[ServerGroupView, ...]
    deployment: str | None
    reason: str
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegionView:
    """A region, and whether it answers; if not, why, and since when."""

    name: str
    answers: bool
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    name: str
    owner: str
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """Deploy an image as the manifest (JSON of `paved.yaml`) says. One that was not baked for the manifest's
    application is refused, unless `foreign_image` says that it is meant. `capacity` is how many instances the
    new group gets, `manifest` what the manifest says; left out, no fewer than it takes the traffic from."""

    manifest: dict[str, object]
    image_id: str
    when_busy: WhenBusy = "refuse"
    foreign_image: bool = False
    capacity: int | Literal["manifest"] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of a deployment's story; what waits is given up at `until`."""

    number: int
    at: datetime
    phase: Phase
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A deployment; `error` is the one sentence of a failed one, `console` its instance's last lines, and
    `trouble` why one that is under way has to wait."""

    id: str
    cluster: str
    server_group: str
    image_id: str
    version: str
    strategy: str
    phase: Phase
    who: str
    started_at: datetime
    finished_at: datetime | None
    error: str
    console: str
    url: str
    progress: tuple[Progress, ...] = field(default=())
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class GroupBrief:
    """A server group in a few words; `described` is all of it: `web-v001, version 1.2 (3f2a91c), 12 minutes
    old`."""

    name: str
    version: str
    commit: str
    created_at: datetime
    described: str


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a rollback would do. `back` where `to` served before, `ready` where it could take the traffic at
    once; `capacity` is how many instances it will have; `others` may be named instead."""

    cluster: str
    to: GroupBrief
    losing: tuple[GroupBrief, ...]
    others: tuple[GroupBrief, ...]
    back: bool
    ready: bool
    capacity: int
    sentence: str


@dataclass(frozen=True, slots=True)
class RollbackView:
    """What a rollback did: the traffic went from one server group to another."""

    cluster: str
    disabled: str
    enabled: str
    seconds: float
    sentence: str
