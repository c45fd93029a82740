"""Spot requests: what was asked, how far it has come, and what spot capacity costs here.

Prices are made up: nobody bids in this cloud. They follow from type, zone and time alone, move every six
hours, and stay between a quarter and a half of a plausible on-demand price, so that clients see a series
that behaves as AWS's and is the same whenever it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

STEP = timedelta(hours=6)
PRODUCT = "Linux/UNIX"
_VCPU_HOUR = 0.0316
_GIBIBYTE_HOUR = 0.0042

Behaviour = Literal["terminate", "stop", "hibernate"]
RequestState = Literal["open", "active", "closed", "cancelled", "disabled", "failed"]

MESSAGES = {
    "pending-evaluation": "Your Spot request has been submitted for review, and is pending evaluation.",
    "pending-fulfillment": "Your Spot request is pending fulfillment.",
    "price-too-low": "Your Spot request price is lower than the minimum required Spot request fulfillment "
    "price.",
    "capacity-not-available": "There is no Spot capacity available that matches your request.",
    "fulfilled": "Your Spot request is fulfilled.",
    "marked-for-termination": "Your Spot Instance is marked for termination.",
    "marked-for-stop": "Your Spot Instance is marked for stop.",
    "instance-terminated-no-capacity": "Your Spot Instance was terminated because there is no longer enough "
    "Spot capacity available.",
    "instance-stopped-no-capacity": "Your Spot Instance was stopped because there is no longer enough Spot "
    "capacity available.",
    "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
    "instance-terminated-by-service": "Your Spot Instance was terminated by the service.",
    "instance-stopped-by-user": "Your Spot Instance was stopped by user.",
    "canceled-before-fulfillment": "Your Spot request was canceled before it was fulfilled.",
    "request-canceled-and-instance-running": "Your Spot request is canceled, but your instance is still "
    "running.",
    "schedule-expired": "Your Spot request expired before it was fulfilled.",
    "bad-parameters": "One or more parameters for your Spot request are not valid.",
}


@dataclass(slots=True)
class SpotRequest:
    """One request for one instance. Changed under the state lock."""

    id: str
    max_price: float | None
    created: datetime
    persistent: bool
    behaviour: Behaviour
    launch: dict[str, Any]
    """What to run, by RunInstances' names."""
    valid_until: datetime | None = None
    zone: str = ""
    instance_id: str = ""
    state: RequestState = "open"
    code: str = "pending-evaluation"
    fault: tuple[str, str] | None = None
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def message(self) -> str:
        return MESSAGES[self.code]

    def turn(self, state: RequestState, code: str, now: datetime) -> bool:
        """Whether that is news."""
        if (self.state, self.code) == (state, code):
            return False
        self.state, self.code, self.changed = state, code, now
        return True

    def cancel(self, now: datetime) -> None:
        if self.state in ("closed", "cancelled", "failed"):
            return
        running = self.state == "active"
        code = "request-canceled-and-instance-running" if running else "canceled-before-fulfillment"
        self.turn("cancelled", code, now)


def on_demand_price(vcpus: int, memory_mebibytes: int) -> float:
    """Dollars an hour."""
    return round(vcpus * _VCPU_HOUR + memory_mebibytes / 1024 * _GIBIBYTE_HOUR, 4)


def spot_price(instance_type: str, zone: str, on_demand: float, at: datetime) -> float:
    """Dollars an hour, at a time."""
    step = int(at.timestamp() // STEP.total_seconds())
    told = hashlib.sha256(f"{instance_type} {zone} {step}".encode()).digest()
    share = 0.25 + int.from_bytes(told[:4], "big") / 2**32 * 0.25
    return max(0.0001, round(on_demand * share, 4))


def steps(since: datetime, until: datetime) -> Iterator[datetime]:
    """When prices changed, the newest first, to the one that held at `since`."""
    seconds = STEP.total_seconds()
    at = datetime.fromtimestamp(until.timestamp() // seconds * seconds, UTC)
    while at + STEP > since:
        yield at
        at -= STEP
