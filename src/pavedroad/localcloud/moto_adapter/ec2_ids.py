"""Ids of EC2's resources: what each kind looks like, and AWS's error for one that does not."""

from __future__ import annotations

import re

from pavedroad.localcloud.errors import ServiceError

_KINDS: dict[str, tuple[str, str]] = {
    "InstanceId": ("i-", "InvalidInstanceID.Malformed"),
    "ImageId": ("ami-", "InvalidAMIID.Malformed"),
    "SourceImageId": ("ami-", "InvalidAMIID.Malformed"),
    "VpcId": ("vpc-", "InvalidVpcID.Malformed"),
    "SubnetId": ("subnet-", "InvalidSubnetID.Malformed"),
    "GroupId": ("sg-", "InvalidGroupId.Malformed"),
    "SecurityGroupId": ("sg-", "InvalidGroupId.Malformed"),
    "VolumeId": ("vol-", "InvalidVolumeID.Malformed"),
    "SnapshotId": ("snap-", "InvalidSnapshotID.Malformed"),
    "NetworkInterfaceId": ("eni-", "InvalidNetworkInterfaceId.Malformed"),
    "RouteTableId": ("rtb-", "InvalidRouteTableId.Malformed"),
    "InternetGatewayId": ("igw-", "InvalidInternetGatewayId.Malformed"),
    "NetworkAclId": ("acl-", "InvalidNetworkAclId.Malformed"),
    "LaunchTemplateId": ("lt-", "InvalidLaunchTemplateId.Malformed"),
    "SpotInstanceRequestId": ("sir-", "InvalidSpotInstanceRequestID.Malformed"),
    "PlacementGroupId": ("pg-", "InvalidPlacementGroupId.Malformed"),
    "FleetId": ("fleet-", "InvalidFleetId.Malformed"),
}
"""By the name of the parameter: AWS's model has most of them as plain strings."""
_DIGITS = re.compile(r"[0-9a-f]{8}|[0-9a-f]{17}")
_REQUEST_DIGITS = re.compile(r"[0-9a-z]{8}|[0-9a-f]{17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_id(parameter: str, value: str) -> None:
    """Refuse what cannot be the id of the kind that the parameter names."""
    kind = _KINDS.get(parameter)
    if kind is None or value.startswith("resolve:"):  # an image by a parameter's name
        return
    prefix, code = kind
    if not value.startswith(prefix):
        raise ServiceError(code, f'Invalid id: "{value}" (expecting "{prefix}...")')
    digits = _REQUEST_DIGITS if prefix in ("sir-", "fleet-") else _DIGITS
    if not digits.fullmatch(value.removeprefix(prefix)):
        raise ServiceError(code, f'Invalid id: "{value}"')
