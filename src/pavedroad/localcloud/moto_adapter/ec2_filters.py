# pyright: basic
"""EC2's filters: which there are by AWS's documentation, and which values they let through."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from moto.core.utils import get_service_model

from pavedroad.localcloud.errors import ServiceError

Filters = list[tuple[str, list[str]]]

_ASKED = re.compile(r"Filter\.([0-9]+)\.(Name|Value\.[0-9]+)")
_DOCUMENTED = re.compile(r"<p> ?<code>([^<]+)<")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")


def asked_filters(form: Mapping[str, str]) -> Filters:
    """A form's filters in their order, each with its values."""
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in form.items():
        if match := _ASKED.fullmatch(key):
            number, part = match.groups()
            if part == "Name":
                names[number] = value
            else:
                values.setdefault(number, []).append(value)
    if values.keys() - names.keys():
        raise ServiceError("InvalidParameterValue", "The filter 'null' is invalid")
    return [(name, values.get(number, [])) for number, name in names.items()]


def unknown_filter(name: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")


@cache
def documented(action: str) -> frozenset[str]:
    """The filters that AWS documents for a call, without the tags' own."""
    shape = get_service_model("ec2").operation_model(action).input_shape
    said = shape.members["Filters"].documentation if shape else ""
    names = {html.unescape(name).strip() for name in _DOCUMENTED.findall(said)}
    return frozenset(name for name in names if not name.startswith("tag:") and name != "tag")


def matches(value: object, patterns: Iterable[str]) -> bool:
    """Whether a value, or any of several, is one of the patterns: `*` and `?` stand for others, unless a
    backslash is before them."""
    if value is None:
        return False
    if isinstance(value, list):
        return any(matches(item, patterns) for item in value)
    if isinstance(value, bool):
        return any(str(value).lower() == pattern.lower() for pattern in patterns)
    text = str(value)
    return any(text == pattern if _is_plain(pattern) else _fits(pattern, text) for pattern in patterns)


def _is_plain(pattern: str) -> bool:
    return not any(character in pattern for character in "*?\\")


def _fits(pattern: str, text: str) -> bool:
    return _wildcard(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _wildcard(pattern: str) -> re.Pattern[str]:
    """What is between two `*` is looked for once, at the first place that has it: else some never end."""
    between = [""]
    for part in re.findall(r"\\[*?\\]|.", pattern, re.DOTALL):
        if part == "*":
            between.append("")
        else:
            between[-1] += "." if part == "?" else re.escape(part[-1])
    first, *others = between
    found = first + "".join(f"(?>.*?{it})" for it in others[:-1]) + "".join(f".*{it}" for it in others[-1:])
    return re.compile(found, re.DOTALL)


def values_at(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What is at a path of normalised names below a tree of dicts and lists."""
    if isinstance(node, list):
        for item in node:
            yield from values_at(item, path)
    elif not path:
        yield node
    elif isinstance(node, dict):
        for name, below in node.items():
            if _same(normal(name), path[0]):
                yield from values_at(below, path[1:])


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name.lower())


def _same(name: str, step: str) -> bool:
    """AWS's filters are named as the members of its answers, but for `Set` and plurals."""
    return name == step or name in (f"{step}set", f"{step}s")


@lru_cache(maxsize=1024)
def path_of(dotted: str) -> tuple[str, ...]:
    return tuple(normal(step) for step in dotted.split("."))
