"""Why instances are not healthy, in few words: what all have in common is said once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_TOLD = 3
_FIRST = re.compile(r"^Initial health checks in progress(?:; the last one: (?P<last>.+))?$")
_CODES = re.compile(r"^Health checks failed with these codes: \[(?P<codes>.+)\]$")
_FAILED = re.compile(r"^Health checks failed: (?P<how>.+)$")


def shortfall(healthy: int, wanted: int, reasons: Mapping[str, str], *, otherwise: str) -> str:
    """One sentence: how many are healthy, and why the others, by their ids, are not.

    `otherwise` is the reason where there are no others.
    """
    alike: dict[str, list[str]] = {}
    for instance, reason in reasons.items():
        alike.setdefault(short(reason), []).append(instance)
    start = f"{healthy} of {wanted} healthy"
    if not alike:
        return f"{start}: {otherwise.rstrip('.')}."
    if healthy == 0 and len(alike) == 1:
        return f"{start}: {next(iter(alike))}."
    told = [f"{_names(instances)}: {reason}" for reason, instances in alike.items()]
    left = sum(len(instances) for instances in list(alike.values())[_TOLD:])
    return f"{start}; {'; '.join(told[:_TOLD])}{f' and {left} more' if left else ''}."


def short(reason: str) -> str:
    """The cloud's reason without what every health check's has."""
    reason = reason.strip().rstrip(".")
    if first := _FIRST.match(reason):
        return short(first["last"]) if first["last"] else "the first health checks are under way"
    if codes := _CODES.match(reason):
        return f"status {codes['codes']} on the health check"
    if failed := _FAILED.match(reason):
        how, mark, where = failed["how"].partition("; ")
        return failed["how"] if how.startswith("the ") else f"{how} on the health check{mark}{where}"
    return reason[:1].lower() + reason[1:] if reason.startswith("It is ") else reason


def _names(instances: Sequence[str]) -> str:
    more = f" and {len(instances) - _TOLD} more" if len(instances) > _TOLD else ""
    return ", ".join(instances[:_TOLD]) + more
