# pyright: basic
"""Calls of moto's own services held against botocore's model of each, before moto sees them.

moto takes much that AWS refuses. S3's calls are resources, and `s3_checks` looks at those.
"""

from __future__ import annotations

import json
from functools import cache

from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.protocols import Check, Parameters, Protocols

QUERY = frozenset({"iam", "sts", "sns"})
"""Services of moto's own that speak the query protocol."""
_PUBLISHED_TO = ("TopicArn", "TargetArn", "PhoneNumber")
_POLICIES = ("AssumeRolePolicyDocument", "PolicyDocument")


class ModelChecks:
    """What the model of one service, by the name that boto3 has for it, does not allow."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._wire = Protocols(service, _check_of(service))

    def refusal(self, request: ApiRequest) -> ApiResponse | None:
        if not self._is_call(request):
            return None
        try:
            self._wire.read(request)
        except ServiceError as error:
            return self._wire.refuse(request, error)
        return None

    def _is_call(self, request: ApiRequest) -> bool:
        if self._service == "acm":
            return "x-amz-target" in request.headers
        return self._service in QUERY and (request.method == "POST" or "Action=" in request.query)


@cache
def checks_of(service: str) -> ModelChecks:
    return ModelChecks(service)


def _check_of(service: str) -> Check:
    check = Constraints(service).check
    if service == "acm":
        return _renamed(check, "ValidationException")
    own = {"iam": _check_iam, "sns": _check_sns}.get(service)
    return own(check) if own else check


def _renamed(check: Check, code: str) -> Check:
    def renamed(operation: str, parameters: Parameters) -> None:
        try:
            check(operation, parameters)
        except ServiceError as error:
            raise ServiceError(code, error.message) from error

    return renamed


def _check_sns(check: Check) -> Check:
    def checked(operation: str, parameters: Parameters) -> None:
        check(operation, parameters)
        if operation == "Publish" and not any(map(parameters.get, _PUBLISHED_TO)):
            raise ServiceError(
                "InvalidParameter",
                "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
            )

    return checked


def _check_iam(check: Check) -> Check:
    def checked(operation: str, parameters: Parameters) -> None:
        check(operation, parameters)
        for name in _POLICIES:
            if name in parameters:
                _check_json(parameters[name])

    return checked


def _check_json(document: str) -> None:
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ServiceError("MalformedPolicyDocument", "This policy contains invalid Json")
