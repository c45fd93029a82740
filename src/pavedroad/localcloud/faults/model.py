"""A fault: what is made to fail on purpose, from when until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Fault:
    """Kept over restarts of the API process, and of the cloud while its time is not over."""

    id: str
    kind: str
    target: str
    started_at: datetime
    ends_at: datetime
    reason: str
    """What fails while it lasts, and which traffic it concerns, in a sentence."""
    parameters: Mapping[str, Value] = field(default_factory=dict[str, Value])
    ended_at: datetime | None = None
    ended_because: str = ""

    @property
    def lasts(self) -> bool:
        return self.ended_at is None

    def number(self, name: str) -> float:
        return float(self.parameters.get(name, 0))

    def text(self, name: str) -> str:
        return str(self.parameters.get(name, ""))

    def flag(self, name: str) -> bool:
        return self.parameters.get(name) is True

    def document(self) -> dict[str, Any]:
        """As the HTTP API, the log and the command show it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "target": self.target,
            "parameters": dict(self.parameters),
            "state": "active" if self.lasts else "ended",
            "started_at": _stamp(self.started_at),
            "ends_at": _stamp(self.ends_at),
            "ended_at": _stamp(self.ended_at) if self.ended_at else None,
            "ended_because": self.ended_because,
            "reason": self.reason,
        }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
