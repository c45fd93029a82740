"""Giving the traffic back: what a rollback would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import PavedError
from pavedroad.core.events import Event, Events
from pavedroad.delivery import traffic
from pavedroad.delivery.cluster import Cluster, look
from pavedroad.delivery.estate import Estate
from pavedroad.delivery.fencing import move, note
from pavedroad.delivery.model import ClusterView, RollbackPlan, RollbackView, WhenCold
from pavedroad.delivery.retiring import Retiring
from pavedroad.delivery.sizes import Sizes, standing_in, together
from pavedroad.delivery.standing import Choice, choose, standings_of_view
from pavedroad.delivery.turns import Turn, Turns


@dataclass(frozen=True, slots=True)
class Asked:
    """A rollback as it is asked for: to which group, with how many instances, and what to do where that group
    is not warm; `stop` raises to end its warm-up."""

    to: str | None = None
    capacity: int | None = None
    when_cold: WhenCold = "warm-up"
    stop: traffic.Stop = traffic.never


class How(TypedDict, total=False):
    """As `Asked`, without the group."""

    capacity: int | None
    when_cold: WhenCold
    stop: traffic.Stop


class RollingBack:
    """Chooses by who served last, and keeps the capacity."""

    def __init__(
        self,
        *,
        estate: Estate,
        access: Access,
        turns: Turns,
        retiring: Retiring,
        events: Events,
        clock: Clock,
    ) -> None:
        self._estate = estate
        self._access = access
        self._turns = turns
        self._retiring = retiring
        self._events = events
        self._clock = clock

    async def plan(self, cluster: str, to: str | None = None, capacity: int | None = None) -> RollbackPlan:
        """What a rollback would do now."""
        cloud, found = await self._estate.find(cluster)
        choice = await traffic.choose_rollback(cloud, found, self._turns.lineage, to)
        return self._told(cluster, choice, await self._wanted(choice, capacity))

    async def plan_of(self, cluster: ClusterView) -> RollbackPlan | None:
        """As `plan`, of what is shown; None where there is nothing to go back to."""
        present = standings_of_view(cluster)
        serving = [held.known for held in reversed(present) if held.serving]
        line = await self._turns.lineage.line(cluster.name, {held.known for held in present}, serving)
        try:
            choice = choose(cluster.name, present, line, None)
        except PavedError:
            return None
        return self._told(cluster.name, choice, await self._wanted(choice, None))

    async def roll_back(self, principal: Principal, cluster: str, asked: Asked) -> RollbackView:
        """In one step where the group is warm, and has as many instances as it takes the traffic from."""
        began = self._clock.monotonic()
        async with self._access.acting(principal, "rollback", cluster, {"to": asked.to or ""}) as told:
            doing = f"{principal.name} is rolling it back"
            async with self._turns.operation(cluster, doing) as turn:
                cloud, found = await self._estate.find(cluster)
                choice = await traffic.choose_rollback(cloud, found, self._turns.lineage, asked.to)
                wanted = await self._wanted(choice, asked.capacity)
                group = found.group(choice.to.name)
                if choice.to.healthy < _enough(choice, asked.capacity):
                    if asked.when_cold == "refuse":
                        raise traffic.cold(choice, wanted)
                    await self._warm_up(cloud, found, group, wanted, asked.stop, turn)
                    found = await look(cloud, cluster)
                else:
                    await traffic.resize(cloud, group, choice.to.sizes, wanted)
                for held in found.serving:  # before the flip: a retirement leaves alone what takes traffic
                    if held.name != group.name:
                        await self._retiring.retire(cloud.region, cluster, held)
                weights = found.weights_with(group)
                await move(cloud, found, weights, turn)
                seconds = self._clock.monotonic() - began
                await note(found, weights, turn)
                await self._retiring.forget(group.name)
            losing = ", ".join(held.name for held in choice.losing)
            told.update({"to": group.name, "from": losing, "seconds": round(seconds, 3)})
        self._events.publish(Event("cluster.changed", cluster, {"why": f"rolled back to {group.name}"}))
        return RollbackView(cluster, losing, group.name, seconds, self._done(cluster, choice))

    async def _wanted(self, choice: Choice, told: int | None) -> Sizes:
        """The sizes of the group that takes the traffic: one that was shrunk gets its own back."""
        losing = together(held.sizes for held in choice.losing)
        own = choice.to.sizes
        if own.desired == 0:
            own = await self._retiring.sizes(choice.to.name) or losing
        return standing_in(own, losing, told)

    async def _warm_up(  # noqa: PLR0917
        self,
        cloud: Cloud,
        cluster: Cluster,
        group: ServerGroup,
        wanted: Sizes,
        stop: traffic.Stop,
        turn: Turn,
    ) -> None:
        """A retired group retires anew from here on, so that a warm-up that dies leaves nothing for ever."""
        if await self._retiring.sizes(group.name) is not None:
            await self._retiring.retire(cloud.region, cluster.name, group)
        await traffic.warm_up(cloud, cluster, group, wanted, self._clock, stop=stop, turn=turn)

    def _told(self, cluster: str, choice: Choice, wanted: Sizes) -> RollbackPlan:
        now = self._clock.now()
        to, losing = choice.to.brief(now), tuple(held.brief(now) for held in choice.losing)
        verb = "back " if choice.back else ""
        return RollbackPlan(
            cluster=cluster,
            to=to,
            losing=losing,
            others=tuple(held.brief(now) for held in choice.others),
            back=choice.back,
            ready=choice.to.healthy >= _enough(choice, None),
            capacity=wanted.desired,
            sentence=f"The traffic of {cluster} goes {verb}to {to.described}"
            + (f"; it leaves {' and '.join(group.described for group in losing)}." if losing else "."),
        )

    def _done(self, cluster: str, choice: Choice) -> str:
        now = self._clock.now()
        losing = " and ".join(held.brief(now).described for held in choice.losing)
        again = " again" if choice.back else ""
        off = f"; off: {losing}" if losing else ""
        return f"{cluster} is{again} served by {choice.to.brief(now).described}{off}."


def _enough(choice: Choice, told: int | None) -> int:
    return choice.enough if told is None else max(1, told)
