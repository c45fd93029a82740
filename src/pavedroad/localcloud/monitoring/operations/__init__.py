"""The operations, one function each, in modules by theme; each module lists its own."""

from __future__ import annotations

from pavedroad.localcloud.monitoring.call import Operation
from pavedroad.localcloud.monitoring.operations import (
    alarms,
    composite_alarms,
    dashboards,
    data,
    metric_data,
    tags,
)

WITHOUT_STATE_LOCK: dict[str, Operation] = {**data.OPERATIONS, **metric_data.OPERATIONS}
"""They read and change datapoints alone, which have a lock of their own."""

OPERATIONS: dict[str, Operation] = {
    **WITHOUT_STATE_LOCK,
    **alarms.OPERATIONS,
    **composite_alarms.OPERATIONS,
    **tags.OPERATIONS,
    **dashboards.OPERATIONS,
}
