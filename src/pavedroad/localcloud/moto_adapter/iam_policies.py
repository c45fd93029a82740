# pyright: basic, reportAttributeAccessIssue=false
"""AWS's own managed policies, each there once a call names it; those that nobody uses are not saved."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse

from pavedroad.localcloud.errors import ServiceError

_OWN = ":iam::aws:policy/"
_NAMING = ("PolicyArn", "PermissionsBoundary")
_LISTING = {"ListPolicies", "GetAccountAuthorizationDetails"}
_CHANGING = {
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "SetDefaultPolicyVersion",
    "TagPolicy",
    "UntagPolicy",
}

_moto_call = IamResponse.call_action


def install() -> None:
    IamResponse.call_action = _call
    IAMBackend.__getstate__ = _in_use


def _call(response: IamResponse):
    action = response._get_action()
    for name in _NAMING:
        arn = response._get_param(name)
        if isinstance(arn, str) and _OWN in arn:
            if action in _CHANGING:
                raise ServiceError("AccessDenied", f"Policy {arn} is AWS's own and cannot be changed.", 403)
            _know(response.backend, arn)
    if action in _LISTING and response._get_param("Scope") != "Local":
        for name, data in _all().items():
            _know(response.backend, f"arn:{response.partition}{_OWN}{data['Path'].lstrip('/')}{name}")
    return _moto_call(response)


def _know(backend: IAMBackend, arn: str) -> None:
    name = arn.rpartition("/")[2]
    data = _all().get(name)
    if arn in backend.managed_policies or data is None:
        return
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    if policy.arn == arn:
        policy.id = "ANPA" + b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]
        backend.managed_policies[arn] = policy


@cache
def _all() -> dict[str, dict[str, Any]]:
    return json.loads(aws_managed_policies_data)


def _in_use(backend: IAMBackend) -> dict[str, Any]:
    kept = {
        arn: policy
        for arn, policy in backend.managed_policies.items()
        if policy.attachment_count or not isinstance(policy, AWSManagedPolicy)
    }
    return {**vars(backend), "managed_policies": kept}
