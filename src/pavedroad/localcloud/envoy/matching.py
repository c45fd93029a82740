"""A rule's conditions as what Envoy matches requests by, and whether Envoy would take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from pavedroad.localcloud.envoy import patterns
from pavedroad.localcloud.envoy.documents import Document
from pavedroad.localcloud.expressions import flaw
from pavedroad.localcloud.wanted import Condition, Rule

SOURCE = "pavedroad.source"
"""The connection's own peer address, set by the listener, so that no header can fake it."""
_NEVER: Document = {"name": ":method", "present_match": False}
NOBODY: Document = {"prefix": "", "headers": [_NEVER], "filter_state": []}
"""Takes no request."""


@lru_cache(maxsize=4096)
def conditions_flaw(conditions: tuple[Condition, ...]) -> str:
    """Why Envoy would not take them; empty where it would."""
    return _first_flaw(_expressions(match(conditions)))


def rule_flaw(rule: Rule) -> str:
    return conditions_flaw(rule.conditions) or _first_flaw(it.regex for it in rule.transforms)


def _first_flaw(expressions: Iterable[str]) -> str:
    return next((why for expression in expressions if (why := flaw(expression))), "")


def _expressions(document: object) -> Iterator[str]:
    if isinstance(document, Mapping):
        for name, value in cast("Mapping[str, Any]", document).items():
            if name == "regex":
                yield value
            else:
                yield from _expressions(value)
    elif isinstance(document, list):
        for value in cast("list[object]", document):
            yield from _expressions(value)


def match(conditions: Sequence[Condition]) -> Document:
    """Regular expressions for paths are the route's own, which leaves the query out."""
    by_path = [it for it in conditions if it.field == "path-pattern" and it.expressions]
    others = [it for it in conditions if it not in by_path]
    return {
        **(
            {"safe_regex": {"regex": patterns.found_in(by_path[0].expressions)}}
            if by_path
            else {"prefix": ""}
        ),
        "headers": [_header(condition) for condition in others if condition.field != "source-ip"],
        "filter_state": [_source(condition) for condition in others if condition.field == "source-ip"],
    }


def _header(condition: Condition) -> Document:
    """A condition as a match on a header; Envoy holds method, host and path as headers too."""
    if condition.expressions:
        if condition.field == "host-header":
            return _matches(":authority", patterns.found_in_host(condition.expressions))
        return _matches(condition.name, patterns.found_in(condition.expressions))
    match condition.field:
        case "path-pattern":
            return _matches(":path", patterns.paths(condition.values))
        case "host-header":
            return _matches(":authority", patterns.hosts(condition.values))
        case "http-header":
            return _matches(condition.name, patterns.header_values(condition.values))
        case "http-request-method":
            return _matches(":method", patterns.any_of(condition.values))
        case "query-string":
            return _matches(":path", patterns.query_pairs(condition.values))
        case _:
            # The API lets nothing else through; a rule that is not understood takes no request.
            return _NEVER


def _matches(header: str, expression: str) -> Document:
    return {"name": header, "string_match": {"safe_regex": {"regex": expression}}}


def _source(condition: Condition) -> Document:
    ranges: list[Document] = []
    for value in condition.values:
        address, _, length = value.partition("/")
        bits = int(length) if length.isdigit() else 128 if ":" in address else 32
        ranges.append({"address_prefix": address, "prefix_len": bits})
    return {"key": SOURCE, "address_match": {"ranges": ranges}}
