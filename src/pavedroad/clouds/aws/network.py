"""The region's default network: zones, their default subnets, and who may reach a balancer."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from pavedroad.clouds.aws.errors import code_of
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.ownership import stranger
from pavedroad.core.errors import CloudFailed

_GROUP = "pavedroad-balancers"
_DESCRIPTION = "Clients of Pavedroad's load balancers"
"""Cannot be changed, so it tells ours from a stranger's of the same name."""


def zones(link: Link) -> list[str]:
    """Those that take launches, in order."""
    answer = link.ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    return sorted(zone.get("ZoneName", "") for zone in answer["AvailabilityZones"])


def default_vpc(link: Link) -> str:
    found = link.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        raise CloudFailed(
            f"The region {link.region} has no default VPC.", next_step="Make one: aws ec2 create-default-vpc."
        )
    return found[0].get("VpcId", "")


def default_subnets(link: Link, wanted: Sequence[str]) -> list[str]:
    """One subnet a zone, in the order of `wanted`."""
    pages = link.ec2.get_paginator("describe_subnets").paginate(
        Filters=[
            {"Name": "default-for-az", "Values": ["true"]},
            {"Name": "availability-zone", "Values": list(wanted)},
        ]
    )
    found = {
        subnet.get("AvailabilityZone", ""): subnet.get("SubnetId", "")
        for page in pages
        for subnet in page["Subnets"]
    }
    if missing := [zone for zone in wanted if zone not in found]:
        raise CloudFailed(f"There is no default subnet in {', '.join(missing)}.", aws_code="InvalidSubnet")
    return [found[zone] for zone in wanted]


def balancer_security_groups(link: Link, vpc: str, port: int) -> list[str]:
    """The VPC's own group, so that instances hear the balancer, and one that lets the world in at `port`."""
    answer = link.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default", _GROUP]}]
    )
    known = {group.get("GroupName", ""): group.get("GroupId", "") for group in answer["SecurityGroups"]}
    for group in answer["SecurityGroups"]:
        if group.get("GroupName") == _GROUP and group.get("Description") != _DESCRIPTION:
            raise stranger("security group", _GROUP, next_step="Rename or delete it.")
    if _GROUP not in known:
        made = link.ec2.create_security_group(GroupName=_GROUP, Description=_DESCRIPTION, VpcId=vpc)
        known[_GROUP] = made["GroupId"]
    try:
        link.ec2.authorize_security_group_ingress(
            GroupId=known[_GROUP],
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        )
    except ClientError as error:
        if code_of(error) != "InvalidPermission.Duplicate":
            raise
    return sorted(known.values())
