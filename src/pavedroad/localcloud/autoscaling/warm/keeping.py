"""One look at a warm pool: instances are prepared, put to rest, and taken away until it has its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pavedroad.localcloud.autoscaling import backoff, health, leaving, wording
from pavedroad.localcloud.autoscaling.hooks import hooked
from pavedroad.localcloud.autoscaling.hooks.messages import Notices
from pavedroad.localcloud.autoscaling.launching import Launcher
from pavedroad.localcloud.autoscaling.model import ENDING, Group, Member, Region
from pavedroad.localcloud.autoscaling.warm.model import WarmPool
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Compute, Machine

RESTING = ("Warmed:Stopped", "Warmed:Running")


@dataclass(slots=True)
class Keeping:
    region: Region
    group: Group
    pool: WarmPool | None
    compute: Compute
    machines: Mapping[str, Machine | None]
    notices: Notices
    now: datetime
    changed: bool = False

    def tend(self) -> Iterator[None]:
        for member in [member for member in self.group.members.values() if member.is_warmed]:
            if member.id not in self.machines:
                continue  # Launched, or sent here, in this pass: the next one sees its machine.
            if member.is_ending:
                yield from self._see_off(member)
            elif member.state in RESTING:
                if not self.group.suspends("HealthCheck", "ReplaceUnhealthy", "Terminate"):
                    self._check(member)
            else:
                yield from self._prepare(member)
        if self.pool is not None:
            yield from self._resize(self.pool)

    def _prepare(self, member: Member) -> Iterator[None]:
        """It runs, passes its hooks, and comes to rest."""
        machine = self.machines[member.id]
        if member.state == "Warmed:Pending:Proceed":
            yield from self._put_to_rest(member, machine)
        elif health.is_down(machine):
            if member.origin == "AutoScalingGroup" and machine is not None and not health.is_gone(machine):
                yield from self._put_to_rest(member, machine)
            else:
                self._lose(member, machine)
        elif machine is not None and machine.state == "running":
            yield from self._pass_hooks(member, machine)

    def _pass_hooks(self, member: Member, machine: Machine) -> Iterator[None]:
        if member.state == "Warmed:Pending:Wait":
            verdict = hooked.verdict(member, self.now)
            if verdict == "ABANDON":
                hooked.give_up(self.region, self.group, member, self.now)
            elif verdict == "CONTINUE":
                member.state = "Warmed:Pending:Proceed"
            self.changed |= verdict is not None
        elif member.origin == "EC2" and hooked.begin_warming(self.notices, self.group, member, self.now):
            self.changed = True
        else:
            yield from self._put_to_rest(member, machine)

    def _put_to_rest(self, member: Member, machine: Machine | None) -> Iterator[None]:
        member.actions.clear()
        runs = self.pool is not None and self.pool.state == "Running"
        if runs and machine is not None and machine.state == "running":
            self._rest(member, running=True)
        elif machine is not None and machine.state in ("pending", "running"):
            if member.state != "Warmed:Pending:Proceed":
                member.state, self.changed = "Warmed:Pending:Proceed", True
            if self._tried(member, lambda: self.compute.stop(member.id)):
                self.changed = True
                yield
        elif machine is not None and machine.state == "stopped":
            self._rest(member, running=False)
        elif health.is_gone(machine) or (machine is not None and machine.state == "shutting-down"):
            self._lose(member, machine)

    def _rest(self, member: Member, *, running: bool) -> None:
        member.state = "Warmed:Running" if running else "Warmed:Stopped"
        member.origin = "WarmPool"
        if member.activity is not None:
            member.activity.end("Successful", self.now)
            member.activity = None
        self.changed = True

    def _check(self, member: Member) -> None:
        """What rests stays as it was put; anything else is replaced."""
        machine = self.machines[member.id]
        expected = "running" if member.state == "Warmed:Running" else "stopped"
        if machine is not None and machine.state == "pending" and expected == "running":
            return  # It boots again, after a restart of the whole cloud.
        if machine is None or machine.state != expected or member.health == "Unhealthy":
            because = member.unhealthy_because or wording.TERMINATED_OR_STOPPED
            cause = wording.unhealthy(self.now, because)
            leaving.terminate(self.region, self.group, member, cause, self.now)
            self.changed = True

    def _lose(self, member: Member, machine: Machine | None) -> None:
        """It ended before it was prepared."""
        group = self.group
        if member.activity is not None:
            reason = machine.state_reason if machine else "the instance is not known to EC2"
            member.activity.end("Cancelled", self.now, wording.died_pending(reason))
            member.activity = None
        group.launch_backoff = backoff.after_failure(group.launch_backoff, self.now)
        member.actions.clear()
        member.unhooked = True
        member.state = "Warmed:Terminating"
        self.changed = True

    def _see_off(self, member: Member) -> Iterator[None]:
        machine = self.machines[member.id]
        if not member.terminated and not self._lets_go(member):
            return
        if not member.terminated and not health.is_gone(machine):
            reason = f"Terminated by the warm pool of the Auto Scaling group {self.group.name}."
            if not self._tried(member, lambda: self.compute.terminate(member.id, reason)):
                return
            member.terminated = self.changed = True
            yield
            machine = self.compute.machine(member.id)
        if health.is_gone(machine):
            if member.activity is not None:
                member.activity.end("Successful", self.now)
            del self.group.members[member.id]
            self.changed = True

    def _lets_go(self, member: Member) -> bool:
        """Whether the hooks of its termination are passed."""
        if member.state == "Warmed:Terminating":
            waits = hooked.begin_end(self.notices, self.group, member, self.now)
            self.changed |= waits
            return not waits
        if member.state == "Warmed:Terminating:Wait":
            if hooked.verdict(member, self.now) is not None:
                member.actions.clear()
                member.state, self.changed = "Warmed:Terminating:Proceed", True
            return False
        return True

    def _resize(self, pool: WarmPool) -> Iterator[None]:
        group = self.group
        staying = [m for m in group.members.values() if m.is_warmed and not m.is_ending]
        coming = [m for m in group.members.values() if m.state in ENDING and m.destination == "WarmPool"]
        held = sum(member.units for member in (*staying, *coming))
        surplus = held - pool.size(group.desired, group.maximum)
        if surplus > 0 and not group.suspends("Terminate"):
            yield from self._shrink(staying, surplus)
        elif surplus < 0 and not group.suspends("Launch") and group.capacity >= group.desired:
            yield from self._grow(-surplus)

    def _shrink(self, staying: list[Member], surplus: int) -> Iterator[None]:
        # Whoever is not prepared yet goes first.
        for member in sorted(staying, key=lambda one: (one.state in RESTING, one.launched_at)):
            if surplus < member.units:
                continue
            cause = wording.pool_shrunk(self.now, member.id)
            leaving.terminate(self.region, self.group, member, cause, self.now)
            surplus -= member.units
            self.changed = True
            yield

    def _grow(self, missing: int) -> Iterator[None]:
        launcher = Launcher(self.region, self.group, self.compute, self.now)
        counts: dict[str, int] = {}
        for warmed in self.group.members.values():
            if warmed.is_warmed:
                counts[warmed.zone] = counts.get(warmed.zone, 0) + warmed.units
        while missing > 0 and (place := launcher.next_place(counts)):
            zone, market = place
            if member := launcher.launch(zone, wording.pool_grown(self.now), market=market):
                member.state = "Warmed:Pending"
                if member.activity is not None:
                    member.activity.description = wording.launching_into_pool(member.id)
                counts[zone] = counts.get(zone, 0) + member.units
                missing -= member.units
            yield
        self.changed |= launcher.changed

    def _tried(self, member: Member, deed: Callable[[], None]) -> bool:
        """A refusal is told by the activity that is under way, and tried again."""
        try:
            deed()
        except ServiceError as refusal:
            activity = member.activity
            if activity is not None and activity.status_message != refusal.message:
                activity.status_message = refusal.message[: wording.LONGEST_MESSAGE]
                self.changed = True
            return False
        return True
