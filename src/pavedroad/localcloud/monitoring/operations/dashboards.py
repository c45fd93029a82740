"""Dashboards: kept as they are put, once their JSON is what CloudWatch's is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pavedroad.localcloud import paging
from pavedroad.localcloud.errors import DetailedError, ServiceError
from pavedroad.localcloud.monitoring.alarms import definition
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.model import Dashboard
from pavedroad.localcloud.monitoring.refusals import invalid, token_as_parameter

MOST_WIDGETS = 500
MOST_BYTES = 2**20
DASHBOARDS_A_PAGE = 1000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_KINDS = ("metric", "text", "log", "alarm", "explorer", "custom", "table", "trace")
_SIDES = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}

Message = dict[str, str]


def put(call: Call) -> Result:
    name, body = call.parameters["DashboardName"], call.parameters["DashboardBody"]
    if not _NAME.fullmatch(name):
        raise invalid(f"The value {name} for field DashboardName contains invalid characters.")
    messages = list(_faults(body))
    if messages:
        raise DetailedError(
            "InvalidParameterInput",
            f"The field DashboardBody must be a valid JSON object: {messages[0]['Message']}",
            details={"dashboardValidationMessages": messages},
        )
    known = call.region.dashboards.get(name)
    tags = known.tags if known else definition.tags(call.parameters)
    call.region.dashboards[name] = Dashboard(name, body, call.now, tags)
    return {"DashboardValidationMessages": []}


def _faults(body: str) -> Iterator[Message]:
    if len(body.encode()) > MOST_BYTES:
        yield {"Message": f"The dashboard is over the limit of {MOST_BYTES} bytes"}
        return
    try:
        board: Any = json.loads(body)
    except (ValueError, RecursionError):
        yield {"Message": "The field DashboardBody must be valid JSON"}
        return
    widgets: Any = cast("dict[str, Any]", board).get("widgets") if isinstance(board, dict) else None
    if not isinstance(widgets, list):
        yield {"DataPath": "/", "Message": "Should have property widgets"}
        return
    items = cast("list[Any]", widgets)
    if len(items) > MOST_WIDGETS:
        yield {"DataPath": "/widgets", "Message": f"Should not have more than {MOST_WIDGETS} items"}
    for number, widget in enumerate(items):
        yield from _widget_faults(widget, f"/widgets/{number}")


def _widget_faults(widget: Any, path: str) -> Iterator[Message]:
    if not isinstance(widget, dict):
        yield {"DataPath": path, "Message": "Should be object"}
        return
    given = cast("dict[str, Any]", widget)
    if given.get("type") not in _KINDS:
        yield {"DataPath": f"{path}/type", "Message": f"Should be one of {', '.join(_KINDS)}"}
    if not isinstance(given.get("properties"), dict):
        yield {"DataPath": path, "Message": "Should have property properties"}
    for name, (least, most) in _SIDES.items():
        value = given.get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least and (most is None or value <= most)):
            yield {"DataPath": f"{path}/{name}", "Message": f"Should be a whole number from {least} on"}


def get(call: Call) -> Result:
    board = _board(call, call.parameters["DashboardName"])
    return {
        "DashboardName": board.name,
        "DashboardArn": _arn(call, board.name),
        "DashboardBody": board.body,
    }


def list_all(call: Call) -> Result:
    prefix: str = call.get("DashboardNamePrefix", "")
    boards = call.region.dashboards
    with token_as_parameter():
        shown, token = paging.page(
            (boards[name] for name in sorted(boards) if name.startswith(prefix)),
            key=lambda board: (board.name,),
            token=call.get("NextToken"),
            limit=DASHBOARDS_A_PAGE,
        )
    return {"DashboardEntries": [_entry(call, board) for board in shown], "NextToken": token}


def delete(call: Call) -> Result:
    if not call.texts("DashboardNames"):
        raise invalid("The collection DashboardNames must not be empty.")
    boards = [_board(call, name) for name in dict.fromkeys(call.texts("DashboardNames"))]
    for board in boards:
        del call.region.dashboards[board.name]
    return {}


def _entry(call: Call, board: Dashboard) -> Mapping[str, Any]:
    return {
        "DashboardName": board.name,
        "DashboardArn": _arn(call, board.name),
        "LastModified": board.modified_at,
        "Size": len(board.body.encode()),
    }


def _board(call: Call, name: str) -> Dashboard:
    board = call.region.dashboards.get(name)
    if board is None:
        raise ServiceError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
    return board


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:cloudwatch::{call.region.account}:dashboard/{name}"


OPERATIONS: dict[str, Operation] = {
    "PutDashboard": put,
    "GetDashboard": get,
    "ListDashboards": list_all,
    "DeleteDashboards": delete,
}
