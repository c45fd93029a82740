"""How a service says that it is asked too often, broken, or not there: each has its own codes for that."""

from __future__ import annotations

from pavedroad.localcloud.errors import ServiceError

_INTERNAL = "An internal error has occurred"
_THROTTLED = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "sqs": ("RequestThrottled", "Rate exceeded", 400),
    "sns": ("Throttled", "Rate exceeded", 429),
    "acm": ("ThrottlingException", "Rate exceeded", 400),
    "dynamodb": ("ThrottlingException", "Rate exceeded", 400),
}
_FAILING = {"ec2": ("InternalError", _INTERNAL, 500), "s3": ("InternalError", _INTERNAL, 500)}
_UNAVAILABLE = {"ec2": ("Unavailable", "The server is overloaded and can't handle the request.", 503)}


def throttled(service: str) -> ServiceError:
    return ServiceError(*_THROTTLED.get(service, ("Throttling", "Rate exceeded", 400)))


def failing(service: str) -> ServiceError:
    return ServiceError(*_FAILING.get(service, ("InternalFailure", _INTERNAL, 500)))


def unavailable(service: str) -> ServiceError:
    said = ("ServiceUnavailable", "The service is unavailable. Please try again.", 503)
    return ServiceError(*_UNAVAILABLE.get(service, said))
