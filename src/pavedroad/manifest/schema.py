"""The JSON Schema of `paved.yaml`, for editors and for `paved schema`."""

from __future__ import annotations

from typing import Any

from pavedroad.manifest.model import Manifest

_SHORTHANDS: dict[str, dict[str, Any]] = {
    "build": {"type": "string", "description": "python, node, or a command to run.", "examples": ["python"]},
    "health": {"type": "string", "pattern": "^/", "examples": ["/healthz"]},
    "capacity": {"type": "integer", "minimum": 0, "maximum": 1000, "examples": [3]},
    "strategy": {"type": "string", "enum": ["red-black", "highlander", "none"]},
}


def json_schema() -> dict[str, Any]:
    """Every field with its meaning; the plain forms beside the full ones."""
    schema = Manifest.model_json_schema()
    properties: dict[str, dict[str, Any]] = schema["properties"]
    for name, shorthand in _SHORTHANDS.items():
        full = properties[name]
        meaning = {key: full.pop(key) for key in ("description", "default") if key in full}
        properties[name] = {"anyOf": [shorthand, full], **meaning}
    properties["environment"]["additionalProperties"] = {"type": ["string", "number", "boolean"]}
    capacity: dict[str, Any] = schema["$defs"]["Capacity"]
    capacity["anyOf"] = [{"required": [size]} for size in capacity.pop("required")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
