"""Waiting until a server group is healthy, saying why it is not yet, and giving up when it will not be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from pavedroad.clouds.model import Activity, Instance, ServerGroup, TargetGroup, TargetHealth
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import NotFound, PavedError, Unavailable
from pavedroad.core.showing import last_lines, shown
from pavedroad.delivery import cluster, naming
from pavedroad.delivery.evidence import Repeated, asked, last_word, patience
from pavedroad.delivery.failures import NotUp
from pavedroad.delivery.reasons import shortfall

_QUICK = 0.15
_QUICK_FOR = 15.0
_SLOW = 1.0
_ENDED = 2
_SAME_END = 2.0
"""Seconds within which two ends of a wait are one."""
_REFUSED = 3
_LINES = 20
_LAST = 200
_NOT_ITS_OWN = "[pavedroad]"
_TOLD = 3
_TERMINATING = re.compile(r"[Tt]erminating EC2 instance: (i-[0-9a-f]+)")
_SHUT_DOWN = re.compile(r"UserInitiatedShutdown|User initiated")
_CODE = re.compile(r"^(?:Client|Server)\.\w+: ")
_NO_ROOM = re.compile(r"capacity|limit", re.IGNORECASE)
_HOPELESS = re.compile(r"does not exist|not found|InvalidAMIID|Invalid", re.IGNORECASE)


class Told(Protocol):
    """Where the wait says what it waits for, and until when."""

    def __call__(self, sentence: str, until: datetime, /) -> Awaitable[None]: ...


class HealthWait:
    """One wait for one group to have `wanted` healthy instances."""

    def __init__(
        self,
        cloud: Cloud,
        clock: Clock,
        group: str,
        wanted: int,
        *,
        within: float,
        spent: float = 0.0,
        since: datetime | None = None,
    ) -> None:
        """`spent` seconds of `within` are over already; what the group did before `since` does not count
        against it."""
        self._cloud = cloud
        self._clock = clock
        self._group = group
        self._wanted = wanted
        self._within = within
        self._spent = spent
        self._since = since
        self._seen: dict[str, None] = {}
        self._repeated = Repeated()
        self._asks: TargetGroup | None = None

    async def run(self, told: Told, stop: Callable[[], Awaitable[None]]) -> None:
        """Return when the group is healthy, or raise `NotUp`; `stop` raises to end the wait from outside."""
        start = self._clock.monotonic() - self._spent
        last: tuple[str, int] = ("", 0)
        self._asks = await self._asked()
        while True:
            await stop()
            group, health, activities = await self._read()
            waiting_for = await self._missing(group, health, activities)
            if waiting_for is None:
                return
            await self._give_up_if_hopeless(group, health, activities)
            waited = self._clock.monotonic() - start
            left = await self._left(group, health, self._within - waited)
            if waited >= self._within:
                raise await self._not_up(self._too_late(waiting_for), health)
            until = self._clock.now() + timedelta(seconds=left)
            now = waiting_for, round(until.timestamp() / _SAME_END)
            if now[0] != last[0] or abs(now[1] - last[1]) > 1:
                await told(waiting_for, until)
                last = now
            await asyncio.sleep(_QUICK if waited < _QUICK_FOR else _SLOW)

    async def _asked(self) -> TargetGroup | None:
        try:
            return await self._cloud.target_group(naming.balancing_name(self._group))
        except NotFound:
            return None

    async def _left(self, group: ServerGroup, health: dict[str, TargetHealth], at_most: float) -> float:
        """Seconds until it is given up; raises where every instance has given its last word long enough."""
        members = [member.instance_id for member in group.members]
        if self._asks is None or len(members) < self._wanted:
            return at_most
        alike = self._repeated.look(health, members, self._asks, self._clock.monotonic())
        if alike is None:
            return at_most
        left = patience(self._asks.health_check) - alike
        if left > 0:
            return min(left, at_most)
        answers = self._repeated.answers
        found = {one.id: one.address for one in await self._cloud.instances(list(answers))}
        word = last_word(self._asks, found, answers)
        raise await self._not_up(f"{self._group} will not become healthy: {word}.", health)

    def _too_late(self, waiting_for: str) -> str:
        told = f"{self._group} was not healthy within {_spoken(self._within)}: {waiting_for}"
        if self._repeated.first is not None and self._asks is not None:
            name, answer = self._repeated.first
            return f"{told} Before, {asked(self._asks, name)} {answer.told}."
        asks = f" The health check asks {asked(self._asks, 'each')}." if self._asks is not None else ""
        return f"{told}{asks} One that boots slower needs a longer strategy.boot_timeout in paved.yaml."

    async def _read(self) -> tuple[ServerGroup, dict[str, TargetHealth], list[Activity]]:
        try:
            group = await self._cloud.server_group(self._group)
        except NotFound as error:
            raise NotUp(f"{self._group} is gone: someone deleted it.") from error
        if group.deleting:
            raise NotUp(f"{self._group} is being deleted: someone else deleted it.")
        health, activities = await asyncio.gather(
            cluster.health_of(self._cloud, group), self._cloud.activities(self._group)
        )
        if self._since is not None:
            activities = [activity for activity in activities if activity.started_at >= self._since]
        self._seen.update(dict.fromkeys(member.instance_id for member in group.members))
        return group, health, activities

    async def _missing(
        self, group: ServerGroup, health: dict[str, TargetHealth], activities: list[Activity]
    ) -> str | None:
        """None when all is well, else one sentence on what is still missing."""
        states = {member.instance_id: health.get(member.instance_id) for member in group.members}
        healthy = sum(1 for target in states.values() if target is not None and target.state == "healthy")
        if healthy >= self._wanted:
            return None
        reasons = {
            instance: "not yet registered with the load balancer"
            if target is None
            else target.reason or f"its health is {target.state}"
            for instance, target in states.items()
            if target is None or target.state != "healthy"
        }
        failed = next((activity for activity in activities if activity.status == "Failed"), None)
        launching = failed.message if failed is not None else "instances are being launched"
        return shortfall(healthy, self._wanted, reasons, otherwise=launching)

    async def _give_up_if_hopeless(
        self, group: ServerGroup, health: dict[str, TargetHealth], activities: list[Activity]
    ) -> None:
        refused = [activity for activity in activities if activity.status == "Failed"]
        newest_refused = bool(activities) and activities[0].status == "Failed"
        if newest_refused and len(group.members) < self._wanted:
            message = refused[0].message.rstrip(".")
            if _HOPELESS.search(message) and not _NO_ROOM.search(message):
                raise await self._not_up(f"{self._group} cannot launch instances: {message}.", health)
            if len(refused) >= _REFUSED:
                raise await self._not_up(f"The cloud refused capacity for {self._group}: {message}.", health)
        gone = self._ended(group, activities)
        if len(gone) < max(_ENDED, self._wanted):
            return
        ended = await self._by_themselves(gone)
        if len(ended) >= max(_ENDED, self._wanted):
            told = f"end while they boot ({len(ended)} so far): {_end_of(ended[0])}"
            raise await self._not_up(
                f"The instances of {self._group} {told}.", health, [one.id for one in ended]
            )

    def _ended(self, group: ServerGroup, activities: list[Activity]) -> list[str]:
        """The group's instances that are gone, the newest first as far as is known."""
        terminated = (match[1] for a in activities if (match := _TERMINATING.search(a.description)))
        present = {member.instance_id for member in group.members}
        return list(dict.fromkeys([*terminated, *(i for i in reversed(self._seen) if i not in present)]))

    async def _by_themselves(self, gone: list[str]) -> list[Instance]:
        """Those that ended by themselves, the first first: others are ended in their wake, or as their health
        is not what it should be."""
        found = {instance.id: instance for instance in await self._cloud.instances(gone)}
        told = [found[name] for name in reversed(gone) if name in found]
        return [one for one in told if one.state_reason and not _SHUT_DOWN.search(one.state_reason)]

    async def _not_up(
        self, sentence: str, health: dict[str, TargetHealth], ended: list[str] | None = None
    ) -> NotUp:
        """The failure with the last lines of an instance that failed, the likeliest to tell first."""
        unhealthy = [instance for instance, target in health.items() if target.state != "healthy"]
        candidates: list[str] = list(dict.fromkeys([*(ended or []), *unhealthy, *reversed(self._seen)]))
        for instance in candidates[:_TOLD]:
            text = await console_tail(self._cloud, instance)
            if text:
                own = [line.strip() for line in text.splitlines() if not line.startswith(_NOT_ITS_OWN)]
                last = shown(own[-1]) if own else ""
                said = f" It wrote last: {last[:_LAST]}" if ended and last and instance == ended[0] else ""
                return NotUp(sentence + said, console=text)
        return NotUp(sentence)


async def console_tail(cloud: Cloud, instance: str, lines: int = _LINES) -> str:
    """The last lines that an instance wrote; empty when there are none to be had."""
    try:
        text = await cloud.console(instance)
    except Unavailable:
        raise
    except PavedError:
        return ""
    return last_lines(text.rstrip(), lines)


def _end_of(instance: Instance) -> str:
    return f"{instance.id} {_CODE.sub('', instance.state_reason).rstrip('.')}"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
