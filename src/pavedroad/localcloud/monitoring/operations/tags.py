"""Tags of alarms and dashboards."""

from __future__ import annotations

from pavedroad.localcloud.errors import DetailedError
from pavedroad.localcloud.monitoring.alarms import definition
from pavedroad.localcloud.monitoring.call import Call, Operation, Result


def tag(call: Call) -> Result:
    tags = _tags(call)
    coming = {one["Key"]: one["Value"] for one in call.entries("Tags")}
    definition.check_tags({**tags, **coming})
    tags.update(coming)
    return {}


def untag(call: Call) -> Result:
    tags = _tags(call)
    for key in call.texts("TagKeys"):
        tags.pop(key, None)
    return {}


def list_tags(call: Call) -> Result:
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(_tags(call).items())]}


def _tags(call: Call) -> dict[str, str]:
    arn: str = call.parameters["ResourceARN"]
    prefix = f"arn:aws:cloudwatch:{call.region.name}:{call.region.account}:alarm:"
    boards = f"arn:aws:cloudwatch::{call.region.account}:dashboard/"
    found = None
    if arn.startswith(prefix):
        found = call.region.alarms.get(arn.removeprefix(prefix))
    elif arn.startswith(boards):
        found = call.region.dashboards.get(arn.removeprefix(boards))
    if found is None:
        raise DetailedError(
            "ResourceNotFoundException",
            f"The resource {arn} does not exist.",
            404,
            details={"ResourceType": "dashboard" if ":dashboard/" in arn else "alarm", "ResourceId": arn},
        )
    return found.tags


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}
