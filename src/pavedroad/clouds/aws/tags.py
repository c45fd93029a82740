"""Tags in AWS's spelling and in ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def given(tags: Mapping[str, str]) -> dict[str, Any]:
    """The `Tags` argument; AWS takes no empty list."""
    return {"Tags": [{"Key": key, "Value": text} for key, text in tags.items()]} if tags else {}


def given_to(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """EC2's `TagSpecifications` argument, for what it makes of this kind."""
    return {"TagSpecifications": [{"ResourceType": kind, **given(tags)}]} if tags else {}


def read(tags: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """AWS's own list, whose entries may hold more than a key and a value."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}


def carries(tags: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    """Whether all of `wanted` are among `tags`."""
    return all(tags.get(key) == value for key, value in (wanted or {}).items())
