"""Replacing members while their group serves: those that are ill, that may be interrupted, and that are old.

Ill ones go at once, and others are launched for them, unless a maintenance policy says how much has to stay
healthy. Whoever may be interrupted goes after its replacement has come. Old ones go a tenth at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import backoff, health, leaving, spread, wording
from pavedroad.localcloud.autoscaling.launching import Launcher
from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.ports import Machine

YOUNG = timedelta(seconds=60)
"""An instance that ends within this time in service counts as a failed launch."""


@dataclass(slots=True)
class Replacing:
    region: Region
    group: Group
    launcher: Launcher
    machines: Mapping[str, Machine | None]
    now: datetime
    changed: bool = False

    def run(self) -> Iterator[None]:
        group = self.group
        yield from self._finish()
        if group.suspends("Terminate"):
            return
        if not group.suspends("ReplaceUnhealthy"):
            yield from self._replace_ill()
        if group.suspends("Launch") or group.deleting:
            return
        if group.capacity_rebalance:
            yield from self._replace_at_risk()
        if group.max_instance_lifetime and group.refresh is None:
            yield from self._replace_old(timedelta(seconds=group.max_instance_lifetime))

    def _finish(self) -> Iterator[None]:
        """A replacement in service sends the one off that it was launched for."""
        for member in list(self.group.members.values()):
            if member.replaces and member.state == "InService":
                old = self.group.members.get(member.replaces)
                member.replaces = ""
                self.changed = True
                if old is not None and old.in_capacity:
                    yield from self._send_off(old, old.outgoing_because)

    def _replace_ill(self) -> Iterator[None]:
        for member in self._serving():
            if member.health == "Unhealthy":
                yield from self._replace(member, wording.unhealthy(self.now, member.unhealthy_because))

    def _replace_at_risk(self) -> Iterator[None]:
        """Beyond the desired capacity, and if need be a tenth of it beyond the maximum."""
        room = max(1, -(-self.group.desired // 10)) - self._coming()
        for member in self._serving():
            machine = self.machines.get(member.id)
            if machine is None or not (machine.rebalance_recommended or machine.interrupted):
                continue
            if room > 0 and not self._is_replaced(member):
                cause = wording.unhealthy(self.now, wording.REBALANCE_RECOMMENDED)
                yield from self._launch_for(member, cause)
                room -= 1

    def _replace_old(self, lifetime: timedelta) -> Iterator[None]:
        group = self.group
        old = [
            member
            for member in self._serving()
            if self.now >= member.launched_at + lifetime
            and not member.protected
            and not self._is_replaced(member)
        ]
        if not old:
            return
        under_way = sum(1 for m in group.members.values() if m.in_capacity and not _is_well(m))
        room = max(1, group.desired // 10) - under_way - max(0, group.desired - group.capacity)
        for member in sorted(old, key=lambda one: one.launched_at)[: max(0, room)]:
            yield from self._replace(member, wording.unhealthy(self.now, wording.LIFETIME_EXCEEDED))

    def _replace(self, member: Member, cause: str) -> Iterator[None]:
        """One that has to go: at once, or after its replacement has come."""
        group = self.group
        died = health.is_down(self.machines.get(member.id))
        if not died and not self._may_go(member):
            if not group.suspends("Launch") and self._may_rise(member) and not self._is_replaced(member):
                yield from self._launch_for(member, cause)
            return
        if died and member.in_service_at and self.now < member.in_service_at + YOUNG:
            group.launch_backoff = backoff.after_early_end(group.launch_backoff, self.now)
        group.replacements += 1
        yield from self._send_off(member, cause)

    def _serving(self) -> list[Member]:
        return [member for member in self.group.members.values() if member.state == "InService"]

    def _is_replaced(self, member: Member) -> bool:
        return any(m.replaces == member.id for m in self.group.members.values() if m.in_capacity)

    def _coming(self) -> int:
        """How many replacements are on their way."""
        return sum(1 for m in self.group.members.values() if m.replaces and m.in_capacity)

    def _may_go(self, member: Member) -> bool:
        """Whether enough stay healthy without it; where no more may be launched, one at a time may go."""
        group, policy = self.group, self.group.maintenance
        if policy is None:
            return True
        staying = sum(m.units for m in self._serving() if _is_well(m) and m is not member)
        if staying * 100 >= policy.least * group.desired:
            return True
        settled = group.capacity >= group.desired and not any(
            m.in_capacity and m.state != "InService" for m in group.members.values()
        )
        return settled and not self._may_rise(member) and not self._is_replaced(member)

    def _may_rise(self, member: Member) -> bool:
        """Whether its replacement may be launched before it goes."""
        policy = self.group.maintenance
        most = policy.most if policy else 100
        return self.group.capacity + member.units <= -(-most * self.group.desired // 100)

    def _launch_for(self, old: Member, cause: str) -> Iterator[None]:
        """Its replacement; the old one goes when that is in service."""
        counts = spread.count_by_zone(self.group.members.values())
        counts[old.zone] -= old.units
        usable = self.launcher.usable_zones(old.market)
        if usable:
            zone = spread.leanest(counts, usable)
            because = wording.replacing(self.now, old.id)
            self.changed = True
            old.outgoing_because = cause
            self.launcher.launch(zone, because, market=old.market, rebalancing=True, replaces=old.id)
            yield

    def _send_off(self, member: Member, cause: str) -> Iterator[None]:
        leaving.terminate(self.region, self.group, member, cause, self.now)
        self.changed = True
        yield


def _is_well(member: Member) -> bool:
    return member.state == "InService" and member.health == "Healthy"
