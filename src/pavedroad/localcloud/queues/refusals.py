"""What SQS refuses, in its words."""

from __future__ import annotations

from pavedroad.localcloud.errors import ServiceError

_LEGACY = "AWS.SimpleQueueService."

SHAPES = {
    f"{_LEGACY}NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
    **{
        f"{_LEGACY}{name}": name
        for name in (
            "BatchEntryIdsNotDistinct",
            "BatchRequestTooLong",
            "EmptyBatchRequest",
            "InvalidBatchEntryId",
            "MessageNotInflight",
            "TooManyEntriesInBatchRequest",
            "UnsupportedOperation",
        )
    },
}
"""The names that errors have in the JSON protocol, by the codes of the older one."""


def no_queue() -> ServiceError:
    return ServiceError(f"{_LEGACY}NonExistentQueue", "The specified queue does not exist.")


def bad_value(value: object, parameter: str, reason: str) -> ServiceError:
    return ServiceError(
        "InvalidParameterValue", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def missing(parameter: str) -> ServiceError:
    return ServiceError("MissingParameter", f"The request must contain the parameter {parameter}.")


def bad_attribute(name: str) -> ServiceError:
    return ServiceError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def unknown_attribute(name: str) -> ServiceError:
    return ServiceError("InvalidAttributeName", f"Unknown Attribute {name}.")


def bad_handle(handle: str) -> ServiceError:
    return ServiceError(
        "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.'
    )


def not_in_flight(handle: str) -> ServiceError:
    return ServiceError(
        f"{_LEGACY}MessageNotInflight",
        bad_value(
            handle,
            "ReceiptHandle",
            "Message does not exist or is not available for visibility timeout change.",
        ).message,
    )


def batch(name: str, message: str) -> ServiceError:
    """Of a batch as a whole: `EmptyBatchRequest` and its like."""
    return ServiceError(f"{_LEGACY}{name}", message)
