"""The names that SQS's older protocol has for what its model calls otherwise.

Source: the query examples of the Amazon SQS API reference; the model says only that lists and maps are flat.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

_MEMBERS = {
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
}
_ENTRIES = {"Entries": "RequestEntry", "Successful": "ResultEntry"}
_MAPS = {
    "MessageBodyAttributeMap": ("Name", "Value"),
    "MessageBodySystemAttributeMap": ("Name", "Value"),
    "MessageSystemAttributeMap": ("Name", "Value"),
    "QueueAttributeMap": ("Name", "Value"),
    "TagMap": ("Key", "Value"),
}


def with_older_names(description: Any) -> Any:
    """The model's description, with names that are for the query protocol alone."""
    described = deepcopy(description)
    shapes = described["shapes"]
    for name, shape in shapes.items():
        for member, said in shape.get("members", {}).items():
            if member in _MEMBERS:
                said["locationName"] = _MEMBERS[member]
            elif member in _ENTRIES:
                said["locationName"] = name.removesuffix("Request").removesuffix("Result") + _ENTRIES[member]
            elif member == "Failed":
                said["locationName"] = "BatchResultErrorEntry"
        if name in _MAPS:
            shape["key"]["locationName"], shape["value"]["locationName"] = _MAPS[name]
    for operation in described["operations"].values():
        if "output" in operation:
            operation["output"]["resultWrapper"] = operation["output"]["shape"]
    described["metadata"]["xmlNamespace"] = "http://queue.amazonaws.com/doc/2012-11-05/"
    return described
