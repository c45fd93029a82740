"""Faults as the platform shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class FaultView:
    """`reason` says in a sentence what fails while it lasts; a fault that has ended says why it did."""

    id: str
    kind: str
    target: str
    parameters: dict[str, Value]
    state: Literal["active", "ended"]
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_because: str
    reason: str


@dataclass(frozen=True, slots=True)
class FaultParameter:
    """`default` says the type too; None where it has to be given. Numbers lie between `low` and `high`."""

    name: str
    default: Value | None
    low: float
    high: float
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """`target` is a zone, region, instance or operation; a momentary fault is over once it has happened."""

    name: str
    target: str
    momentary: bool
    parameters: tuple[FaultParameter, ...]


@dataclass(frozen=True, slots=True)
class Faults:
    """Those that last, oldest first, then those that have ended, latest first; and what else can fail."""

    faults: list[FaultView]
    kinds: list[FaultKind]
