"""Composite alarms' rules: `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c))`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pavedroad.localcloud.monitoring.model import StateValue

MOST_CHILDREN = 100
_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Z_]+)(?![\w:.-])|(?P<sign>[()])|(?P<bad>\S))", re.IGNORECASE)
_NAME = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s()"][^()"]*?))\s*\)')
_MOST_NESTED = 50

IsIn = Callable[[str, StateValue], bool]
"""Whether the alarm of that name (or ARN) is in that state."""


class BadRule(ValueError):
    """The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` tells from the children's states; `children` are their names or ARNs, as written."""

    holds: Callable[[IsIn], bool]
    children: tuple[str, ...]


def parse(text: str) -> Rule:
    reader = _Reader(text)
    holds = reader.either(0)
    reader.end()
    children = tuple(dict.fromkeys(reader.children))
    if len(children) > MOST_CHILDREN:
        raise BadRule(f"it names {len(children)} alarms, and {MOST_CHILDREN} are the most")
    return Rule(holds, children)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.children: list[str] = []

    def either(self, depth: int) -> Callable[[IsIn], bool]:
        terms = [self._both(depth)]
        while self._take("OR"):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else lambda is_in: any(term(is_in) for term in terms)

    def end(self) -> None:
        if self._text[self._at :].strip():
            raise BadRule(f"unexpected '{self._rest()}' at character {self._at + 1}")

    def _both(self, depth: int) -> Callable[[IsIn], bool]:
        terms = [self._single(depth)]
        while self._take("AND"):
            terms.append(self._single(depth))
        return terms[0] if len(terms) == 1 else lambda is_in: all(term(is_in) for term in terms)

    def _single(self, depth: int) -> Callable[[IsIn], bool]:
        if depth > _MOST_NESTED:
            raise BadRule("it is nested too deeply")
        if self._take("NOT"):
            inner = self._single(depth + 1)
            return lambda is_in: not inner(is_in)
        if self._take("("):
            inside = self.either(depth + 1)
            if not self._take(")"):
                raise BadRule(f"a closing parenthesis is missing at character {self._at + 1}")
            return inside
        if self._take("TRUE"):
            return lambda _: True
        if self._take("FALSE"):
            return lambda _: False
        state = next(self._state(), None)
        if state is None:
            raise BadRule(f"unexpected '{self._rest()}' at character {self._at + 1}")
        return self._function(state)

    def _state(self) -> Iterator[StateValue]:
        if self._take("ALARM"):
            yield "ALARM"
        elif self._take("OK"):
            yield "OK"
        elif self._take("INSUFFICIENT_DATA"):
            yield "INSUFFICIENT_DATA"

    def _function(self, state: StateValue) -> Callable[[IsIn], bool]:
        if not self._take("("):
            raise BadRule(f"{state} must be followed by an alarm's name in parentheses")
        match = _NAME.match(self._text, self._at)
        if match is None:
            raise BadRule(f"{state} must be followed by an alarm's name in parentheses")
        self._at = match.end()
        name = match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1])
        self.children.append(name)
        return lambda is_in: is_in(name, state)

    def _take(self, wanted: str) -> bool:
        match = _TOKEN.match(self._text, self._at)
        if match is None or (match["word"] or match["sign"] or "").upper() != wanted:
            return False
        self._at = match.end()
        return True

    def _rest(self) -> str:
        return self._text[self._at :].strip()[:20] or "end of the rule"
