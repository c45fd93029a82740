"""What Auto Scaling keeps: groups, their members, and the activities that tell what was done and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from pavedroad.localcloud.autoscaling.hooks.model import Action, Hook, Place
from pavedroad.localcloud.autoscaling.refresh.model import Refresh
from pavedroad.localcloud.autoscaling.scaling import Scaling
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    LaunchConfiguration,
    Market,
    MixedPolicy,
    Source,
    TemplateChoice,
    TemplateUse,
)
from pavedroad.localcloud.autoscaling.warm.model import WarmPool
from pavedroad.localcloud.documents import Document

LifecycleState = Literal[
    "Pending",
    "Pending:Wait",
    "Pending:Proceed",
    "InService",
    "Terminating",
    "Terminating:Wait",
    "Terminating:Proceed",
    "Terminating:Retained",
    "Detaching",
    "EnteringStandby",
    "Standby",
    "Warmed:Pending",
    "Warmed:Pending:Wait",
    "Warmed:Pending:Proceed",
    "Warmed:Stopped",
    "Warmed:Hibernated",
    "Warmed:Running",
    "Warmed:Terminating",
    "Warmed:Terminating:Wait",
    "Warmed:Terminating:Proceed",
]
HealthStatus = Literal["Healthy", "Unhealthy"]
StatusCode = Literal[
    "PreInService",
    "InProgress",
    "MidLifecycleAction",
    "WaitingForELBConnectionDraining",
    "Successful",
    "Failed",
    "Cancelled",
]
AttachmentState = Literal["Adding", "Added", "InService", "Removing"]

COMING: frozenset[LifecycleState] = frozenset({"Pending", "Pending:Wait", "Pending:Proceed"})
"""The states on the way into service."""
IN_CAPACITY: frozenset[LifecycleState] = frozenset({*COMING, "InService"})
"""The states that count towards the desired capacity."""
ENDING: frozenset[LifecycleState] = frozenset({"Terminating", "Terminating:Wait", "Terminating:Proceed"})
"""The states on the way to termination."""
LEAVING: frozenset[LifecycleState] = frozenset({*ENDING, "Detaching", "EnteringStandby"})
"""The states in which a member is taken out of its target groups."""


@dataclass(slots=True)
class Activity:
    """Something that was done to a group, in AWS's words. Open until `ended_at` is set."""

    id: str
    number: int
    """Rises with every activity of the region: the order in which they are told."""
    group_name: str
    group_arn: str
    description: str
    cause: str
    started_at: datetime
    details: str
    status: StatusCode
    progress: int
    status_message: str | None = None
    ended_at: datetime | None = None

    def end(self, status: StatusCode, now: datetime, message: str | None = None) -> None:
        self.status = status
        self.progress = 100
        self.ended_at = now
        self.status_message = message


@dataclass(slots=True)
class Member:
    """An instance in a group."""

    id: str
    zone: str
    subnet_id: str
    instance_type: str
    image_id: str
    launched_at: datetime
    template: TemplateUse | None
    protected: bool
    configuration: str | None = None
    """The launch configuration that it was launched from."""
    market: Market = "on-demand"
    zone_id: str = ""
    weight: int | None = None
    """How many units of capacity it is, where the group's instances have weights."""
    state: LifecycleState = "Pending"
    health: HealthStatus = "Healthy"
    unhealthy_because: str = ""
    """The cause that its replacement will tell."""
    in_service_at: datetime | None = None
    warmup_seconds: int = 0
    """How long in service until it counts as capacity to scale from, and as measured load."""
    balanced: bool = True
    """Belongs into the group's target groups; not so when it came while AddToLoadBalancer was suspended."""
    rebalancing: bool = False
    """Launched beyond the desired capacity, so that another one can be given up."""
    replaces: str = ""
    """The member that goes once this one is in service."""
    outgoing_because: str = ""
    """The cause of the termination of a member that another one has been launched to replace."""
    terminated: bool = False
    """EC2 has been told to terminate it."""
    activity: Activity | None = None
    """The one that is under way."""
    origin: Place = "EC2"
    """Where it last came from."""
    destination: Place = "EC2"
    """Where it goes when it is taken out: terminated, or into the warm pool."""
    actions: list[Action] = field(default_factory=list[Action])
    """The lifecycle actions of the transition that it is in."""
    told_target: str = ""
    """The target lifecycle state that the instance reads about itself."""
    unhooked: bool = False
    """Goes without passing the hooks of its termination."""

    @property
    def in_capacity(self) -> bool:
        return self.state in IN_CAPACITY

    @property
    def is_warmed(self) -> bool:
        """In the warm pool, or on its way into it or out of it to its end."""
        return self.state.startswith("Warmed:")

    @property
    def is_ending(self) -> bool:
        return self.state in ENDING or self.state.startswith("Warmed:Terminating")

    @property
    def units(self) -> int:
        """What it adds to the group's capacity."""
        return 1 if self.weight is None else self.weight


@dataclass(slots=True)
class Backoff:
    """How long to leave something alone that keeps failing: half a second, doubled to five minutes."""

    failures: int
    failed_at: datetime
    until: datetime


@dataclass(slots=True)
class Tag:
    value: str
    propagate: bool


@dataclass(frozen=True, slots=True)
class Maintenance:
    """How far capacity may fall and rise while instances are replaced, in percent of what is desired."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class LaunchAnswer:
    """What a client token of LaunchInstances was answered."""

    at: datetime
    asked: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(slots=True)
class Group:
    """An Auto Scaling group. Settings have AWS's names and meaning."""

    name: str
    arn: str
    created_at: datetime
    source: Source
    minimum: int
    maximum: int
    desired: int
    zones: tuple[str, ...]
    subnets: tuple[str, ...]
    service_role_arn: str
    target_groups: dict[str, AttachmentState] = field(default_factory=dict[str, AttachmentState])
    load_balancers: dict[str, AttachmentState] = field(default_factory=dict[str, AttachmentState])
    """Classic ones, by name."""
    cooldown_seconds: int = 300
    health_check_type: str = "EC2"
    grace_seconds: int = 0
    placement_group: str | None = None
    termination_policies: tuple[str, ...] = ("Default",)
    protects_new: bool = False
    max_instance_lifetime: int | None = None
    capacity_rebalance: bool = False
    capacity_type: str = "units"
    """DesiredCapacityType."""
    zone_distribution: str = "balanced-best-effort"
    zone_ids: dict[str, str] = field(default_factory=dict[str, str])
    """Of the zones that it launches or has launched in."""
    deletion_protection: str = "none"
    maintenance: Maintenance | None = None
    launch_answers: dict[str, LaunchAnswer] = field(default_factory=dict[str, LaunchAnswer])
    """By client token."""
    described: dict[str, Any] = field(default_factory=dict[str, Any])
    """Settings that are kept as they were given, by AWS's names."""
    default_warmup_seconds: int | None = None
    context: str | None = None
    tags: dict[str, Tag] = field(default_factory=dict[str, Tag])
    suspended: dict[str, str] = field(default_factory=dict[str, str])
    """Process name to the reason."""
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    hooks: dict[str, Hook] = field(default_factory=dict[str, Hook])
    refreshes: list[Refresh] = field(default_factory=list[Refresh])
    """Oldest first; only the last may be active."""
    warm_pool: WarmPool | None = None
    surge: int = 0
    """What a refresh has launched beyond the desired capacity before it takes as much out."""
    deleting: bool = False
    request: str = ""
    """Who last changed the desired capacity, as a sentence, until the group has come to it."""
    rebalanced: frozenset[frozenset[tuple[tuple[str, str, int], int]]] = frozenset()
    """How many instances it had by zone, market and weight whenever it launched one to balance zones, until
    they were even. Weights may lead back to where it was: there it stays."""
    replacements: int = 0
    """Unhealthy instances that were taken out, and whose replacements are yet to be launched."""
    scaling: Scaling = field(default_factory=Scaling)
    notifications: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    """Topic ARN to the types of events that it is told."""
    untold: list[Activity] = field(default_factory=list[Activity])
    """Those whose end is yet to be told."""
    collected_metrics: tuple[str, ...] = ()
    collected_at: datetime | None = None
    """The minute for which they were last published."""
    scaled_at: datetime | None = None
    """When the last scaling activity ended: the cooldown counts from here."""
    refusing_zones: dict[str, Backoff] = field(default_factory=dict[str, Backoff])
    refusing_pools: dict[str, Backoff] = field(default_factory=dict[str, Backoff])
    """By zone, instance type and market: what refuses while other types of the zone may launch."""
    launch_backoff: Backoff | None = None
    """Set while launches fail whatever the zone, or what was launched dies young."""

    @property
    def capacity(self) -> int:
        return sum(member.units for member in self.members.values() if member.in_capacity)

    @property
    def aim(self) -> int:
        """The capacity that it is brought to."""
        return self.desired + self.surge

    @property
    def refresh(self) -> Refresh | None:
        """The one that is active."""
        return self.refreshes[-1] if self.refreshes and self.refreshes[-1].is_active else None

    @property
    def launches_from(self) -> Source:
        """Its own source, or that of an active refresh."""
        return (self.refresh and self.refresh.launches_from) or self.source

    @property
    def heaviest(self) -> int:
        """The largest weight that a launch may have."""
        overrides = self.source.overrides if isinstance(self.source, MixedPolicy) else ()
        return max((override.weight or 1 for override in overrides), default=1)

    def desired_without(self, units: int) -> int:
        """Instances with weights may be more than was desired."""
        return max(0, self.desired - units)

    def suspends(self, *processes: str) -> bool:
        """Whether any of these processes is suspended."""
        return any(process in self.suspended for process in processes)

    def forget_failures(self) -> None:
        """Someone has changed something, so that the next launch is tried at once."""
        self.refusing_zones.clear()
        self.refusing_pools.clear()
        self.launch_backoff = None


@dataclass(slots=True)
class Region:
    """All of one account's Auto Scaling in one region."""

    account: str
    name: str
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    configurations: dict[str, LaunchConfiguration] = field(default_factory=dict[str, LaunchConfiguration])
    activities: dict[str, list[Activity]] = field(default_factory=dict[str, list[Activity]])
    """By group ARN, oldest first; a deleted group's stay for six weeks."""
    activities_begun: int = 0


def _with_activities_written_out(data: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Version 1 wrote an activity once, and referred to it by its id from then on."""
    written: dict[str, Any] = {}

    def out(value: Any) -> Any:
        if isinstance(value, list):
            return [out(item) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        found = cast("dict[str, Any]", value)
        if found.keys() == {"as"}:
            return written[found["as"]]
        made = {name: out(item) for name, item in found.items()}
        if {"id", "group_arn", "progress"} <= made.keys():
            written[made["id"]] = made
        return made

    return out(data)


FORM = Document(
    tuple[Region, ...],
    {
        Source: {
            "launch-template": TemplateChoice,
            "launch-configuration": ConfigurationChoice,
            "mixed-policy": MixedPolicy,
        }
    },
    number=2,
    upgrades={1: _with_activities_written_out},
)
"""How the regions are saved; `known_once` makes what a member and its region know one and the same again."""


def known_once(regions: Iterable[Region]) -> None:
    """Each activity is one object again, wherever it is held."""
    for region in regions:
        known = {activity.id: activity for told in region.activities.values() for activity in told}
        for group in region.groups.values():
            group.untold = [known.setdefault(activity.id, activity) for activity in group.untold]
            for member in group.members.values():
                if member.activity is not None:
                    member.activity = known.setdefault(member.activity.id, member.activity)
