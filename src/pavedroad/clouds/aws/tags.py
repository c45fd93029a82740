"""Tags in AWS's spelling and in ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def spelled(tags: Mapping[str, str]) -> list[Any]:
    """As every service takes them, though each has a type of its own for it."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def read(tags: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """AWS's own list, whose entries may hold more than a key and a value."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}


def carries(tags: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    """Whether all of `wanted` are among `tags`."""
    return all(tags.get(key) == value for key, value in (wanted or {}).items())
