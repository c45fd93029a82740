"""MetricDataQueries: metrics and expressions that refer to each other by id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

from pavedroad.localcloud.monitoring import ingest
from pavedroad.localcloud.monitoring.expressions import functions, grammar, search
from pavedroad.localcloud.monitoring.expressions.grammar import BadExpression, Node
from pavedroad.localcloud.monitoring.expressions.values import Frame, Line, Lines, Value, number, operate
from pavedroad.localcloud.monitoring.refusals import refused
from pavedroad.localcloud.monitoring.retrieval import Points, Span, is_period, points
from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.statistics import Statistic, UnknownStatistic, statistic
from pavedroad.localcloud.monitoring.store import Place, Store, metric_id

MOST_QUERIES = 500
_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
_NOT_OFFERED = (
    "ANOMALY_DETECTION_BAND",
    "INSIGHT_RULE_METRIC",
    "DB_PERF_INSIGHTS",
    "LAMBDA",
    "SERVICE_QUOTA",
)


@dataclass(frozen=True, slots=True)
class Stat:
    metric: MetricId
    statistic: Statistic
    period: int
    unit: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """One of `stat` and `expression` is given."""

    id: str
    label: str | None
    returned: bool
    period: int | None
    stat: Stat | None = None
    expression: Node | None = None
    reads: frozenset[str] = frozenset()
    """The ids that the expression names."""


def read(given: Sequence[Mapping[str, Any]]) -> dict[str, Query]:
    """The queries by id, checked whole: their form, their names, and that none needs itself."""
    if not given:
        raise refused("The parameter MetricDataQueries must not be empty.")
    if len(given) > MOST_QUERIES:
        raise refused(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    queries: dict[str, Query] = {}
    for position, one in enumerate(given, start=1):
        if not _ID.fullmatch(one["Id"]):
            raise refused(
                f"The value {one['Id']} for parameter MetricDataQueries Id is not matching the expected "
                "pattern ^[a-z][a-zA-Z0-9_]*$."
            )
        if one["Id"] in queries:
            raise refused("The values for parameter id in MetricDataQueries are not unique.")
        queries[one["Id"]] = _query(one, position)
    _check_references(queries)
    return queries


def _query(given: Mapping[str, Any], position: int) -> Query:
    identity = given["Id"]
    stat, text = given.get("MetricStat"), given.get("Expression")
    if stat is None and text is None:
        raise refused(f"The parameter MetricDataQueries.member.{position}.MetricStat is required.\n")
    if stat is not None and text is not None:
        raise refused(
            f"Exactly one of MetricStat and Expression must be specified for the query '{identity}'."
        )
    period = given.get("Period")
    if period is not None and not is_period(period):
        raise refused(f"Invalid period {period} of the query '{identity}'.")
    returned = given.get("ReturnData") is not False
    if text is not None:
        try:
            node = grammar.parse(text)
            for name in _called(node):
                if name in _NOT_OFFERED:
                    raise BadExpression(f"the function {name} is not offered by this cloud yet")
        except BadExpression as error:
            raise refused(f"Error in expression '{identity}': {error}.") from error
        reads = frozenset(grammar.names(node) - _WORDS)
        return Query(identity, given.get("Label"), returned, period, expression=node, reads=reads)
    assert stat is not None
    return Query(identity, given.get("Label"), returned, period, stat=_stat(stat, identity))


def _stat(given: Mapping[str, Any], identity: str) -> Stat:
    metric = given["Metric"]
    for name in ("Namespace", "MetricName"):
        if not metric.get(name):
            raise refused(f"The metric of the query '{identity}' lacks {name}.")
    if not is_period(given["Period"]):
        raise refused(f"Invalid period {given['Period']} of the query '{identity}'.")
    if given.get("Unit") not in (None, *ingest.UNITS):
        raise refused(f"The unit {given['Unit']} of the query '{identity}' is not one of CloudWatch's.")
    try:
        wanted = statistic(given["Stat"])
    except UnknownStatistic as error:
        raise refused(
            f"The value {given['Stat']} for parameter Stat of '{identity}' is not supported."
        ) from error
    pairs = ingest.dimensions(metric.get("Dimensions") or (), f"{identity}.Dimensions")
    found = metric_id(metric["Namespace"], metric["MetricName"], pairs)
    return Stat(found, wanted, given["Period"], given.get("Unit"))


def _called(node: Node) -> set[str]:
    match node:
        case grammar.Function(name, items):
            return {name} | {inner for item in items for inner in _called(item)}
        case grammar.Array(items):
            return {inner for item in items for inner in _called(item)}
        case grammar.Operation(first, rest):
            return _called(first).union(*(_called(item) for _, item in rest))
        case grammar.Negation(operand):
            return _called(operand)
        case _:
            return set()


_WORDS = frozenset({"REPEAT", "LINEAR", "AVG", "MIN", "MAX", "SUM", "ASC", "DESC"})


def _check_references(queries: Mapping[str, Query]) -> None:
    for query in queries.values():
        for name in sorted(query.reads - queries.keys()):
            raise refused(f"Error in expression '{query.id}': Undefined variable {name}.")
    try:
        _ordered(queries)
    except CycleError as error:
        raise refused(f"Error in expression '{error.args[1][0]}': it refers to itself.") from error


def _ordered(queries: Mapping[str, Query]) -> list[Query]:
    """Each after those that it reads."""
    order = TopologicalSorter({query.id: query.reads for query in queries.values()}).static_order()
    return [queries[identity] for identity in order]


class Evaluation:
    """The values of queries over one span. Each is computed once, whoever refers to it."""

    def __init__(self, queries: Mapping[str, Query], store: Store, place: Place, span: Span) -> None:
        self._queries = queries
        self._store = store
        self._place = place
        self._span = span
        self._known: dict[str, Value] = {}
        self._periods: dict[str, int] = {}
        for query in _ordered(queries):
            self._periods[query.id] = self._period(query)
        stats = [query.stat for query in queries.values() if query.stat]
        self._tells_statistic = len({stat.statistic.name for stat in stats}) > 1
        self._tells_period = len({stat.period for stat in stats}) > 1

    def lines(self, query: Query) -> tuple[Line, ...]:
        """What the query gives; refused where that is no time series."""
        value = self._value(query.id)
        if isinstance(value, Line):
            return (value,)
        if isinstance(value, Lines):
            return value.items
        raise refused(
            f"Error in expression '{query.id}': it must give a time series, and gives a single value."
        )

    def _value(self, identity: str) -> Value:
        """What it reads is computed before, so that a long chain of queries is no deep recursion."""
        waiting = [identity]
        while waiting:
            query = self._queries[waiting[-1]]
            lacking = [name for name in query.reads if name not in self._known]
            if query.id in self._known or not lacking:
                waiting.pop()
                if query.id not in self._known:
                    found = self._line(query.stat) if query.stat else self._computed(query)
                    self._known[query.id] = found
            else:
                waiting += lacking
        return self._known[identity]

    def _line(self, stat: Stat) -> Line:
        found = self._by_unit(stat)
        units = tuple(sorted(found)) if len(found) > 1 else ()
        properties = (
            ("Namespace", stat.metric.namespace),
            ("MetricName", stat.metric.name),
            ("Stat", stat.statistic.name),
            ("Period", str(stat.period)),
            ("AccountId", self._place[0]),
            ("Region", self._place[1]),
            *((f"Dim.{name}", value) for name, value in stat.metric.dimensions),
        )
        return Line(self._label(stat), found[min(found)] if found else {}, stat.period, properties, units)

    def _by_unit(self, stat: Stat) -> dict[str, Points]:
        """The datapoints in each unit that has any: units are never mixed."""
        found = {
            unit: points(
                self._store,
                self._place,
                stat.metric,
                stat.statistic,
                unit=unit,
                period=stat.period,
                span=self._span,
            )
            for unit in ([stat.unit] if stat.unit else self._store.units(self._place, stat.metric))
        }
        return {unit: values for unit, values in found.items() if values}

    def _label(self, stat: Stat) -> str:
        """The metric's name, and by what else the metrics of the request differ."""
        parts = [stat.metric.name]
        if self._tells_statistic:
            parts.append(stat.statistic.name)
        if self._tells_period:
            parts.append(str(stat.period))
        return " ".join(parts)

    def _computed(self, query: Query) -> Value:
        assert query.expression is not None
        period = self.period(query)
        origin = self._span.origin(period)
        starts = range(origin, max(origin, -int(-self._span.until // 1)), period)
        try:
            value = self._at(query.expression, Frame(starts, period))
        except BadExpression as error:
            raise refused(f"Error in expression '{query.id}': {error}.") from error
        if isinstance(value, Line):
            return Line(query.id, value.points, period)
        return value

    def period(self, query: Query) -> int:
        """The longest of those that the query's expression reads, where it has none of its own."""
        return self._periods[query.id]

    def _period(self, query: Query) -> int:
        if query.stat:
            return query.stat.period
        return query.period or max((self._periods[name] for name in query.reads), default=60)

    def _at(self, node: Node, frame: Frame) -> Value:
        match node:
            case grammar.Number(value):
                return value
            case grammar.Text(value):
                return value
            case grammar.Name(name):
                return name if name in _WORDS and name not in self._queries else self._value(name)
            case grammar.Negation(operand):
                return functions.negated(self._at(operand, frame))
            case grammar.Operation(first, rest):
                value = self._at(first, frame)
                for sign, operand in rest:
                    value = operate(sign, value, self._at(operand, frame))
                return value
            case grammar.Array(items):
                return self._array([self._at(item, frame) for item in items])
            case grammar.Function("METRICS", items):
                return self._metrics([self._at(item, frame) for item in items])
            case grammar.Function("SEARCH", items):
                return self._search([self._at(item, frame) for item in items], frame)
            case grammar.Function(name, items):
                return functions.call(name, [self._at(item, frame) for item in items], frame)

    def _array(self, values: Sequence[Value]) -> Lines:
        found: list[Line] = []
        for value in values:
            if isinstance(value, Line):
                found.append(value)
            elif isinstance(value, Lines):
                found += value.items
            else:
                raise BadExpression("an array holds time series alone")
        return Lines(tuple(found))

    def _metrics(self, arguments: Sequence[Value]) -> Lines:
        if len(arguments) > 1 or not all(isinstance(argument, str) for argument in arguments):
            raise BadExpression("the function METRICS takes a text, or nothing")
        part = str(arguments[0]) if arguments else ""
        stats = (query for query in self._queries.values() if query.stat and part in query.id)
        found = [self._value(query.id) for query in stats]
        return Lines(tuple(value for value in found if isinstance(value, Line)))

    def _search(self, arguments: Sequence[Value], frame: Frame) -> Lines:
        if len(arguments) not in (2, 3) or not all(isinstance(one, str) for one in arguments[:2]):
            raise BadExpression("the function SEARCH takes a term, a statistic and a period")
        try:
            wanted = statistic(str(arguments[1]))
        except UnknownStatistic as error:
            raise BadExpression(f"{error} is no statistic") from error
        period = int(number(arguments[2], "SEARCH")) if len(arguments) == 3 else frame.period
        if not is_period(period):
            raise BadExpression(f"{period} is no period")
        matches: Callable[[MetricId], bool] = search.parse(str(arguments[0]))
        found = (metric for metric in self._store.metrics(self._place) if matches(metric))
        stats = (Stat(one, wanted, period, None) for one in islice(found, search.MOST_FOUND))
        return Lines(tuple(map(self._line, stats)))
