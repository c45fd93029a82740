"""Placement groups, as state keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlacementGroup:
    id: str
    name: str
    strategy: str
    """`cluster`, `spread` or `partition`."""
    partitions: int | None = None
    spread_level: str | None = None
