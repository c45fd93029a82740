"""Metric math's grammar: `IF(m1 / SUM(METRICS()) > 0.5, m1, 0)` as a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]])"
    r"|(?P<bad>\S))"
)
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "||", "OR": "||"},
    {"&&": "&&", "AND": "&&"},
    {sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)
"""Operators, those that bind least first."""
_MOST_NESTED = 60


class BadExpression(ValueError):
    """The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """From left to right: a long sum is no deep tree."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Node


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Node, ...]


Node = Number | Text | Name | Array | Operation | Negation | Function


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    reader = _Reader(text)
    node = reader.level(0, 0)
    reader.end()
    return node


def names(node: Node) -> set[str]:
    """The ids that the expression reads."""
    match node:
        case Name(name):
            return {name}
        case Array(items) | Function(_, items):
            return {name for item in items for name in names(item)}
        case Operation(first, rest):
            return names(first).union(*(names(item) for _, item in rest))
        case Negation(operand):
            return names(operand)
        case _:
            return set()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(text.rstrip()):
            kind = match.lastgroup or "bad"
            if kind == "bad":
                raise BadExpression(f"unexpected character '{match[kind]}'")
            self._tokens.append((kind, match[kind]))
        self._at = 0

    def level(self, level: int, depth: int) -> Node:
        if depth > _MOST_NESTED:
            raise BadExpression("it is nested too deeply")
        if level == len(_LEVELS):
            return self._unary(depth)
        first = self.level(level + 1, depth)
        rest: list[tuple[str, Node]] = []
        while (sign := _LEVELS[level].get(self._peek())) is not None:
            self._at += 1
            rest.append((sign, self.level(level + 1, depth)))
        return Operation(first, tuple(rest)) if rest else first

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise BadExpression(f"unexpected '{self._peek()}'")

    def _unary(self, depth: int) -> Node:
        if self._take("-"):
            return Negation(self._unary(depth + 1) if depth < _MOST_NESTED else self._deep())
        node = self._primary(depth)
        if self._take("^"):
            power = self._unary(depth + 1) if depth < _MOST_NESTED else self._deep()
            return Operation(node, (("^", power),))
        return node

    def _deep(self) -> Node:
        raise BadExpression("it is nested too deeply")

    def _primary(self, depth: int) -> Node:
        if self._at >= len(self._tokens):
            raise BadExpression("it ends too early")
        kind, value = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return Number(float(value))
        if kind == "text":
            return Text(re.sub(r"\\(.)", r"\1", value[1:-1]))
        if kind == "name" and value not in ("AND", "OR"):
            if self._take("("):
                return Function(value, self._list(")", depth))
            return Name(value)
        if value == "(":
            node = self.level(0, depth + 1)
            self._need(")")
            return node
        if value == "[":
            return Array(self._list("]", depth))
        raise BadExpression(f"unexpected '{value}'")

    def _list(self, closing: str, depth: int) -> tuple[Node, ...]:
        if self._take(closing):
            return ()
        items = [self.level(0, depth + 1)]
        while self._take(","):
            items.append(self.level(0, depth + 1))
        self._need(closing)
        return tuple(items)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        if self._peek() != sign or self._tokens[self._at][0] == "text":
            return False
        self._at += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise BadExpression(f"'{sign}' is missing before '{self._peek() or 'its end'}'")
