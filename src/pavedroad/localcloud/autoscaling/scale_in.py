"""Which instances go when a group shrinks: AWS's termination policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.autoscaling.shares import Pool
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    LaunchConfiguration,
    Market,
    MixedPolicy,
    Source,
)

POLICIES = (
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)
CUSTOM_POLICY = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?"
)
"""A Lambda function that would choose. It is kept; there is none to ask here, so the next policy decides."""
LAST = float("inf")


@dataclass(frozen=True, slots=True)
class Situation:
    """What the policies look at besides the member itself."""

    source: Source
    now: datetime
    configurations: Mapping[str, LaunchConfiguration] = field(default_factory=dict[str, LaunchConfiguration])
    preference: Mapping[Pool, int] = field(default_factory=dict[Pool, int])
    """How far down the allocation strategy has a pool; what it has not at all goes."""


Rank = Callable[[Member, Situation], float]
"""The lower, the sooner it goes."""


def choose(
    members: Iterable[Member],
    *,
    surplus: int,
    zones: Sequence[str],
    policies: Sequence[str],
    situation: Situation,
    over: Mapping[Market, int] | None = None,
) -> list[Member]:
    """The members to terminate, in order, until there is no surplus of capacity that an instance fits into.

    The market that is most over its share gives first; of it the fullest zone (a zone that the group has
    left before all), and in it whom the policies name. Those protected from scale-in stay.
    """
    counts: dict[str, int] = {}
    waiting: dict[tuple[str, Market], list[Member]] = {}
    for member in members:
        if member.in_capacity:
            counts[member.zone] = counts.get(member.zone, 0) + member.units
            if not member.protected:
                waiting.setdefault((member.zone, member.market), []).append(member)
    _sort(waiting.values(), policies, situation)
    exceeding = dict(over or {})
    chosen: list[Member] = []
    while surplus > 0 and waiting:
        zone, market = _giving(waiting, counts, zones, exceeding)
        member = waiting[zone, market].pop()
        if not waiting[zone, market]:
            del waiting[zone, market]
        if member.units <= surplus:
            chosen.append(member)
            surplus -= member.units
            counts[zone] -= member.units
            exceeding[market] = exceeding.get(market, 0) - member.units
    return chosen


def _giving(
    waiting: Iterable[tuple[str, Market]],
    counts: Mapping[str, int],
    zones: Sequence[str],
    exceeding: Mapping[Market, int],
) -> tuple[str, Market]:
    places = list(waiting)
    most = max(places, key=lambda place: exceeding.get(place[1], 0))[1]
    if exceeding.get(most, 0) > 0:
        places = [place for place in places if place[1] == most]
    return max(places, key=lambda place: (place[0] not in zones, counts[place[0]], *place))


def _sort(candidates: Iterable[list[Member]], policies: Sequence[str], situation: Situation) -> None:
    """The first to go come last."""
    known = [policy for policy in policies if not policy.startswith("arn:")]
    ranks = [rank for policy in known for rank in _BY_POLICY[policy]]
    for members in candidates:
        members.sort(
            key=lambda member: (
                tuple(rank(member, situation) for rank in ranks),
                member.launched_at,
                member.id,
            ),
            reverse=True,
        )


def _least_preferred(member: Member, situation: Situation) -> float:
    preference = situation.preference
    pool = (member.zone, member.instance_type, member.market)
    return -preference.get(pool, len(preference)) if preference else 0


def _version_age(member: Member, situation: Situation) -> float:
    """What the group no longer launches from at all is older than all versions of what it does."""
    source = situation.source
    if isinstance(source, ConfigurationChoice):
        return _configuration_age(member, situation) if member.configuration else -1
    return _template_age(member, situation)


def _template_age(member: Member, situation: Situation) -> float:
    """An instance of no launch template, or of another one, is older than all versions of this one."""
    source = situation.source
    if member.template is None or isinstance(source, ConfigurationChoice):
        return -1
    chosen = (
        [source.template, *(one.template for one in source.overrides)]
        if isinstance(source, MixedPolicy)
        else [source]
    )
    if member.template.id not in {choice.id for choice in chosen if choice}:
        return -1
    return int(member.template.version)


def _configuration_age(member: Member, situation: Situation) -> float:
    """Those of a launch configuration that is gone are the oldest; those of none are not meant."""
    if member.configuration is None:
        return LAST
    found = situation.configurations.get(member.configuration)
    return found.created_at.timestamp() if found else -1


def _to_next_hour(member: Member, situation: Situation) -> float:
    return -((situation.now - member.launched_at).total_seconds() % 3600)


def _oldest(member: Member, _situation: Situation) -> float:
    return member.launched_at.timestamp()


def _newest(member: Member, _situation: Situation) -> float:
    return -member.launched_at.timestamp()


_BY_POLICY: dict[str, tuple[Rank, ...]] = {
    "AllocationStrategy": (_least_preferred,),
    "ClosestToNextInstanceHour": (_to_next_hour,),
    "Default": (_least_preferred, _version_age, _to_next_hour),
    "NewestInstance": (_newest,),
    "OldestInstance": (_oldest,),
    "OldestLaunchConfiguration": (_configuration_age,),
    "OldestLaunchTemplate": (_template_age,),
}
