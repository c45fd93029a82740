"""Delivery over a cloud in memory, with what tests ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pavedroad.access.model import AuditEntry, AuditQuery, Principal, Role
from pavedroad.access.service import Access
from pavedroad.clouds.memory import MemoryCloud, MemoryClouds
from pavedroad.clouds.model import ImageSpec, Listener
from pavedroad.clouds.regions import check_region
from pavedroad.core.checkpoints import Checkpoints
from pavedroad.core.clock import SystemClock
from pavedroad.core.errors import NotFound
from pavedroad.core.events import Events
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.database.slots import take_slot
from pavedroad.delivery.composing import compose
from pavedroad.delivery.model import DeploymentView, DeployRequest
from pavedroad.delivery.service import MINDED_EVERY, Delivery

REGIONS = ("us-east-1", "eu-west-1")
DEE = Principal("dee", frozenset({Role.DEPLOYER}))
VIC = Principal("vic", frozenset({Role.VIEWER}))


class WatchedCloud(MemoryCloud):
    """Remembers each change of weights, and never lets one take the last healthy group's traffic."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.flips: list[dict[str, int]] = []

    async def set_weights(self, listener: Listener, weights: Mapping[str, int]) -> None:
        served = await self._healthy(listener.weights)
        await super().set_weights(listener, weights)
        assert not served or await self._healthy(weights), f"nobody serves any more: {weights}"
        self.flips.append({target.split("/")[1]: weight for target, weight in weights.items()})

    async def _healthy(self, weights: Mapping[str, int]) -> bool:
        health = [await self.target_health(target) for target, weight in weights.items() if weight]
        return any(target.state == "healthy" for targets in health for target in targets)


class WatchedClouds(MemoryClouds):
    def __init__(self) -> None:
        super().__init__()
        self._watched = {region: WatchedCloud(region) for region in REGIONS}

    def region(self, name: str) -> WatchedCloud:
        check_region(name, REGIONS)
        return self._watched[name]


@dataclass(frozen=True, slots=True)
class Road:
    """What a test drives."""

    delivery: Delivery
    clouds: WatchedClouds
    access: Access
    events: Events
    database: Database

    @property
    def cloud(self) -> WatchedCloud:
        """The cloud of us-east-1."""
        return self.clouds.region("us-east-1")

    async def image(
        self, version: str, region: str = "us-east-1", application: str = "hello", commit: str = ""
    ) -> str:
        """The image of a version: one that there is, or a new one."""
        name = f"{application}-{version}"
        cloud = self.clouds.region(region)
        if known := [image for image in await cloud.images() if image.name == name]:
            return known[0].id
        tags = {"pavedroad:version": version, "pavedroad:application": application}
        tags |= {"pavedroad:commit": commit} if commit else {}
        return (await cloud.register_image(ImageSpec(name, "bucket/manifest.json", "", tags))).id

    async def begin(self, version: str, **manifest: Any) -> DeploymentView:
        """Deploy a version without waiting for it."""
        when_busy = manifest.pop("when_busy", "refuse")
        image = await self.image(
            version, manifest.get("region", "us-east-1"), manifest.get("application", "hello")
        )
        request = DeployRequest(manifest_of(**manifest), image, when_busy)
        return await self.delivery.deploy(DEE, request)

    async def end(self, deployment: str) -> DeploymentView:
        """A deployment when it has ended."""
        async for told in self.delivery.follow(deployment):
            if isinstance(told, DeploymentView):
                return told
        raise AssertionError("the story has no end")

    async def deploy(self, version: str, **manifest: Any) -> DeploymentView:
        return await self.end((await self.begin(version, **manifest)).id)

    async def shipped(self, version: str, **manifest: Any) -> DeploymentView:
        """A deployment that went well."""
        view = await self.deploy(version, **manifest)
        assert view.phase == "succeeded", view.error
        return view

    async def weights(self, cluster: str = "hello") -> dict[str, int]:
        """Percent of the traffic by group, of groups that are here to stay."""
        view = await self.delivery.cluster(cluster)
        return {group.name: group.weight for group in view.server_groups if not group.deleting}

    async def is_swept(self, group: str) -> bool:
        """Whether nothing is left of a group."""
        for look in (self.cloud.server_group, self.cloud.target_group):
            try:
                await look(group)
            except NotFound:
                continue
            return False
        return True

    async def audited(self, **query: Any) -> list[AuditEntry]:
        return await self.access.audit.entries(AuditQuery(**query))


def manifest_of(**values: Any) -> dict[str, object]:
    """A paved.yaml as JSON, small and quick."""
    return {"application": "hello", "owner": "team-road", "command": "./serve", "capacity": 2, **values}


@asynccontextmanager
async def open_road(
    home: Path,
    *,
    clouds: Any = None,
    url: str | None = None,
    checkpoints: Checkpoints | None = None,
    patience: float = 10.0,
    lease: float = 20.0,
    minded_every: float = MINDED_EVERY,
) -> AsyncIterator[Road]:
    clock, events = SystemClock(), Events()
    clouds = clouds or WatchedClouds()
    database = Database(url or sqlite_url(home / "platform.db"))
    slot = take_slot(database)
    migrate(database)
    access = Access(database, clock)
    delivery = compose(
        database=database,
        clouds=clouds,
        access=access,
        events=events,
        clock=clock,
        executor=slot.name,
        regions=REGIONS,
        checkpoints=checkpoints,
        patience=patience,
        lease=lease,
        minded_every=minded_every,
    )
    try:
        await delivery.start()
        yield Road(delivery, clouds, access, events, database)
    finally:
        await delivery.stop()
        slot.release()
        database.close()
