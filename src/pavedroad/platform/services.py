"""The composition root: the one place that names concrete parts and puts them together."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from pavedroad.access.service import Access
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.ports import CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.events import Events
from pavedroad.delivery.service import Delivery
from pavedroad.platform.settings import Settings

_CLOUD_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """All that the HTTP API and the portal work with."""

    settings: Settings
    clock: Clock
    started_at: datetime
    events: Events
    clouds: CloudProvider
    access: Access
    bakery: Bakery
    delivery: Delivery
