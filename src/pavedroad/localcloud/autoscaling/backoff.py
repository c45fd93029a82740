"""Leaving alone, for growing times, what keeps failing."""

from __future__ import annotations

from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling.model import Backoff

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 300.0


def after_failure(earlier: Backoff | None, now: datetime) -> Backoff:
    """Several failures while it waits already count as one."""
    if earlier and now < earlier.until:
        return earlier
    failures = earlier.failures + 1 if earlier else 1
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 20))
    return Backoff(failures, now, now + timedelta(seconds=seconds))


def after_early_end(earlier: Backoff | None, now: datetime) -> Backoff:
    """What ends young in service may have been killed: one moment of it is forgiven."""
    if earlier is None or (earlier.failures == 0 and earlier.failed_at == now):
        return Backoff(0, now, now)
    return after_failure(earlier, now)


def waits(backoff: Backoff | None, now: datetime) -> bool:
    return backoff is not None and now < backoff.until
