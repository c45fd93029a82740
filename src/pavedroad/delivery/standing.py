"""Server groups as a rollback sees them, and the choice among them: one for the API, commands and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pavedroad.core.errors import Conflict, NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.lineage import Known
from pavedroad.delivery.model import ClusterView, GroupBrief
from pavedroad.delivery.sizes import Sizes, of_group

_COMMIT = 7
_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A group that is here to stay. Where the balancer does not check it, nothing is known of its health, and
    `healthy` is 0."""

    name: str
    version: str
    commit: str
    made_at: datetime
    serving: bool
    checked: bool
    sizes: Sizes
    healthy: int

    @property
    def known(self) -> Known:
        return self.name, self.made_at

    @property
    def sick(self) -> bool:
        """It has instances, and too few of them are well."""
        return self.checked and self.sizes.desired > 0 and self.healthy < max(1, self.sizes.minimum)

    def brief(self, now: datetime) -> GroupBrief:
        spoken = described(self.name, self.version, self.commit, now - self.made_at)
        return GroupBrief(self.name, self.version, self.commit, self.made_at, spoken)


@dataclass(frozen=True, slots=True)
class Choice:
    """A rollback that could be: `back` where `to` served before those that serve now."""

    to: Standing
    losing: tuple[Standing, ...]
    others: tuple[Standing, ...]
    back: bool

    @property
    def enough(self) -> int:
        """Healthy instances with which `to` can take the traffic at once: as many as answer it now."""
        answering = sum(min(held.healthy, held.sizes.desired) for held in self.losing)
        return max(1, self.to.sizes.minimum, answering)


def choose(cluster: str, present: Sequence[Standing], line: Sequence[Known], to: str | None) -> Choice:
    """The group that is named, else what served last before those that serve: a sick one is passed over
    while there is another. `present` are newest first."""
    serving = [held for held in present if held.serving]
    earlier = _earlier(present, line)
    if to is not None:
        chosen = next((held for held in present if held.name == to), None)
        if chosen is None:
            raise _not_there(cluster, to, present)
        if serving == [chosen]:
            raise Conflict(f"{to} has all of the traffic already.")
    elif earlier:
        chosen = next((held for held in earlier if not held.sick), earlier[0])
    else:
        raise _nothing_earlier(cluster, present)
    losing = tuple(held for held in serving if held.name != chosen.name)
    others = tuple(held for held in present if held.name != chosen.name and not held.serving)
    return Choice(chosen, losing, others, chosen in earlier)


def _earlier(present: Sequence[Standing], line: Sequence[Known]) -> list[Standing]:
    """Those in the line before the last that serves, the last first: also what still serves beside it."""
    by_known = {held.known: held for held in present}
    found = [by_known[known] for known in reversed(line) if known in by_known]
    last = next((place for place, held in enumerate(found) if held.serving), -1)
    return found[last + 1 :]


def described(name: str, version: str, commit: str, age: timedelta) -> str:
    """`web-v001, version 1.2 (3f2a91c), 12 minutes old`."""
    short = commit[:_COMMIT] + ("-dirty" if commit.endswith("-dirty") else "")
    inside = f" ({short})" if short and not version.startswith(commit[:_COMMIT]) else ""
    told = f", version {version}{inside}" if version else ""
    return f"{name}{told}, {spoken(age)} old"


def spoken(age: timedelta) -> str:
    """In its largest unit, in words."""
    for size, unit in _UNITS:
        if age >= size:
            count = age // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} second{'s' if seconds != 1 else ''}"


def standings(cluster: Cluster, healthy: Mapping[str, int]) -> list[Standing]:
    """Of a cluster's groups, newest first, with how many members of each are healthy."""
    return [
        Standing(
            name=group.name,
            version=group.tags.get(naming.VERSION, ""),
            commit=group.tags.get(naming.COMMIT, ""),
            made_at=group.created_at,
            serving=cluster.weight(group) > 0,
            checked=cluster.checks(group),
            sizes=of_group(group),
            healthy=healthy.get(group.name, 0),
        )
        for group in cluster.present
    ]


def standings_of_view(cluster: ClusterView) -> list[Standing]:
    """As `standings`, of what is shown."""
    return [
        Standing(
            name=group.name,
            version=group.version,
            commit=group.commit,
            made_at=group.created_at,
            serving=group.enabled,
            checked=not group.unknown,
            sizes=Sizes(group.minimum, group.desired, group.maximum),
            healthy=group.healthy,
        )
        for group in cluster.server_groups
        if not group.deleting
    ]


def _not_there(cluster: str, name: str, present: Sequence[Standing]) -> NotFound:
    held = ", ".join(group.name for group in present) or "none"
    return NotFound(f"There is no server group '{name}'.", next_step=f"The cluster {cluster} has: {held}.")


def _nothing_earlier(cluster: str, present: Sequence[Standing]) -> NotFound:
    others = [held for held in present if not held.serving]
    if not others:
        step = "Deploy the earlier version again."
    else:
        named = ", ".join(f"{held.name} (version {held.version})" for held in others)
        step = f"If you mean one that did not serve before, name it: paved rollback {cluster} --to GROUP; "
        step += f"there is {named}."
    return NotFound(f"The cluster {cluster} has no earlier server group that served.", next_step=step)
