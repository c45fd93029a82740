"""The refusals of CloudWatch, by their codes."""

from __future__ import annotations

from pavedroad.localcloud.errors import ServiceError


def refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def missing(parameter: str) -> ServiceError:
    return ServiceError("MissingParameter", f"The parameter {parameter} is required.")


def contradictory(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message)
