"""One look at a group: compare what it should be with what it is, and close the difference.

`run` is a generator that yields after every step that costs something, so that whoever drives it can let
go of the state lock there. What it saw is stale once a call has changed the group: then it is dropped, and
the next pass looks anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pavedroad.localcloud.autoscaling import (
    backoff,
    collecting,
    health,
    leaving,
    scale_in,
    schedule,
    shares,
    spread,
    target_state,
    warmup,
    wording,
)
from pavedroad.localcloud.autoscaling.hooks import hooked
from pavedroad.localcloud.autoscaling.hooks.messages import Notices
from pavedroad.localcloud.autoscaling.launching import Launcher
from pavedroad.localcloud.autoscaling.membership import Membership
from pavedroad.localcloud.autoscaling.model import COMING, ENDING, LEAVING, Group, Member, Region
from pavedroad.localcloud.autoscaling.notifying import Notifier
from pavedroad.localcloud.autoscaling.refresh.rolling import Rolling
from pavedroad.localcloud.autoscaling.replacing import YOUNG, Replacing
from pavedroad.localcloud.autoscaling.sources import Market
from pavedroad.localcloud.autoscaling.specifications import Specifications
from pavedroad.localcloud.autoscaling.warm import drawing
from pavedroad.localcloud.autoscaling.warm.keeping import Keeping
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Compute, Machine, Metrics, Queues, Topics


@dataclass(slots=True)
class GroupPass:
    region: Region
    group: Group
    compute: Compute
    balancers: Balancers
    metrics: Metrics
    topics: Topics
    now: datetime
    queues: Queues
    changed: bool = False
    _machines: dict[str, Machine | None] = field(default_factory=dict[str, "Machine | None"])

    @property
    def notices(self) -> Notices:
        return Notices(self.region.account, self.topics, self.queues)

    def run(self) -> Iterator[None]:
        group = self.group
        if self.region.groups.get(group.name) is not group:
            return  # Deleted since this pass was planned.
        self.changed |= schedule.run_due(self.region, group, self.now)
        self._machines = {id_: self.compute.machine(id_) for id_ in group.members}
        membership = Membership(group, self.balancers)
        self._settle_pending()
        self._judge_health(membership)
        yield from self._replace()
        yield from self._refresh(membership)
        yield from self._meet_desired()
        yield from self._rebalance()
        yield from membership.correct()
        self.changed |= target_state.tell(group, self.compute)
        yield from self._see_off(membership)
        yield from self._keep_warm()
        self.changed |= membership.changed
        self._come_to_rest()
        warmup.remember(group, self.now)
        Notifier(self.region.account, self.topics).tell_ended(group)
        self.changed |= collecting.publish(group, self.metrics, self.now)

    def _settle_pending(self) -> None:
        """What EC2 says runs is in service; what ended before that has failed to launch."""
        for member in [member for member in self.group.members.values() if member.state in COMING]:
            machine = self._machines[member.id]
            if health.is_down(machine):
                reason = machine.state_reason if machine else "the instance is not known to EC2"
                if member.activity is not None:
                    member.activity.end("Cancelled", self.now, wording.died_pending(reason))
                    member.activity = None
                group = self.group
                group.launch_backoff = backoff.after_failure(group.launch_backoff, self.now)
                self._give_up(member, machine)
            elif machine is not None and machine.state == "running":
                self._let_in(member)

    def _let_in(self, member: Member) -> None:
        """It runs: once the hooks of its launch are passed it is in service."""
        if member.state == "Pending":
            if hooked.begin_launch(self.notices, self.group, member, self.now):
                self.changed = True
                return
        elif member.state == "Pending:Wait":
            verdict = hooked.verdict(member, self.now)
            if verdict == "CONTINUE":
                member.state = "Pending:Proceed"
            elif verdict == "ABANDON":
                hooked.give_up(self.region, self.group, member, self.now)
            self.changed |= verdict is not None
            return
        self._into_service(member)

    def _into_service(self, member: Member) -> None:
        member.state = "InService"
        member.actions.clear()
        member.in_service_at = self.now
        member.rebalancing = False
        member.balanced = not self.group.suspends("AddToLoadBalancer")
        if member.activity is not None:
            member.activity.end("Successful", self.now)
            member.activity = None
            self.group.scaled_at = self.now
        self.changed = True

    def _give_up(self, member: Member, machine: Machine | None) -> None:
        """A member that ended while it was pending; one that only stopped is terminated on the way out."""
        member.rebalancing = False
        member.unhooked = True
        member.actions.clear()
        if health.is_gone(machine):
            del self.group.members[member.id]
        else:
            member.state = "Terminating"
        self.changed = True

    def _judge_health(self, membership: Membership) -> None:
        group = self.group
        if group.suspends("HealthCheck"):
            return
        asks_balancers = "ELB" in group.health_check_type
        for member in group.members.values():
            if member.state != "InService" or member.health == "Unhealthy":
                continue
            machine = self._machines[member.id]
            if machine is not None and machine.state == "pending":
                member.in_service_at = self.now  # It boots again: its grace period begins anew.
                continue
            because = health.illness(
                member,
                machine,
                membership.of(member.id) if asks_balancers else (),
                asks_balancers=asks_balancers,
                grace_seconds=group.grace_seconds,
                now=self.now,
            )
            if because:
                member.health = "Unhealthy"
                member.unhealthy_because = because
                self.changed = True

    def _replace(self) -> Iterator[None]:
        launcher = Launcher(self.region, self.group, self.compute, self.now)
        replacing = Replacing(self.region, self.group, launcher, self._machines, self.now)
        yield from replacing.run()
        self.changed |= replacing.changed

    def _refresh(self, membership: Membership) -> Iterator[None]:
        """An active refresh; without one nothing is launched beyond the desired capacity for it."""
        if self.group.refresh is None:
            self.group.surge = 0
            return
        asks_balancers = "ELB" in self.group.health_check_type

        def serves(member: Member) -> bool:
            found = membership.of(member.id) if asks_balancers else []
            return all(registration.state in ("healthy", "unused") for registration in found)

        rolling = Rolling(
            self.region, self.group, self.group.refresh, self.now, serves, self.metrics.alarm_states
        )
        yield from rolling.advance()
        self.changed |= rolling.changed

    def _meet_desired(self) -> Iterator[None]:
        group = self.group
        capacity = group.capacity
        surplus = capacity - sum(m.units for m in group.members.values() if m.rebalancing) - group.aim
        if surplus > 0 and not group.suspends("Terminate"):
            yield from self._shrink(capacity, surplus)
        elif capacity < group.aim and not group.suspends("Launch"):
            yield from self._draw(capacity)
            launcher = Launcher(self.region, group, self.compute, self.now)
            yield from launcher.grow(group.capacity)
            self.changed |= launcher.changed

    def _draw(self, capacity: int) -> Iterator[None]:
        """What is prepared in the warm pool comes first."""
        group = self.group
        cause = wording.grown(group.request, self.now, capacity, group.aim)
        if group.replacements > 0:
            cause = wording.replaced(self.now)
        for _ in drawing.draw(self.region, group, self.compute, cause, self.now):
            group.replacements = max(0, group.replacements - 1)
            self.changed = True
            yield

    def _keep_warm(self) -> Iterator[None]:
        group = self.group
        if group.warm_pool is None and not any(m.is_warmed for m in group.members.values()):
            return
        keeping = Keeping(
            self.region, group, group.warm_pool, self.compute, self._machines, self.notices, self.now
        )
        yield from keeping.tend()
        self.changed |= keeping.changed

    def _shrink(self, capacity: int, surplus: int) -> Iterator[None]:
        group = self.group
        chosen = scale_in.choose(
            group.members.values(),
            surplus=surplus,
            zones=group.zones,
            policies=group.termination_policies,
            situation=self._situation(),
            over=shares.over(group),
        )
        left = capacity - sum(member.units for member in chosen)
        room = drawing.room(group)
        for member in chosen:
            cause = wording.shrunk(group.request, self.now, capacity, left, member.id)
            leaving.terminate(self.region, group, member, cause, self.now)
            if drawing.may_return(member, room):
                member.destination = "WarmPool"
                room -= member.units
            self.changed = True
            yield

    def _situation(self) -> scale_in.Situation:
        try:
            preference = Specifications(self.region, self.group, self.compute, self.now).preference()
        except ServiceError:
            preference = {}  # The launch template is gone: nothing can be preferred.
        return scale_in.Situation(self.group.source, self.now, self.region.configurations, preference)

    def _rebalance(self) -> Iterator[None]:
        group = self.group
        if group.suspends("AZRebalance", "Launch", "Terminate") or group.capacity != group.aim:
            return
        if any(m.state in COMING or m.health == "Unhealthy" for m in group.members.values()):
            return
        launcher = Launcher(self.region, group, self.compute, self.now)
        usable: dict[Market, list[str]] = {one: launcher.usable_zones(one) for one in shares.MARKETS}
        moves = spread.rebalancing_moves(
            group.members.values(),
            group.zones,
            usable,
            max(1, group.maximum // 10),
            group.heaviest,
        )
        if not moves:
            moves = shares.exchanges(group, usable)
        if not moves:
            group.rebalanced = frozenset()
            return
        held = frozenset(
            Counter((it.zone, it.market, it.units) for it in group.members.values() if it.in_capacity).items()
        )
        if held in group.rebalanced and any(it.weight is not None for it in group.members.values()):
            return
        yield from launcher.balance(moves)
        if not launcher.refusals:
            group.rebalanced |= {held}
        self.changed |= launcher.changed

    def _see_off(self, membership: Membership) -> Iterator[None]:
        """Those that leave: drained first, then terminated, detached or in standby."""
        for member in list(self.group.members.values()):
            if member.state == "Terminating:Retained" and health.is_gone(self._machines.get(member.id)):
                del self.group.members[member.id]
                self.changed = True
        for member in [m for m in self.group.members.values() if m.state in LEAVING]:
            machine = self._machines.get(member.id)
            if member.state in ENDING:
                if member.terminated or health.is_down(machine) or not membership.holds(member.id):
                    if self._lets_go(member):
                        yield from self._end(member, machine)
                elif member.activity and member.activity.status != "WaitingForELBConnectionDraining":
                    member.activity.status = "WaitingForELBConnectionDraining"
                    member.activity.description = wording.terminating(member.id, draining=True)
                    member.activity.progress = 50
                    self.changed = True
            elif not membership.holds(member.id):
                if member.state == "Detaching":
                    del self.group.members[member.id]
                else:
                    member.state = "Standby"
                if member.activity:
                    member.activity.end("Successful", self.now)
                    member.activity = None
                self.changed = True

    def _lets_go(self, member: Member) -> bool:
        """Whether the hooks of its termination are passed."""
        if member.state == "Terminating" and not member.terminated:
            waits = hooked.begin_end(self.notices, self.group, member, self.now)
            self.changed |= waits
            return not waits
        if member.state == "Terminating:Wait":
            if hooked.verdict(member, self.now) is None:
                return False
            hooked.proceed_to_end(self.group, member, self.now)
            self.changed = True
            return False
        return True

    def _end(self, member: Member, machine: Machine | None) -> Iterator[None]:
        activity = member.activity
        pool = self.group.warm_pool
        if member.destination == "WarmPool" and pool and not pool.deleting and not health.is_down(machine):
            drawing.send_back(self.group, member)
            self.changed = True
            return
        if not member.terminated and not health.is_gone(machine):
            try:
                self.compute.terminate(member.id, f"Terminated by the Auto Scaling group {self.group.name}.")
            except ServiceError as refusal:
                if activity and activity.status_message != refusal.message:
                    activity.status_message = refusal.message[: wording.LONGEST_MESSAGE]
                    self.changed = True
                return
            member.terminated = True
            if activity:
                activity.status = "InProgress"
                activity.status_message = None
                activity.description = wording.terminating(member.id)
                activity.progress = 60
            self.changed = True
            yield
            machine = self.compute.machine(member.id)
        if health.is_gone(machine):
            if activity:
                activity.end("Successful", self.now)
            del self.group.members[member.id]
            self.group.scaled_at = self.now
            self.changed = True

    def _come_to_rest(self) -> None:
        """Forget what the group has got over."""
        group = self.group
        failing = group.launch_backoff
        if failing and any(
            m.in_service_at and m.in_service_at > failing.failed_at and m.in_service_at + YOUNG <= self.now
            for m in group.members.values()
            if m.state == "InService" and m.health == "Healthy"
        ):
            group.launch_backoff = None
        if group.capacity == group.desired:
            group.request = ""
            group.replacements = 0
            group.scaling.warmup_seconds = None
        pool = group.warm_pool
        if pool and pool.deleting and not any(m.is_warmed for m in group.members.values()):
            group.warm_pool = None
            self.changed = True
        if group.deleting and not group.members:
            del self.region.groups[group.name]
            self.changed = True
