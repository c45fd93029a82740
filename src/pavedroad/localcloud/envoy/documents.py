"""Envoy's configuration as JSON documents, and how its typed extensions are written in them."""

from __future__ import annotations

from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]


def typed(kind: str, **fields: Any) -> Document:
    """An `Any` that holds the message `kind`."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


def extension(name: str, kind: str, **fields: Any) -> Document:
    return {"name": name, "typed_config": typed(kind, **fields)}
