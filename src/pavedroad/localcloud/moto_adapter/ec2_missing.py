"""What is not there, of another region for example, said as EC2 says it of each kind of thing."""

from __future__ import annotations

import re

from pavedroad.localcloud.errors import ServiceError

_KINDS = {
    "acl": ("InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"),
    "ami": ("InvalidAMIID.NotFound", "The image id '[{}]' does not exist"),
    "eipalloc": ("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    "igw": ("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
    "key": ("InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
    "lt": (
        "InvalidLaunchTemplateId.NotFound",
        "The specified launch template, with template ID {}, does not exist.",
    ),
    "sg": ("InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "snap": ("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
    "vpc": ("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
}
_ID = re.compile(rf"\b({'|'.join(_KINDS)})-[0-9a-f]{{8,17}}\b")
_NOT_FOUND = re.compile(r"Invalid\w+\.NotFound(Exception)?")


def missing(resource_id: str) -> ServiceError:
    """Of the kinds that moto has other words for."""
    code, text = _KINDS[resource_id.partition("-")[0]]
    return ServiceError(code, text.format(resource_id))


def as_aws_says(error: ServiceError, said: str) -> ServiceError:
    """moto's error for something that is not there; `said` is the call's form, where moto names none."""
    if not _NOT_FOUND.fullmatch(error.code):
        return error
    found = _ID.search(error.message) or (_ID.search(said) if not error.message else None)
    return missing(found[0]) if found else error
