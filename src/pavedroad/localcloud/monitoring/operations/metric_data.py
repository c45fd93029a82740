"""GetMetricData: metrics and metric math, in pages of datapoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.expressions import labels, queries
from pavedroad.localcloud.monitoring.expressions.queries import Query
from pavedroad.localcloud.monitoring.expressions.values import Line
from pavedroad.localcloud.monitoring.refusals import refused

MOST_DATAPOINTS = 100_800
MOST_PERIODS = 1_000_000
"""Of one query: what a request can make the cloud compute is bounded."""


def get(call: Call) -> Result:
    asked = queries.read(call.entries("MetricDataQueries"))
    span = call.span
    if span.since == span.until:
        raise refused("The parameter StartTime must not equal parameter EndTime.")
    if span.since > span.until:
        raise refused("The parameter EndTime must be greater than StartTime.")
    limit: int = call.get("MaxDatapoints", MOST_DATAPOINTS)
    if not 0 < limit <= MOST_DATAPOINTS:
        raise refused(f"The parameter MaxDatapoints must be between 1 and {MOST_DATAPOINTS}.")
    ascending = call.get("ScanBy") == "TimestampAscending"
    options: Mapping[str, Any] = call.get("LabelOptions", {})
    zone = labels.zone_of(options.get("Timezone"))
    computed = queries.Evaluation(asked, call.store, call.place, span)
    for query in asked.values():
        if span.periods(computed.period(query)) > MOST_PERIODS:
            raise refused(f"The query '{query.id}' asks for more than {MOST_PERIODS} datapoints.")
    token: str | None = call.get("NextToken")
    reached = _read_token(token, asked) if token else None
    if reached is None:
        for query in asked.values():
            if query.expression is not None:
                # An expression that cannot be computed is refused at once, on whatever page it would come.
                computed.lines(query)
    room = limit
    results: list[dict[str, Any]] = []
    for query, number, line in _lines_from(computed, asked, reached):
        if not room:
            return {"MetricDataResults": results, "Messages": [], "NextToken": _token(reached)}
        begun = reached if reached and (reached.query, reached.line) == (query.id, number) else None
        points = _ordered(line, ascending, begun)
        if begun and not points:
            continue
        shown = points[:room]
        room -= len(shown)
        partial = len(points) > len(shown)
        results.append(
            {
                "Id": query.id,
                "Label": labels.written(query.label, line, zone),
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in shown],
                "Values": [value for _, value in shown],
                "StatusCode": "PartialData" if partial else "Complete",
                "Messages": _messages(line),
            }
        )
        reached = _Reached(query.id, number, shown[-1][0] if shown else None)
        if partial:
            return {"MetricDataResults": results, "Messages": [], "NextToken": _token(reached)}
    return {"MetricDataResults": results, "Messages": [], "NextToken": None}


@dataclass(frozen=True, slots=True)
class _Reached:
    """The last datapoint of a page. What comes later, or in between, moves nothing."""

    query: str
    line: int
    at: int | None


def _lines_from(
    computed: queries.Evaluation, asked: Mapping[str, Query], reached: _Reached | None
) -> Iterator[tuple[Query, int, Line]]:
    """Computed as they are needed: a page takes no more than what it shows."""
    returned = [query for query in asked.values() if query.returned]
    begin, first = 0, 0
    if reached:
        begin, first = [query.id for query in returned].index(reached.query), reached.line
    for query in returned[begin:]:
        yield from (
            (query, number, line) for number, line in enumerate(computed.lines(query)) if number >= first
        )
        first = 0


def _ordered(line: Line, ascending: bool, reached: _Reached | None) -> list[tuple[int, float]]:
    points = list(line.points.items())
    if not ascending:
        points.reverse()
    if reached is None:
        return points
    if reached.at is None:
        return []
    last = reached.at
    return [point for point in points if (point[0] > last if ascending else point[0] < last)]


def _messages(line: Line) -> list[dict[str, str]] | None:
    if not line.units:
        return None
    return [{"Code": "MultipleUnits", "Value": f"Multiple units returned: '[{', '.join(line.units)}]'"}]


def _token(reached: _Reached | None) -> str | None:
    if reached is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([reached.query, reached.line, reached.at]).encode()).decode()


def _read_token(token: str, asked: Mapping[str, Query]) -> _Reached:
    try:
        match json.loads(base64.urlsafe_b64decode(token.encode())):
            case [str(query), int(line), int() | None as at] if query in asked and asked[query].returned:
                return _Reached(query, line, at)
            case _:
                pass
    except (ValueError, RecursionError):
        pass
    raise ServiceError("InvalidNextToken", "The token is not one that this operation has given.")


OPERATIONS: dict[str, Operation] = {"GetMetricData": get}
