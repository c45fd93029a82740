"""SEARCH: the metrics that a search term finds, each a time series.

`{AWS/EC2,InstanceId} MetricName="CPUUtilization" (web OR api)`: a schema, properties, and words to be found
in any name or value.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pavedroad.localcloud.monitoring.expressions.grammar import BadExpression
from pavedroad.localcloud.monitoring.series import MetricId

MOST_FOUND = 500

Matches = Callable[[MetricId], bool]

_SCHEMA = re.compile(r"\s*\{([^}]*)\}")
_TOKEN = re.compile(
    r'\s*(?:(?P<sign>[()])|(?P<property>(?:"[^"]*"|[^\s()="]+)\s*=\s*)?(?:"(?P<exact>[^"]*)"|(?P<word>[^\s()="]+)))'
)


def parse(text: str) -> Matches:
    schema = _SCHEMA.match(text)
    within: Matches = _anything
    rest = text
    if schema:
        within = _in_schema(schema[1])
        rest = text[schema.end() :]
    reader = _Reader(rest)
    found = reader.either()
    reader.end()
    return lambda metric: within(metric) and found(metric)


def _anything(_: MetricId) -> bool:
    return True


def _in_schema(text: str) -> Matches:
    namespace, *names = [part.strip().strip('"') for part in text.split(",")]
    wanted = sorted(names)
    return lambda metric: (
        metric.namespace == namespace and sorted(name for name, _ in metric.dimensions) == wanted
    )


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._at = 0

    def either(self) -> Matches:
        terms = [self._both()]
        while self._keyword("OR"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else lambda metric: any(term(metric) for term in terms)

    def end(self) -> None:
        if self._at < len(self._text):
            raise BadExpression(f"the search term cannot be read from '{self._text[self._at :][:20]}' on")

    def _both(self) -> Matches:
        terms: list[Matches] = []
        while self._at < len(self._text) and not self._ahead("OR") and not self._ahead(")"):
            self._keyword("AND")
            terms.append(self._single())
        return lambda metric: all(term(metric) for term in terms)

    def _single(self) -> Matches:
        if self._keyword("NOT"):
            inner = self._single()
            return lambda metric: not inner(metric)
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["sign"] == ")":
            raise BadExpression(f"the search term cannot be read from '{self._text[self._at :][:20]}' on")
        self._at = match.end()
        if match["sign"]:
            inside = self.either()
            if not self._keyword(")"):
                raise BadExpression("a parenthesis in the search term is not closed")
            return inside
        name = (match["property"] or "").strip().rstrip("=").strip().strip('"')
        return _term(name, match["exact"], match["word"])

    def _ahead(self, word: str) -> bool:
        match = _TOKEN.match(self._text, self._at)
        return match is not None and not match["property"] and word in (match["sign"], match["word"])

    def _keyword(self, word: str) -> bool:
        if not self._ahead(word):
            return False
        match = _TOKEN.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return True


def _term(name: str, exact: str | None, word: str | None) -> Matches:
    def matches(metric: MetricId) -> bool:
        found = [value for key, value in _properties(metric) if name in ("", key)]
        if exact is not None:
            return exact in found
        return any((word or "").lower() in value.lower() for value in found)

    return matches


def _properties(metric: MetricId) -> list[tuple[str, str]]:
    names = [("", name) for name, _ in metric.dimensions]
    return [("Namespace", metric.namespace), ("MetricName", metric.name), *metric.dimensions, *names]
