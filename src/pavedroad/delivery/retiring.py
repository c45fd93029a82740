"""What becomes of a group that lost its traffic: kept warm for a while, then shrunk, then deleted.

Each step looks again, holding the cluster's turn: a group that takes traffic, or that was enabled or
disabled anew since, is left alone - whoever disabled it last has written its own retirement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.access.audit import Audit
from pavedroad.access.model import Actor
from pavedroad.access.naming import CLEANER
from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict
from pavedroad.core.events import Event, Events
from pavedroad.database.engine import Database
from pavedroad.delivery.cluster import Cluster, healthy_count, look
from pavedroad.delivery.durable import Document, Durable
from pavedroad.delivery.journal import Journal
from pavedroad.delivery.removing import Removing
from pavedroad.delivery.sizes import Sizes, of_group
from pavedroad.delivery.tables import RetirementRow
from pavedroad.delivery.turns import Turn, Turns
from pavedroad.manifest.model import Strategy

WORKFLOW = "retire"
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_CLEANER = Actor(CLEANER, "system")


class Retiring:
    """Retirements, each a durable workflow."""

    def __init__(
        self,
        *,
        clouds: CloudProvider,
        database: Database,
        durable: Durable,
        turns: Turns,
        removing: Removing,
        journal: Journal,
        audit: Audit,
        events: Events,
        clock: Clock,
    ) -> None:
        self._clouds = clouds
        self._journal = journal
        self._database = database
        self._durable = durable
        self._turns = turns
        self._removing = removing
        self._audit = audit
        self._events = events
        self._clock = clock
        durable.workflow(WORKFLOW, self._run)

    async def retire(self, region: str, cluster: str, group: ServerGroup) -> None:
        """From now on, as the manifest says by which the group was deployed."""
        manifest = await self._journal.manifest_of(group.name)
        strategy = manifest.strategy if manifest is not None else Strategy()
        retirement = f"retire-{group.name}-{self._clock.now().timestamp():.6f}"
        kept = strategy.model_copy(update={"kind": "red-black"})
        await self.write_down(retirement, cluster, group.name, of_group(group), kept)
        await self.begin(retirement, region, cluster, group.name, kept)

    async def write_down(
        self, retirement: str, cluster: str, group: str, had: Sizes, strategy: Strategy
    ) -> None:
        """From now on this retirement is the one that counts for the group. Twice is fine."""
        shrink_after, delete_after = delays(strategy)
        now = self._clock.now()

        def work(session: Session) -> None:
            held = session.get(RetirementRow, group)
            if held is not None and held.id == retirement:
                return
            sizes = _sizes(held, had)
            if held is not None:
                session.delete(held)
                session.flush()
            session.add(
                RetirementRow(
                    server_group=group,
                    cluster=cluster,
                    id=retirement,
                    minimum=sizes.minimum,
                    desired=sizes.desired,
                    maximum=sizes.maximum,
                    shrink_at=now + timedelta(seconds=shrink_after),
                    delete_at=now + timedelta(seconds=delete_after),
                )
            )

        await self._database.write(work)

    async def begin(self, retirement: str, region: str, cluster: str, group: str, strategy: Strategy) -> None:
        """Start the workflow of a retirement that is written down; started already is fine."""
        shrink_after, delete_after = delays(strategy)
        document: Document = {
            "region": region,
            "cluster": cluster,
            "server_group": group,
            "shrink_after": shrink_after,
            "delete_after": delete_after,
        }
        await self._durable.begin(WORKFLOW, retirement, {**document, "id": retirement})

    async def forget(self, *groups: str) -> None:
        """These groups do not retire: they serve again, or they are gone."""
        await self._database.write(
            lambda s: s.execute(sa.delete(RetirementRow).where(RetirementRow.server_group.in_(groups)))
        )

    async def sizes(self, group: str) -> Sizes | None:
        """What a retired group had before it was shrunk."""
        row = await self._database.read(lambda session: session.get(RetirementRow, group))
        return Sizes(row.minimum, row.desired, row.maximum) if row is not None else None

    async def _run(self, document: Document) -> None:
        region, group = str(document["region"]), str(document["server_group"])
        shrink_after, delete_after = float(document["shrink_after"]), float(document["delete_after"])
        if shrink_after < delete_after:
            await self._durable.sleep(shrink_after)
            if not await self._durable.step("shrink", lambda: self.act(document, self._shrink)):
                return
            await self._durable.sleep(delete_after - shrink_after)
        else:
            await self._durable.sleep(delete_after)
        if await self._durable.step("delete", lambda: self.act(document, self._delete)):
            await self._durable.step("sweep", lambda: self._sweep(region, group))

    async def act(self, document: Document, act: Act) -> bool:
        """Do one thing to the group when its time has come and it still may; False when it may no more."""
        cluster, group = str(document["cluster"]), str(document["server_group"])
        cloud = self._clouds.region(str(document["region"]))
        pause = _FIRST_PAUSE
        while True:
            if not await self._counts(str(document["id"]), group):
                return False
            try:
                doing = f"{group} is being cleaned up"
                async with self._turns.operation(cluster, doing, cleaning=True) as turn:
                    if not await self._counts(str(document["id"]), group):
                        return False
                    found = await look(cloud, cluster)
                    retired = next((held for held in found.present if held.name == group), None)
                    if retired is None:
                        return True  # it went already, perhaps by this very step before a crash
                    if found.weight(retired) > 0:
                        await self.forget(group)
                        return False
                    if await someone_serves(cloud, found):
                        await act(cloud, found, retired, turn)
                        return True
            except Conflict:
                pass  # someone works on the cluster: what they leave behind decides
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _shrink(self, cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn) -> None:
        await self._begin("shrink", group.name)
        await turn.check()
        await cloud.resize_server_group(group.name, minimum=0, maximum=group.maximum, desired=0)
        await self._tell("shrink", cluster.name, group.name)

    async def _delete(self, cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn) -> None:
        await self._begin("destroy", group.name)
        await self._removing.start(cloud, cluster, turn, group)
        await self._tell("destroy", cluster.name, group.name)

    async def _sweep(self, region: str, group: str) -> None:
        await self._removing.sweep(region, group)
        await self.forget(group)

    async def _begin(self, action: str, group: str) -> None:
        """What destroys is written down before it is done."""
        await self._database.write(lambda s: self._audit.add(s, _CLEANER, action, group, "begun"))

    async def _tell(self, action: str, cluster: str, group: str) -> None:
        await self._database.write(lambda s: self._audit.add(s, _CLEANER, action, group, "done"))
        self._events.publish(Event("cluster.changed", cluster, {"why": f"{action} {group}"}))

    async def _counts(self, retirement: str, group: str) -> bool:
        row = await self._database.read(lambda session: session.get(RetirementRow, group))
        return row is not None and row.id == retirement


class Act(Protocol):
    def __call__(
        self, cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn, /
    ) -> Awaitable[None]: ...


def delays(strategy: Strategy) -> tuple[float, float]:
    """Seconds until a group is shrunk, and until it is deleted; a highlander's rivals only drain."""
    if strategy.kind == "highlander":
        return strategy.drain, strategy.drain
    return strategy.shrink_after, strategy.delete_after


def _sizes(held: RetirementRow | None, had: Sizes) -> Sizes:
    """A group that was shrunk before keeps the sizes it had when it served."""
    if held is not None and had.desired == 0:
        return Sizes(held.minimum, held.desired, held.maximum)
    return had


async def someone_serves(cloud: Cloud, cluster: Cluster) -> bool:
    counts = await asyncio.gather(*(healthy_count(cloud, group) for group in cluster.serving))
    return any(counts)
