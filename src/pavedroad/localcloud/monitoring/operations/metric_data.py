"""GetMetricData: metrics and metric math, in pages of datapoints."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.expressions import labels, queries
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
    skipped = _offset(call.get("NextToken"))
    to_skip, room = skipped, limit
    results: list[dict[str, Any]] = []
    cut = False
    for query in asked.values():
        lines = computed.lines(query)
        if not query.returned:
            continue
        for line in lines:
            points = list(line.points.items())
            if not ascending:
                points.reverse()
            dropped = min(to_skip, len(points))
            to_skip -= dropped
            shown = points[dropped : dropped + room]
            room -= len(shown)
            partial = len(points) > dropped + len(shown)
            cut |= partial
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
    token = _token(skipped + limit - room) if cut else None
    return {"MetricDataResults": results, "Messages": [], "NextToken": token}


def _messages(line: Line) -> list[dict[str, str]] | None:
    if not line.units:
        return None
    return [{"Code": "MultipleUnits", "Value": f"Multiple units returned: '[{', '.join(line.units)}]'"}]


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"datapoint {offset}".encode()).decode()


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        if word == "datapoint" and offset.isascii() and offset.isdigit() and len(offset) < 12:
            return int(offset)
    except ValueError:
        pass
    raise ServiceError("InvalidNextToken", "The token is not one that this operation has given.")


OPERATIONS: dict[str, Operation] = {"GetMetricData": get}
