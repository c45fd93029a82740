"""The refusals of CloudWatch, by their codes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pavedroad.localcloud.errors import ServiceError


def refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def missing(parameter: str) -> ServiceError:
    return ServiceError("MissingParameter", f"The parameter {parameter} is required.")


def contradictory(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message)


@contextmanager
def token_as_parameter() -> Generator[None]:
    """For operations that know no InvalidNextToken: a bad one is a bad value."""
    try:
        yield
    except ServiceError as error:
        if error.code == "InvalidNextToken":
            raise invalid("Request parameter NextToken is invalid") from error
        raise
