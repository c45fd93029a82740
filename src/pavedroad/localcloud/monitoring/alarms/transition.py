"""How an alarm comes into a state: its history is written and its actions are taken."""

from __future__ import annotations

from datetime import datetime

from pavedroad.localcloud.monitoring.alarms import history
from pavedroad.localcloud.monitoring.alarms.wording import MOST_REASON
from pavedroad.localcloud.monitoring.model import Alarm, Region, StateValue


def enter(
    region: Region, alarm: Alarm, state: StateValue, now: datetime, *, reason: str, data: str | None
) -> history.Before:
    """Gives what the state was before."""
    before = history.Before(alarm.state, alarm.reason, alarm.reason_data)
    alarm.state = state
    alarm.reason = reason[:MOST_REASON]
    alarm.reason_data = data
    alarm.updated_at = now
    if state != before.state:
        alarm.transitioned_at = now
    history.transitioned(region, alarm, before, now)
    return before
