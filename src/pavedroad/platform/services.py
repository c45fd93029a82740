"""The composition root: the one place that names concrete parts and puts them together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pavedroad.access.audit import Audit
from pavedroad.access.service import Access
from pavedroad.access.tokens import Tokens
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.core.clock import Clock, SystemClock
from pavedroad.core.events import Events
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.delivery.service import Delivery
from pavedroad.platform.settings import Settings

_CLOUD_EVERY = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """All that the HTTP API and the portal work with."""

    settings: Settings
    clock: Clock
    started_at: datetime
    events: Events
    database: Database
    clouds: AwsClouds
    access: Access
    bakery: Bakery
    delivery: Delivery


def build(settings: Settings) -> Services:
    """Put the parts together; nothing runs yet, and no cloud is called."""
    clock = SystemClock()
    events = Events()
    database = Database(settings.database_url or sqlite_url(settings.places.database))
    migrate(database)
    clouds = AwsClouds(endpoint_url=settings.endpoint)
    audit = Audit(database, clock)
    return Services(
        settings=settings,
        clock=clock,
        started_at=clock.now(),
        events=events,
        database=database,
        clouds=clouds,
        access=Access(Tokens(database, clock), audit),
        bakery=Bakery(clouds, settings.places, clock, audit),
        delivery=Delivery(clouds, database, clock, audit, events),
    )


@asynccontextmanager
async def serving(services: Services) -> AsyncGenerator[None]:
    """While the API serves: the token is there, and durable work goes on once the cloud answers."""
    await services.access.tokens.keep_first(services.settings.places.token)
    resuming = asyncio.create_task(_resume(services))
    try:
        yield
    finally:
        resuming.cancel()
        await services.delivery.stop()
        services.clouds.close()
        services.database.close()


async def _resume(services: Services) -> None:
    """What was under way goes on, but not before there is a cloud to go on with."""
    cloud = services.clouds.region(services.settings.region)
    while True:
        if await cloud.reachable():
            break
        await asyncio.sleep(_CLOUD_EVERY)
    await services.delivery.start()
