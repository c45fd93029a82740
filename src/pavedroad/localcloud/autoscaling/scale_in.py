"""Which instances go when a group shrinks: AWS's termination policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.autoscaling.sources import MixedPolicy, Source, TemplateChoice

Rank = Callable[[Member, Source, datetime], float]
"""The lower, the sooner it goes."""

POLICIES = (
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)


def choose(
    members: Iterable[Member],
    *,
    how_many: int,
    zones: Sequence[str],
    policies: Sequence[str],
    source: Source,
    now: datetime,
) -> list[Member]:
    """The members to terminate, in order: the fullest zone gives first (a zone that the group has left
    before all), and in it whom the policies name; those protected from scale-in stay."""
    counts: dict[str, int] = {}
    candidates: dict[str, list[Member]] = {}
    for member in members:
        if member.in_capacity:
            counts[member.zone] = counts.get(member.zone, 0) + 1
            if not member.protected:
                candidates.setdefault(member.zone, []).append(member)
    ranks = _ranks(policies)
    for waiting in candidates.values():
        waiting.sort(
            key=lambda member: (
                tuple(rank(member, source, now) for rank in ranks),
                member.launched_at,
                member.id,
            ),
            reverse=True,
        )
    chosen: list[Member] = []
    while len(chosen) < how_many and candidates:
        zone = max(candidates, key=lambda name: (name not in zones, counts[name], name))
        chosen.append(candidates[zone].pop())
        counts[zone] -= 1
        if not candidates[zone]:
            del candidates[zone]
    return chosen


def _ranks(policies: Sequence[str]) -> list[Rank]:
    ranks: list[Rank] = []
    for policy in policies:
        ranks.extend(_BY_POLICY[policy])
    return ranks


def _template_age(member: Member, source: Source, _now: datetime) -> float:
    """An instance of no launch template, or of another one, is older than all versions of this one."""
    template = source.template if isinstance(source, MixedPolicy) else source
    if (
        not isinstance(template, TemplateChoice)
        or member.template is None
        or member.template.id != template.id
    ):
        return -1
    return int(member.template.version)


def _to_next_hour(member: Member, _source: Source, now: datetime) -> float:
    return -((now - member.launched_at).total_seconds() % 3600)


def _oldest(member: Member, _source: Source, _now: datetime) -> float:
    return member.launched_at.timestamp()


def _newest(member: Member, _source: Source, _now: datetime) -> float:
    return -member.launched_at.timestamp()


_BY_POLICY: dict[str, tuple[Rank, ...]] = {
    "AllocationStrategy": (),
    "ClosestToNextInstanceHour": (_to_next_hour,),
    "Default": (_template_age, _to_next_hour),
    "NewestInstance": (_newest,),
    "OldestInstance": (_oldest,),
    "OldestLaunchConfiguration": (),
    "OldestLaunchTemplate": (_template_age,),
}
