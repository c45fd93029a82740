"""Putting delivery together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from pavedroad.access.service import Access
from pavedroad.clouds.ports import CloudProvider
from pavedroad.core.checkpoints import Checkpoints, NoCheckpoints
from pavedroad.core.clock import Clock
from pavedroad.core.events import Events
from pavedroad.database.engine import Database
from pavedroad.delivery.durable import Durable
from pavedroad.delivery.estate import Estate
from pavedroad.delivery.journal import Journal
from pavedroad.delivery.overview import Overview
from pavedroad.delivery.regions import Regions
from pavedroad.delivery.removing import Removing
from pavedroad.delivery.retiring import Retiring
from pavedroad.delivery.rolling_back import RollingBack
from pavedroad.delivery.rollout import Rollout
from pavedroad.delivery.service import MINDED_EVERY, Delivery
from pavedroad.delivery.turns import LEASE_SECONDS, Turns

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")


def compose(
    *,
    database: Database,
    clouds: CloudProvider,
    access: Access,
    events: Events,
    clock: Clock,
    executor: str = "control-1",
    regions: Sequence[str] = REGIONS,
    checkpoints: Checkpoints | None = None,
    patience: float = 10.0,
    lease: float = LEASE_SECONDS,
    minded_every: float = MINDED_EVERY,
) -> Delivery:
    """`executor` names this process's slot: unique among those that run, the same after a restart; `patience`
    is how many seconds a region may take to answer."""
    durable = Durable(
        workflows_url(database.url), executor=executor, checkpoints=checkpoints or NoCheckpoints()
    )
    estate = Estate(Regions(clouds, regions, clock, patience=patience))
    turns = Turns(database, clock, executor, lease=lease)
    journal = Journal(database, turns, access.audit, events, clock)
    removing = Removing(clouds, durable, turns, access.audit)
    retiring = Retiring(
        clouds=clouds,
        database=database,
        durable=durable,
        turns=turns,
        removing=removing,
        journal=journal,
        audit=access.audit,
        events=events,
        clock=clock,
    )
    rollout = Rollout(
        clouds=clouds, durable=durable, turns=turns, journal=journal, retiring=retiring, clock=clock
    )
    rolling_back = RollingBack(
        estate=estate, access=access, turns=turns, retiring=retiring, events=events, clock=clock
    )
    return Delivery(
        durable=durable,
        overview=Overview(estate, journal, clock),
        estate=estate,
        access=access,
        journal=journal,
        turns=turns,
        rollout=rollout,
        removing=removing,
        retiring=retiring,
        rolling_back=rolling_back,
        events=events,
        clock=clock,
        minded_every=minded_every,
    )


def workflows_url(database: sa.URL) -> sa.URL:
    """Workflows live in a schema of the same Postgres, or in a SQLite file beside ours."""
    if database.get_backend_name() != "sqlite":
        return database
    return database.set(database=str(Path(database.database or "").with_name("workflows.db")))
