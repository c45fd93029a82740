"""Filter patterns of CloudWatch Logs: terms, JSON selectors and fields between spaces."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

_TERM = re.compile(r'([?-]?)("(?:[^"\\]|\\.)*"|%[^%]+%|[^\s"]\S*)\s*')
_TOKEN = re.compile(
    r'\s*(?:(&&|\|\||[()]|>=|<=|!=|=|<|>)|("(?:[^"\\]|\\.)*")|(%[^%]+%)|((?:\[[^\]]*\]|[^\s()=<>!&|"%])+))\s*'
)
_STEP = re.compile(r"\.?(?:\['([^']*)'\]|\[(\d+|\*)\]|([^.\[\]]+))")
_FIELD = re.compile(r'"[^"]*"|\[[^\]]*\]|\S+')
_MOST_NESTED = 50
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Told = Callable[[str], list[Any]]
"""What a selector or the name of a field finds; nothing where it is not there."""
Test = Callable[[Told], bool]


class PatternError(ValueError):
    """The text is no pattern."""


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a message is one that the pattern looks for. `PatternError` where it is none."""
    text = pattern.strip()
    if text.startswith("{"):
        return _selecting(text)
    if text.startswith("["):
        return _between_spaces(text)
    return _terms(text)


def _terms(text: str) -> Callable[[str], bool]:
    """Optional terms count where there are no others, as AWS says."""
    asked: dict[str, list[Callable[[str], bool]]] = {"": [], "?": [], "-": []}
    end = 0
    while match := _TERM.match(text, end):
        asked[match[1]].append(_holding(match[2]))
        end = match.end()
    if end < len(text):
        raise PatternError(text)
    needed, optional, excluded = asked[""], asked["?"], asked["-"]

    def matches(message: str) -> bool:
        if not needed and not excluded:
            return not optional or any(holds(message) for holds in optional)
        return all(holds(message) for holds in needed) and not any(holds(message) for holds in excluded)

    return matches


def _holding(term: str) -> Callable[[str], bool]:
    if term.startswith("%") and term.endswith("%") and len(term) > 1:
        found = _regex(term)
        return lambda message: found.search(message) is not None
    plain = _unquoted(term)
    return lambda message: plain in message


def _selecting(text: str) -> Callable[[str], bool]:
    if not text.endswith("}"):
        raise PatternError(text)
    test = _parsed(text[1:-1])

    def matches(message: str) -> bool:
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            return False
        return isinstance(told, dict | list) and test(lambda path: list(_at(told, path)))

    return matches


def _at(value: Any, path: str) -> Iterator[Any]:
    found = [value]
    for quoted, number, name in _STEP.findall(path.removeprefix("$")):
        found = [it for one in found for it in _step(one, quoted or name, number)]
    yield from found


def _step(value: Any, name: str, number: str) -> Iterator[Any]:
    if number and isinstance(value, list):
        items = cast("list[Any]", value)
        yield from items if number == "*" else items[int(number) : int(number) + 1]
    elif name and isinstance(value, dict) and name in value:
        yield value[name]


def _between_spaces(text: str) -> Callable[[str], bool]:
    if not text.endswith("]"):
        raise PatternError(text)
    asked = [it.strip() for it in text[1:-1].split(",")]
    rest = asked.index("...") if "..." in asked else None
    before, after = (asked, []) if rest is None else (asked[:rest], asked[rest + 1 :])
    tests = [_of_field(it) for it in (*before, *after)]

    def matches(message: str) -> bool:
        fields = _FIELD.findall(message)
        if len(fields) < len(tests) or (rest is None and len(fields) > len(tests)):
            return False
        seen = fields[: len(before)] + (fields[-len(after) :] if after else [])
        return all(test(_always(field.strip('"[]'))) for test, field in zip(tests, seen, strict=True))

    return matches


def _always(field: str) -> Told:
    return lambda _: [field]


def _of_field(asked: str) -> Test:
    if re.fullmatch(r"[\w.-]*", asked):
        return lambda _: True
    return _parsed(asked)


def _parsed(text: str) -> Test:
    tokens: list[str] = []
    end = 0
    while match := _TOKEN.match(text, end):
        tokens.append(match[0].strip())
        end = match.end()
    if end < len(text) or not tokens:
        raise PatternError(text)
    test = _any(tokens, 0)
    if tokens:
        raise PatternError(text)
    return test


def _any(tokens: list[str], depth: int) -> Test:
    tests = [_all(tokens, depth)]
    while tokens[:1] == ["||"]:
        del tokens[0]
        tests.append(_all(tokens, depth))
    return lambda told: any(test(told) for test in tests)


def _all(tokens: list[str], depth: int) -> Test:
    tests = [_one(tokens, depth)]
    while tokens[:1] == ["&&"]:
        del tokens[0]
        tests.append(_one(tokens, depth))
    return lambda told: all(test(told) for test in tests)


def _one(tokens: list[str], depth: int) -> Test:
    if tokens[:1] == ["("] and depth < _MOST_NESTED:
        del tokens[0]
        test = _any(tokens, depth + 1)
        if tokens[:1] != [")"]:
            raise PatternError("(")
        del tokens[0]
        return test
    if len(tokens) < 3:
        raise PatternError(" ".join(tokens))
    name, how, value = tokens[:3]
    del tokens[:3]
    match how.upper(), value.upper():
        case "NOT", "EXISTS":
            return lambda told: not told(name)
        case "IS", ("NULL" | "TRUE" | "FALSE") as word:
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[word]
            return lambda told: any(it is wanted for it in told(name))
        case "=", _:
            same = _equal(value)
            return lambda told: any(same(it) for it in told(name))
        case "!=", _:
            same = _equal(value)
            return lambda told: any(not same(it) for it in told(name))
        case (("<" | "<=" | ">" | ">="), _) if (limit := _number(value)) is not None:
            compare = _ORDERS[how]
            return lambda told: any(
                (number := _number(it)) is not None and compare(number, limit) for it in told(name)
            )
        case _:
            raise PatternError(f"{name} {how} {value}")


def _equal(wanted: str) -> Callable[[Any], bool]:
    if wanted.startswith("%") and wanted.endswith("%") and len(wanted) > 1:
        found = _regex(wanted)
        return lambda value: isinstance(value, str) and found.search(value) is not None
    plain = _unquoted(wanted)
    number = None if wanted.startswith('"') else _number(plain)
    wild = re.compile(".*".join(map(re.escape, plain.split("*"))), re.DOTALL)

    def equal(value: Any) -> bool:
        if number is not None and (told := _number(value)) is not None:
            return told == number
        return isinstance(value, str) and wild.fullmatch(value) is not None

    return equal


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text[1:-1])
    except re.error as error:
        raise PatternError(text) from error


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text
