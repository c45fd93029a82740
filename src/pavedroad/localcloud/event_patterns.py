"""Patterns that say which events somebody wants, as SNS's filter policies and EventBridge's rules have them.

A pattern is an object whose names must all match; under a name is an object for what is nested there, or a
list of rules of which one must match. Of a list in the event, one element must match all of a pattern.
Sources: Amazon SNS's "Subscription filter policies", Amazon EventBridge's "Event patterns".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from math import inf
from operator import eq, ge, gt, le, lt
from typing import Any, cast

_OR = "$or"
_DIGITS = 5
"""Of a number after its point: those that count."""
_LARGEST = 1e9
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
_ON_TEXT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_OPERATORS = (*_ON_TEXT, "anything-but", "numeric", "cidr", "exists")
_ANY = re.compile(r"(?<!\\)\*")
_MOST_NESTED = 100
"""Levels: what is nested without end can neither be matched nor be saved."""
_ABSENT = object()


class PatternError(ValueError):
    """The text says in AWS's words what no pattern may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    names: int
    combinations: int
    nested: bool


def check(pattern: object, limits: Limits | None = None) -> None:
    """`PatternError` for what is no pattern, or is beyond the limits."""
    if not isinstance(pattern, dict):
        raise PatternError("Filter policy must be a JSON object")
    named = cast("dict[str, Any]", pattern)
    if _combinations(named, 1, 1, limits) > (limits.combinations if limits else inf):
        raise PatternError("Filter policy is too complex")


def matches(pattern: Mapping[str, Any], event: object) -> bool:
    """Of a pattern that has been checked."""
    if isinstance(event, list):
        return any(matches(pattern, item) for item in cast("list[Any]", event))
    if not isinstance(event, dict):
        # Nothing is there: rules may say that nothing must be.
        return all(_wants_nothing(wanted) for wanted in pattern.values())
    found = cast("dict[str, Any]", event)
    for name, wanted in pattern.items():
        if _is_or(name, wanted):
            if not any(matches(one, found) for one in wanted):
                return False
        elif isinstance(wanted, dict):
            if not matches(cast("dict[str, Any]", wanted), found.get(name)):
                return False
        elif not _any_rule(wanted, found.get(name, _ABSENT)):
            return False
    return True


def _is_or(name: str, wanted: Any) -> bool:
    return (
        name == _OR
        and isinstance(wanted, list)
        and all(isinstance(one, dict) for one in cast("list[Any]", wanted))
    )


def _wants_nothing(wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(map(_wants_nothing, cast("dict[str, Any]", wanted).values()))
    return {"exists": False} in wanted


def _any_rule(rules: list[Any], value: object) -> bool:
    if value is _ABSENT:
        return {"exists": False} in rules
    values = list(_leaves(value))
    return any(_matches_rule(rule, one) for rule in rules for one in values)


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item)
    elif not isinstance(value, dict):
        yield value


def _matches_rule(rule: Any, value: object) -> bool:
    if not isinstance(rule, dict):
        return _same(rule, value)
    [(operator, wanted)] = cast("dict[str, Any]", rule).items()
    match operator:
        case "exists":
            return bool(wanted)
        case "anything-but":
            return not any(_matches_rule(one, value) for one in _unwanted(wanted))
        case "numeric":
            return _is_comparable(value) and all(
                _COMPARE[sign](_rounded(value), _rounded(than)) for sign, than in _pairs(wanted)
            )
        case "cidr":
            return isinstance(value, str) and _is_within(value, wanted)
        case _:
            return isinstance(value, str) and _text_matches(operator, wanted, value)


def _unwanted(wanted: Any) -> list[Any]:
    """What `anything-but` names, each as a rule of its own."""
    if isinstance(wanted, dict):
        [(operator, texts)] = cast("dict[str, Any]", wanted).items()
        return [
            {operator: text} for text in (cast("list[Any]", texts) if isinstance(texts, list) else [texts])
        ]
    return cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]


def _same(wanted: Any, value: object) -> bool:
    if _is_number(wanted):
        return _is_comparable(value) and _rounded(wanted) == _rounded(value)
    return type(wanted) is type(value) and wanted == value


def _text_matches(operator: str, wanted: Any, value: str) -> bool:
    if isinstance(wanted, dict):
        wanted, value = cast("dict[str, str]", wanted)["equals-ignore-case"].casefold(), value.casefold()
    match operator:
        case "prefix":
            return value.startswith(wanted)
        case "suffix":
            return value.endswith(wanted)
        case "wildcard":
            return _has_in_turn(wanted, value)
        case _:
            return value.casefold() == wanted.casefold()


def _has_in_turn(wildcard: str, value: str) -> bool:
    """Each part at the first place that it has: in one pass, where a regular expression may try for ever."""
    first, *others = (part.replace(r"\*", "*") for part in _ANY.split(wildcard))
    if not others:
        return value == first
    if not value.startswith(first):
        return False
    *between, last = others
    at = len(first)
    for part in between:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(value) - len(last) >= at and value.endswith(last)


def _is_within(value: str, network: str) -> bool:
    try:
        return ip_address(value) in ip_network(network, strict=False)
    except ValueError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_comparable(value: object) -> bool:
    """As numbers are compared up to some size; what is no number of JSON is of none."""
    return _is_number(value) and abs(cast("float", value)) <= _LARGEST


def _rounded(value: Any) -> float:
    return round(float(value), _DIGITS)


def _pairs(numeric: list[Any]) -> Iterator[tuple[str, Any]]:
    return zip(numeric[::2], numeric[1::2], strict=True)


# What may be a pattern


def _combinations(pattern: dict[str, Any], depth: int, level: int, limits: Limits | None) -> int:
    """In how many ways it can be met: as many as there are rules, each as often as it is deep."""
    if level > _MOST_NESTED:
        raise PatternError("Filter policy is too complex")
    if limits and depth == 1 and len(pattern) > limits.names:
        raise PatternError(f"Filter policy can not have more than {limits.names} keys")
    found = 1
    for name, wanted in pattern.items():
        if _is_or(name, wanted):
            found *= sum(_combinations(one, depth, level + 1, limits) for one in wanted)
        elif isinstance(wanted, dict):
            if limits and not limits.nested:
                raise PatternError(
                    "Filter policy scope MessageAttributes does not support nested filter policy"
                )
            if not wanted:
                raise PatternError("Empty objects are not allowed")
            found *= _combinations(cast("dict[str, Any]", wanted), depth + 1, level + 1, limits)
        elif isinstance(wanted, list):
            rules = cast("list[Any]", wanted)
            if not rules:
                raise PatternError("Empty arrays are not allowed")
            for rule in rules:
                _check_rule(rule)
            found *= depth * len(rules)
        else:
            raise PatternError(f'"{name}" must be an object or an array')
    return found


def _check_rule(rule: Any) -> None:
    if rule is None or isinstance(rule, str | bool):
        return
    if isinstance(rule, int | float):
        if not _is_comparable(rule):
            raise PatternError("Value must be between -1.0E9 and 1.0E9, inclusive")
        return
    if not isinstance(rule, dict):
        raise PatternError("Match value must be String, number, true, false, or null")
    operators = cast("dict[str, Any]", rule)
    if len(operators) != 1:
        raise PatternError("Only one key allowed in match expression")
    [(operator, wanted)] = operators.items()
    if operator not in _OPERATORS:
        raise PatternError(f"Unrecognized match type {operator}")
    _CHECKS.get(operator, _check_text)(operator, wanted)


def _check_text(operator: str, wanted: Any) -> None:
    if isinstance(wanted, dict) and operator in ("prefix", "suffix"):
        folded = cast("dict[str, Any]", wanted)
        if folded.keys() == {"equals-ignore-case"}:
            wanted = folded["equals-ignore-case"]
    if not isinstance(wanted, str):
        raise PatternError(f"{operator} match pattern must be a string")


def _check_exists(_: str, wanted: Any) -> None:
    if not isinstance(wanted, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _check_anything_but(_: str, wanted: Any) -> None:
    if isinstance(wanted, dict) and len(cast("dict[str, Any]", wanted)) != 1:
        raise PatternError("Only one key allowed in match expression")
    named = _unwanted(wanted)
    if not named:
        raise PatternError("Empty arrays are not allowed")
    for one in named:
        if isinstance(one, dict):
            said = cast("dict[str, Any]", one)
            [(operator, text)] = said.items() if len(said) == 1 else [("", None)]
            if operator not in _ON_TEXT:
                raise PatternError(f"Unsupported anything-but pattern: {operator}")
            _check_text(operator, text)
        elif not (isinstance(one, str) or _is_number(one)):
            raise PatternError("Inside anything but list, string or number only")


def _check_cidr(_: str, wanted: Any) -> None:
    if not isinstance(wanted, str):
        raise PatternError("prefix match pattern must be a string")
    if wanted.count("/") != 1:
        raise PatternError("Malformed CIDR, one '/' required")
    if not wanted.partition("/")[2].isdecimal():
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    try:
        ip_network(wanted, strict=False)
    except ValueError:
        raise PatternError(f"Nonstandard IP address: {wanted.partition('/')[0]}") from None


def _check_numeric(_: str, wanted: Any) -> None:
    if not isinstance(wanted, list) or not wanted:
        raise PatternError("Invalid member in numeric match: ]")
    said = cast("list[Any]", wanted)
    signs = said[::2]
    for place, sign in enumerate(signs):
        if not isinstance(sign, str):
            raise PatternError(f"Invalid member in numeric match: {sign}")
        if sign not in _COMPARE:
            raise PatternError(f"Unrecognized numeric range operator: {sign}")
        value = said[2 * place + 1] if 2 * place + 1 < len(said) else None
        if not _is_number(value):
            raise PatternError(f"Value of {'equals' if sign == '=' else sign} must be numeric")
        _check_rule(value)
    if len(signs) == 1:
        return
    if len(signs) > 2 or signs[0] not in (">", ">="):
        raise PatternError("Too many elements in numeric expression")
    if signs[1] not in ("<", "<="):
        raise PatternError(f"Bad numeric range operator: {signs[1]}")
    if not said[1] < said[3]:
        raise PatternError("Bottom must be less than top")


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "exists": _check_exists,
    "anything-but": _check_anything_but,
    "cidr": _check_cidr,
    "numeric": _check_numeric,
}
