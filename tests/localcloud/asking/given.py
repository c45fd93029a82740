"""How parameters are given that models do not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class There(Protocol):
    """What there is, by the names that parameters have for it."""

    def __getitem__(self, name: str) -> Any: ...

    def every(self, name: str) -> list[Any]: ...


Given = dict[str, Any] | Callable[[There], dict[str, Any]]
TAGS = [{"Key": "asked", "Value": "one"}]


def two_subnets(there: There) -> list[str]:
    """Two, in two zones."""
    return there.every("SubnetId")[:2]
