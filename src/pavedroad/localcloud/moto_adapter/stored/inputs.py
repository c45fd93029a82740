"""What EventBridge tells a target of an event: all of it, a part, or what a template makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']*)'\]")
_NAME = re.compile(r"<([\w.-]+)>")
_QUOTE = re.compile(r'(?<!\\)"')

Event = Mapping[str, Any]


def told(target: Mapping[str, Any], event: Event, rule: Mapping[str, str]) -> str:
    """`rule` has the rule's `arn` and `name`."""
    if target.get("Input"):
        return target["Input"]
    if path := target.get("InputPath"):
        return _json(at(event, path))
    if transformer := target.get("InputTransformer"):
        return _transformed(transformer, event, rule)
    return _json(event)


def at(event: object, path: str) -> Any:
    """What a path such as `$.detail.state` or `$.resources[0]` leads to; None where there is nothing."""
    found: Any = event
    for name, number, quoted in _STEP.findall(path.removeprefix("$")):
        try:
            found = found[int(number) if number else name or quoted]
        except (LookupError, TypeError):
            return None
    return found


def _transformed(transformer: Mapping[str, Any], event: Event, rule: Mapping[str, str]) -> str:
    known = {name: at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    known |= {
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event.get("time"),
    }
    template = str(transformer.get("InputTemplate", ""))

    def put(match: re.Match[str]) -> str:
        if match[1] not in known:
            return match[0]
        value = known[match[1]]
        if len(_QUOTE.findall(template[: match.start()])) % 2 == 0:
            return _json(value)
        text = "" if value is None else value if isinstance(value, str) else _json(value)
        return _json(text)[1:-1]

    return _NAME.sub(put, template)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
