"""The composition root: the one place that names concrete parts and puts them together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pavedroad.access.service import Access
from pavedroad.access.tokens import check_file
from pavedroad.bakery.service import Bakery
from pavedroad.chaos.service import FaultInjection
from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.clouds.faults import FaultClient
from pavedroad.core.clock import Clock, SystemClock
from pavedroad.core.errors import StateUnreadable
from pavedroad.core.events import Events
from pavedroad.core.places import Places
from pavedroad.database.engine import Database, is_blank, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.database.slots import Slot, take_slot
from pavedroad.delivery.composing import REGIONS, compose
from pavedroad.delivery.service import Delivery
from pavedroad.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """All that the HTTP API and the portal work with."""

    settings: Settings
    clock: Clock
    started_at: datetime
    events: Events
    database: Database
    slot: Slot
    clouds: AwsClouds
    access: Access
    bakery: Bakery
    delivery: Delivery
    faults: FaultInjection


def build(settings: Settings) -> Services:
    """Put the parts together; nothing runs yet, and no cloud is called."""
    clock = SystemClock()
    events = Events()
    if not settings.database_url:
        _check_not_lost(settings.places)
    check_file(settings.places.token)
    database = Database(settings.database_url or sqlite_url(settings.places.database))
    slot = take_slot(database)
    migrate(database)
    regions = tuple(dict.fromkeys((settings.region, *REGIONS)))
    clouds = AwsClouds(endpoint_url=settings.endpoint, regions=regions if settings.private_cloud else ())
    access = Access(database, clock)
    delivery = compose(
        database=database,
        clouds=clouds,
        access=access,
        events=events,
        clock=clock,
        executor=slot.name,
        regions=regions,
    )
    return Services(
        settings=settings,
        clock=clock,
        started_at=clock.now(),
        events=events,
        database=database,
        slot=slot,
        clouds=clouds,
        access=access,
        bakery=Bakery(clouds, settings.places, clock, access, wanted_images=delivery.images_under_way),
        delivery=delivery,
        faults=FaultInjection(
            FaultClient(settings.endpoint) if settings.private_cloud and settings.endpoint else None, access
        ),
    )


def _check_not_lost(places: Places) -> None:
    """A home that has served, which is when it gets its token, does not begin a database without a word."""
    workflows = places.database.with_name("workflows.db")
    for path, beside in ((places.database, (places.token, workflows)), (workflows, (places.token,))):
        left = [str(it) for it in beside if it.exists()]
        if left and is_blank(path):
            raise StateUnreadable(
                f"The database {path} is missing or empty, and {left[0]} says that this home had one.",
                next_step=f"Put a copy of it in its place, with {path.name}-wal if there is one; or move "
                f"{' and '.join(left)} away, to begin anew without what it knew.",
            )


@asynccontextmanager
async def serving(services: Services) -> AsyncGenerator[None]:
    """While the API serves: the token is there, and what was under way goes on."""
    await services.bakery.start()
    await services.delivery.start()
    await services.access.tokens.keep_first(services.settings.places.token)
    try:
        yield
    finally:
        await services.bakery.close()
        await services.delivery.stop()
        await services.access.attempts.close()
        services.faults.close()
        services.clouds.close()
        services.slot.release()
        services.database.close()
