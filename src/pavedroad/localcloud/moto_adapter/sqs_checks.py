# pyright: basic
"""What SQS refuses beyond its model, in words of its own."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape
from moto.core.utils import get_service_model

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.protocols import Parameters

_NAMES = {"QueueAttributeName", "MessageSystemAttributeName"}
_RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 2**20),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_WORDS = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoQueue": ("true",),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_SETTABLE = {*_RANGES, *_WORDS, "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy"}


def check_sqs(operation: str, parameters: Parameters) -> None:
    shape: Any = get_service_model("sqs").operation_model(operation).input_shape
    for name in shape.required_members:
        if parameters.get(name) in (None, ""):
            raise ServiceError("MissingParameter", f"The request must contain the parameter {name}.")
    for name, member in shape.members.items():
        item: Any = member.member if isinstance(member, ListShape) else None
        if item is not None and item.name in _NAMES:
            _check_names(parameters.get(name) or (), item.enum)
    if operation in ("CreateQueue", "SetQueueAttributes"):
        attributes = parameters.get("Attributes") or {}
        _check_names(attributes, _SETTABLE)
        for name, value in attributes.items():
            if not _fits(name, value):
                raise ServiceError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def as_system_attributes(operation: str, parameters: Parameters) -> Parameters:
    """What was received was asked for by `AttributeNames` once; the model has the wrong names for it."""
    if operation != "ReceiveMessage" or "AttributeNames" not in parameters:
        return parameters
    rest = {name: value for name, value in parameters.items() if name != "AttributeNames"}
    newer = rest.get("MessageSystemAttributeNames") or []
    return {**rest, "MessageSystemAttributeNames": [*newer, *parameters["AttributeNames"]]}


def _check_names(given: Any, known: Any) -> None:
    for name in given:
        if name not in known:
            raise ServiceError("InvalidAttributeName", f"Unknown Attribute {name}.")


def _fits(name: str, value: str) -> bool:
    """A text that is empty takes an attribute back."""
    if name in _WORDS:
        return value.lower() in map(str.lower, _WORDS[name]) or value == ""
    if name not in _RANGES or value == "":
        return True
    least, most = _RANGES[name]
    return value.isascii() and value.isdigit() and least <= int(value[:19]) <= most
