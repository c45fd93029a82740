"""One look at an instance refresh: what it may replace now, and whether it is done, waits or has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import leaving, spread, wording
from pavedroad.localcloud.autoscaling.model import COMING, Group, Member, Region
from pavedroad.localcloud.autoscaling.refresh import outcome
from pavedroad.localcloud.autoscaling.refresh.model import Refresh
from pavedroad.localcloud.autoscaling.refresh.pace import may_go, pace_of

STUCK = timedelta(hours=1)
LONGEST = timedelta(days=14)

Alarms = Mapping[str, str]
"""State by name, of the alarms that exist."""


@dataclass(slots=True)
class Rolling:
    """`serves` says whether an instance in service passes its health checks."""

    region: Region
    group: Group
    refresh: Refresh
    now: datetime
    serves: Callable[[Member], bool]
    alarm_states: Callable[[tuple[str, ...]], Alarms]
    changed: bool = False

    def advance(self) -> Iterator[None]:
        """Whatever the refresh can do now; `group.surge` is what may be launched beforehand."""
        refresh, group = self.refresh, self.group
        before = (refresh.status, refresh.reason, refresh.live.remaining, group.surge)
        group.surge = 0
        if group.deleting:
            refresh.end("Cancelled", self.now, "The Auto Scaling group is being deleted.")
        elif refresh.status == "Cancelling":
            self._finish_cancelling()
        elif not group.suspends("InstanceRefresh"):
            yield from self._replace()
        self.changed |= before != (refresh.status, refresh.reason, refresh.live.remaining, group.surge)

    def _replace(self) -> Iterator[None]:
        refresh = self.refresh
        if refresh.status == "Pending":
            refresh.status, refresh.progressed_at = "InProgress", self.now
        self._count()
        if self._alarmed() or self._overdue():
            return
        if refresh.status == "Baking":
            if refresh.bakes_until is None or self.now >= refresh.bakes_until:
                outcome.succeed(self.group, refresh, self.now)
            return
        if refresh.paused_until is not None and self.now < refresh.paused_until:
            refresh.progressed_at = self.now
            return
        goal = self._goal()
        if refresh.live.total - refresh.live.remaining >= goal:
            yield from self._goal_reached()
            return
        yield from self._make_for(goal)

    def _make_for(self, goal: int) -> Iterator[None]:
        group, refresh = self.group, self.refresh
        room = goal - (refresh.live.total - len(self._outdated()))
        eligible = [member for member in self._outdated() if not self._is_blocked(member)][: max(0, room)]
        standing = [member for member in eligible if member.state == "Standby"]
        serving = [member for member in eligible if member.in_capacity]
        self._explain()
        if group.suspends("Launch", "Terminate"):
            return
        pace = pace_of(refresh.preferences, group.desired)
        group.surge = min(pace.surge, sum(member.units for member in serving))
        calm = not self._coming() and group.capacity >= group.desired
        going = may_go(
            pace,
            sum(member.units for member in group.members.values() if self._is_ready(member)),
            [(member.id, member.units, self._is_ready(member)) for member in self._fullest_first(serving)],
            calm=calm,
        )
        for member in [*standing, *(group.members[id_] for id_ in going)]:
            refresh.outdated.discard(member.id)
            refresh.progressed_at = self.now
            leaving.terminate(
                self.region, group, member, wording.refreshed_out(self.now, member.id), self.now
            )
            self.changed = True
            yield
        # Those that have gone need no replacement beyond the desired capacity any more.
        group.surge = min(pace.surge, sum(member.units for member in serving if member.in_capacity))

    def _goal(self) -> int:
        """How many are to be replaced until the next pause, or in all."""
        refresh = self.refresh
        checkpoints = () if refresh.rollback else refresh.preferences.checkpoints
        if not checkpoints:
            return refresh.live.total
        return -(-refresh.live.total * checkpoints[refresh.checkpoint] // 100)

    def _goal_reached(self) -> Iterator[None]:
        refresh = self.refresh
        checkpoints = () if refresh.rollback else refresh.preferences.checkpoints
        passed = refresh.checkpoint
        while passed + 1 < len(checkpoints) and refresh.live.percent >= checkpoints[passed + 1]:
            passed += 1  # One that is passed with another is not paused at.
        if passed + 1 < len(checkpoints):
            refresh.checkpoint = passed + 1
            refresh.paused_until = self.now + timedelta(seconds=refresh.preferences.checkpoint_delay_seconds)
            refresh.reason = (
                f"Checkpoint {checkpoints[passed]}% reached. "
                f"Waiting {refresh.preferences.checkpoint_delay_seconds} seconds before continuing."
            )
            return
        if not checkpoints or checkpoints[-1] == 100:
            yield from self._replace_warmed()
            if refresh.warm.remaining:
                return
        outcome.finish(self.group, refresh, self.now)

    def _replace_warmed(self) -> Iterator[None]:
        """The warm pool comes after those in service; it fills itself up again."""
        for member in self._outdated_warmed():
            self.refresh.outdated.discard(member.id)
            self.refresh.progressed_at = self.now
            leaving.terminate(
                self.region, self.group, member, wording.refreshed_out(self.now, member.id), self.now
            )
            self.changed = True
            yield
        self._count()

    def _finish_cancelling(self) -> None:
        if not self.refresh.waits_for_transitions or not self._transitions():
            self.refresh.end("Cancelled", self.now, "Cancelled due to user request.")

    def _count(self) -> None:
        """How far it is: what is not warm yet is not replaced yet."""
        refresh = self.refresh
        refresh.outdated &= {m.id for m in self.group.members.values() if not self._is_settled(m)}
        gone = refresh.live.total - len(self._outdated())
        coming = len(self._coming()) + max(0, self.group.desired - self.group.capacity)
        refresh.live.remaining = len(self._outdated()) + min(gone, coming)
        refresh.warm.remaining = min(refresh.warm.total, len(self._outdated_warmed()))
        ready = sum(self._is_ready(member) for member in self.group.members.values())
        waits = any(member.state == "Pending:Wait" for member in self.group.members.values())
        # Hooks have time-outs of their own.
        if waits or refresh.seen != (len(refresh.outdated), ready):
            refresh.seen = (len(refresh.outdated), ready)
            refresh.progressed_at = self.now

    def _alarmed(self) -> bool:
        refresh = self.refresh
        if refresh.rollback is not None or not refresh.preferences.alarms:
            return False
        states = self.alarm_states(refresh.preferences.alarms)
        for name in refresh.preferences.alarms:
            if states.get(name) == "ALARM":
                outcome.fail(self.group, refresh, self.now, f"The CloudWatch alarm {name} is in ALARM state.")
                return True
        return False

    def _overdue(self) -> bool:
        refresh = self.refresh
        if refresh.status == "Baking":
            return False
        since = max(
            [
                refresh.progressed_at or refresh.began_at,
                *(m.in_service_at + self._warmup for m in self._coming() if m.in_service_at is not None),
            ]
        )
        paused = refresh.paused_until is not None and self.now < refresh.paused_until
        if paused or (self.now - since < STUCK and self.now - refresh.began_at < LONGEST):
            return False
        limit = "an hour without progress" if self.now - since >= STUCK else "14 days"
        outcome.fail(self.group, refresh, self.now, f"Timed out after {limit}. {refresh.reason}".rstrip())
        return True

    def _explain(self) -> None:
        """What it waits for, as AWS words it."""
        self.refresh.reason = ""
        coming = {member.id for member in self._coming()}
        for member in self.group.members.values():
            if member.state in COMING:
                self.refresh.reason = wording.remaining(f"{member.id} is waiting in {member.state}.")
            elif member.state == "InService" and member.id in coming:
                self.refresh.reason = wording.warming_up(member.id)
            else:
                continue
            return
        for member in self._outdated():
            if self._is_blocked(member):
                held = "is protected. Remove instance scale-in protection to continue."
                if member.state == "Standby":
                    held = "is in Standby. Return it to service to continue."
                self.refresh.reason = wording.remaining(f"{member.id} {held}")
                return

    def _outdated(self) -> list[Member]:
        members = self.group.members
        found = (members[id_] for id_ in sorted(self.refresh.outdated) if id_ in members)
        return [member for member in found if not member.is_warmed]

    def _outdated_warmed(self) -> list[Member]:
        members = self.group.members
        found = (members[id_] for id_ in sorted(self.refresh.outdated) if id_ in members)
        return [member for member in found if member.is_warmed]

    def _is_settled(self, member: Member) -> bool:
        """On its way out already, or left alone as the preferences say."""
        preferences = self.refresh.preferences
        if member.is_ending:
            return True
        if member.state == "Standby":
            return preferences.standby == "Ignore"
        return member.protected and preferences.protected == "Ignore" and member.state == "InService"

    def _is_blocked(self, member: Member) -> bool:
        preferences = self.refresh.preferences
        if member.state == "Standby":
            return preferences.standby != "Terminate"
        return member.protected and preferences.protected != "Refresh"

    def _is_ready(self, member: Member) -> bool:
        if member.state != "InService" or member.health != "Healthy":
            return False
        return member.id in self.refresh.originals or (self._is_warm(member) and self.serves(member))

    def _is_warm(self, member: Member) -> bool:
        return member.in_service_at is not None and self.now >= member.in_service_at + self._warmup

    @property
    def _warmup(self) -> timedelta:
        return timedelta(seconds=self.refresh.preferences.warmup_seconds)

    def _coming(self) -> list[Member]:
        """Those that count as capacity but are not ready, the outdated aside."""
        return [
            member
            for member in self.group.members.values()
            if member.in_capacity and member.id not in self.refresh.outdated and not self._is_ready(member)
        ]

    def _transitions(self) -> bool:
        members = self.group.members.values()
        return any(member.state in COMING or member.is_ending for member in members)

    def _fullest_first(self, members: list[Member]) -> list[Member]:
        """Whoever does not serve goes first; then the fullest zones give, so that the zones stay even."""
        counts = spread.count_by_zone(self.group.members.values())
        ordered = [member for member in members if not self._is_ready(member)]
        waiting: dict[str, list[Member]] = {}
        for member in ordered:
            counts[member.zone] -= member.units
        for member in reversed(members):
            if self._is_ready(member):
                waiting.setdefault(member.zone, []).append(member)
        while waiting:
            zone = max(waiting, key=lambda name: counts[name])
            member = waiting[zone].pop()
            counts[zone] -= member.units
            ordered.append(member)
            if not waiting[zone]:
                del waiting[zone]
        return ordered
