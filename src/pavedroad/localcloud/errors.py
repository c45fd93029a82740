"""An AWS error, to be raised anywhere in a call; the endpoint writes it in the service's own protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """`ServiceError("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist")`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    def __reduce__(self) -> tuple[type[ServiceError], tuple[str, str, int]]:
        return type(self), (self.code, self.message, self.status)


class DetailedError(ServiceError):
    """An error whose shape has more members than code and message; `details` are those."""

    def __init__(self, code: str, message: str, status: int = 400, *, details: Mapping[str, Any]) -> None:
        super().__init__(code, message, status)
        self.details = dict(details)


def unavailable(message: str) -> ServiceError:
    """The code that every service has among its common errors; clients try again."""
    return ServiceError("ServiceUnavailable", message, 503)


def internal_failure() -> ServiceError:
    """What callers hear when the fault is ours; the log has the rest."""
    return ServiceError(
        "InternalFailure", "The request processing has failed because of an unknown error.", 500
    )
