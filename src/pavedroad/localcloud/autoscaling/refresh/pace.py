"""How many instances may go, and how many may come beforehand, within the healthy percentages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pavedroad.localcloud.autoscaling.refresh.model import Preferences


@dataclass(frozen=True, slots=True)
class Pace:
    """In capacity units."""

    minimum: int
    """What has to be ready for service at any time."""
    surge: int
    """What may be launched beyond the desired capacity."""
    goes_first: bool
    """The percentages leave no room, and no maximum was asked for: one goes before its replacement comes."""


def pace_of(preferences: Preferences, desired: int) -> Pace:
    minimum = -(-desired * preferences.minimum_percent // 100)
    most = preferences.maximum_percent
    surge = desired * (100 if most is None else most) // 100 - desired
    if surge > 0 or minimum < desired:
        return Pace(minimum, surge, goes_first=False)
    if most is None and preferences.minimum_percent < 100:
        return Pace(minimum, 0, goes_first=True)
    return Pace(minimum, 1, goes_first=False)


def may_go(pace: Pace, ready: int, outdated: Iterable[tuple[str, int, bool]], *, calm: bool) -> list[str]:
    """Of the outdated (id, units, whether it is ready) those that can be terminated now. `calm` says that
    nothing is on its way in or out."""
    going: list[str] = []
    for id_, units, is_ready in outdated:
        if not is_ready:
            going.append(id_)
        elif ready - units >= pace.minimum or (pace.goes_first and calm and not going):
            going.append(id_)
            ready -= units
    return going
