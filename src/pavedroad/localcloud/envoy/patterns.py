"""AWS's wildcard patterns (`*` any characters, `?` exactly one, `\\` quotes) as RE2 expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable


def expression(pattern: str, character: str = ".") -> str:
    """`character` is what a wildcard may stand for, as an RE2 atom."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        symbol = pattern[position]
        if symbol == "\\" and pattern[position + 1 : position + 2] in {"*", "?", "\\"}:
            position += 1
            parts.append(re.escape(pattern[position]))
        elif symbol == "*":
            parts.append(f"{character}*")
        elif symbol == "?":
            parts.append(character)
        else:
            parts.append(re.escape(symbol))
        position += 1
    return "".join(parts)


def any_of(patterns: Iterable[str], character: str = ".") -> str:
    return "(?:" + "|".join(expression(pattern, character) for pattern in patterns) + ")"


def paths(patterns: Iterable[str]) -> str:
    """A `:path` whose path alone, without its query, matches; case counts."""
    return any_of(patterns, "[^?]") + r"(?:\?.*)?"


def hosts(patterns: Iterable[str]) -> str:
    """An authority whose host, without its port, matches in any case."""
    return "(?i)" + any_of(patterns, "[^:]") + r"(?::\d+)?"


def header_values(patterns: Iterable[str]) -> str:
    return "(?i)" + any_of(patterns)


def query_pairs(patterns: Iterable[str]) -> str:
    """A `:path` that has one of these `key=value` pairs, or this value under any key."""
    pairs = (pattern if "=" in pattern else f"*={pattern}" for pattern in patterns)
    return r"(?i)[^?]*\?(?:.*&)?" + any_of(pairs, "[^&]") + r"(?:&.*)?"


def found_in(expressions: Iterable[str]) -> str:
    """A text in which one of these regular expressions is found."""
    return "(?s:.*)(?:" + "|".join(f"(?:{it})" for it in expressions) + ")(?s:.*)"


def found_in_host(expressions: Iterable[str]) -> str:
    """As `found_in`, for an authority that may have a port, in any case."""
    return "(?i)" + found_in(_before_port(it) for it in expressions)


def _before_port(expression: str) -> str:
    at_end = expression.endswith("$") and not expression.endswith("\\$")
    return expression[:-1] + r"(?::\d+)?$" if at_end else expression
