"""What is in use is not deleted, what is attached is attached once, and a refusal has changed nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.ec2_calls import IMAGE, Ec2, Json

HERE = "eu-west-3"


@pytest.fixture(scope="module")
def ec2(bench: Bench) -> Ec2:
    return Ec2(bench, HERE)


class Unchanged:
    """Refusals, after each of which all is as it was."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2

    def __call__(self, operation: str, **made: Any) -> str:
        before = self._ec2.kept()
        code = self._ec2.code(operation, **made)
        assert code, f"{operation} is not refused"
        assert self._ec2.kept() == before, operation
        return code


@pytest.fixture
def refused(ec2: Ec2) -> Unchanged:
    return Unchanged(ec2)


def test_a_volume_is_attached_once_in_its_zone_at_a_free_device(ec2: Ec2, refused: Unchanged) -> None:
    one, other = ec2.instance(), ec2.instance()
    volume, second, elsewhere = ec2.volume(), ec2.volume(), ec2.volume("b")
    place = {"InstanceId": one, "Device": "/dev/sdf"}
    assert refused("AttachVolume", VolumeId=elsewhere, **place) == "InvalidVolume.ZoneMismatch"
    assert refused("AttachVolume", VolumeId="vol-0123456789abcdef0", **place) == "InvalidVolume.NotFound"
    ec2.call("AttachVolume", VolumeId=volume, **place)
    for instance_id in (one, other):
        again = {"VolumeId": volume, "InstanceId": instance_id, "Device": "/dev/sdg"}
        assert refused("AttachVolume", **again) == "VolumeInUse"
    assert refused("AttachVolume", VolumeId=second, **place) == "InvalidParameterValue"
    assert refused("DeleteVolume", VolumeId=volume) == "VolumeInUse"
    assert refused("DetachVolume", VolumeId=volume, InstanceId=other) == "InvalidAttachment.NotFound"
    assert refused("DetachVolume", VolumeId=volume, Device="/dev/sdz") == "InvalidAttachment.NotFound"
    assert refused("DetachVolume", VolumeId=second) == "IncorrectState"
    assert ec2.call("DetachVolume", VolumeId=volume)["InstanceId"] == one
    ec2.call("DeleteVolume", VolumeId=volume)
    root = ec2.described("DescribeInstances", InstanceIds=[one])["Instances"][0]["BlockDeviceMappings"][0]
    assert refused("DetachVolume", VolumeId=root["Ebs"]["VolumeId"]) == "OperationNotPermitted"
    ec2.call("TerminateInstances", InstanceIds=[one, other])
    assert refused("AttachVolume", VolumeId=second, **place) == "IncorrectState"


def test_a_volume_for_several_is_attached_once_to_each(ec2: Ec2, refused: Unchanged) -> None:
    volume = ec2.volume(Size=4, VolumeType="io2", Iops=100, MultiAttachEnabled=True)
    one, other = ec2.instance(), ec2.instance()
    for instance_id in (one, other):
        place = {"VolumeId": volume, "InstanceId": instance_id, "Device": "/dev/sdf"}
        ec2.call("AttachVolume", **place)
        assert refused("AttachVolume", **{**place, "Device": "/dev/sdg"}) == "VolumeInUse"
    assert refused("DetachVolume", VolumeId=volume) == "InvalidParameterCombination"

    def holders() -> list[str]:
        described = ec2.described("DescribeVolumes", VolumeIds=[volume])
        return [it["InstanceId"] for it in described["Attachments"]]

    assert holders() == [one, other]
    ec2.end(one)
    assert holders() == [other]
    assert refused("DeleteVolume", VolumeId=volume) == "VolumeInUse"
    ec2.call("DetachVolume", VolumeId=volume, InstanceId=other)
    ec2.call("DeleteVolume", VolumeId=volume)


def test_volumes_are_of_a_size_that_their_type_has_and_never_shrink(ec2: Ec2, refused: Unchanged) -> None:
    volume = ec2.volume(Size=10)
    snapshot = ec2.call("CreateSnapshot", VolumeId=volume)["SnapshotId"]
    zone = {"AvailabilityZone": ec2.zone()}
    assert refused("ModifyVolume", VolumeId=volume, Size=9) == "InvalidParameterValue"
    assert refused("ModifyVolume", VolumeId=volume, VolumeType="st1") == "InvalidParameterValue"
    assert refused("ModifyVolume", VolumeId=volume, VolumeType="io1") == "MissingParameter"
    assert refused("CreateVolume", Size=99999, **zone) == "InvalidParameterValue"
    assert refused("CreateVolume", Size=1, VolumeType="io2", **zone) == "InvalidParameterValue"
    assert refused("CreateVolume", Size=2, SnapshotId=snapshot, **zone) == "InvalidParameterValue"
    assert refused("CreateVolume", Size=1, AvailabilityZone=ec2.zone("z")) == "InvalidZone.NotFound"
    ec2.call("ModifyVolume", VolumeId=volume, Size=20, VolumeType="gp3", Iops=4000)
    changed = ec2.described("DescribeVolumes", VolumeIds=[volume])
    assert (changed["Size"], changed["VolumeType"], changed["Iops"]) == (20, "gp3", 4000)


def test_the_snapshot_of_an_image_goes_after_the_image(ec2: Ec2, refused: Unchanged) -> None:
    copied = ec2.call("CopyImage", Name="held", SourceImageId=IMAGE, SourceRegion=HERE)["ImageId"]
    image = ec2.described("DescribeImages", ImageIds=[copied])
    (snapshot,) = [it["Ebs"]["SnapshotId"] for it in image["BlockDeviceMappings"] if "Ebs" in it]
    assert refused("DeleteSnapshot", SnapshotId=snapshot) == "InvalidSnapshot.InUse"
    ec2.call("DeregisterImage", ImageId=copied)
    ec2.call("DeleteSnapshot", SnapshotId=snapshot)


def test_an_interface_is_attached_once_at_a_free_index(ec2: Ec2, refused: Unchanged) -> None:
    subnet = ec2.subnet(ec2.vpc("10.61.0.0/16"), "10.61.1.0/24")
    one, other = ec2.instance(SubnetId=subnet), ec2.instance(SubnetId=subnet)
    first, second = ec2.interface(subnet), ec2.interface(subnet)
    at_one = {"InstanceId": one, "DeviceIndex": 1}
    attachment = ec2.call("AttachNetworkInterface", NetworkInterfaceId=first, **at_one)["AttachmentId"]
    at_other = {**at_one, "InstanceId": other}
    in_use = "InvalidNetworkInterface.InUse"
    assert refused("AttachNetworkInterface", NetworkInterfaceId=first, **at_other) == in_use
    assert refused("AttachNetworkInterface", NetworkInterfaceId=second, **at_one) == "InvalidParameterValue"
    assert refused("DeleteNetworkInterface", NetworkInterfaceId=first) == "InvalidParameterValue"
    described = ec2.described("DescribeInstances", InstanceIds=[one])["Instances"][0]["NetworkInterfaces"]
    (primary,) = [it for it in described if it["Attachment"]["DeviceIndex"] == 0]
    main = primary["Attachment"]["AttachmentId"]
    assert refused("DetachNetworkInterface", AttachmentId=main) == "OperationNotPermitted"
    assert refused("DetachNetworkInterface", AttachmentId="eni-attach-01234567") == (
        "InvalidAttachmentID.NotFound"
    )
    unknown = {"SubnetId": subnet, "Groups": ["sg-0123456789abcdef0"]}
    assert refused("CreateNetworkInterface", **unknown) == "InvalidGroup.NotFound"
    taken = primary["PrivateIpAddress"]
    assert refused("CreateNetworkInterface", SubnetId=subnet, PrivateIpAddress=taken) == (
        "InvalidIPAddress.InUse"
    )
    secondary = {"NetworkInterfaceId": second, "PrivateIpAddresses": ["10.61.1.99", taken]}
    assert refused("AssignPrivateIpAddresses", **secondary) == "InvalidIPAddress.InUse"
    ec2.call("DetachNetworkInterface", AttachmentId=attachment)
    ec2.call("DeleteNetworkInterface", NetworkInterfaceId=first)


def test_an_attached_interface_goes_with_its_instance_where_that_is_said(
    ec2: Ec2, refused: Unchanged
) -> None:
    subnet = ec2.subnet(ec2.vpc("10.72.0.0/16"), "10.72.1.0/24")
    one, interface = ec2.instance(SubnetId=subnet), ec2.interface(subnet)
    place = {"NetworkInterfaceId": interface, "InstanceId": one, "DeviceIndex": 1}
    attachment = ec2.call("AttachNetworkInterface", **place)["AttachmentId"]
    said = {"AttachmentId": "eni-attach-01234567", "DeleteOnTermination": True}
    change = {"NetworkInterfaceId": interface, "Attachment": said}
    assert refused("ModifyNetworkInterfaceAttribute", **change) == "InvalidAttachmentID.NotFound"
    said["AttachmentId"] = attachment
    ec2.call("ModifyNetworkInterfaceAttribute", **change)
    ec2.end(one)
    gone = {"NetworkInterfaceIds": [interface]}
    assert ec2.code("DescribeNetworkInterfaces", **gone) == "InvalidNetworkInterfaceID.NotFound"


def test_an_elastic_address_has_one_holder_and_a_holder_one_address(ec2: Ec2, refused: Unchanged) -> None:
    subnet = ec2.subnet(ec2.vpc("10.62.0.0/16"), "10.62.1.0/24")
    first, second = ec2.interface(subnet), ec2.interface(subnet)
    held, other = ec2.address(), ec2.address()
    association = ec2.call("AssociateAddress", AllocationId=held, NetworkInterfaceId=first)["AssociationId"]
    moved = {"AllocationId": held, "NetworkInterfaceId": second}
    assert refused("AssociateAddress", **moved) == "Resource.AlreadyAssociated"
    replaced = {"AllocationId": other, "NetworkInterfaceId": first}
    assert refused("AssociateAddress", **replaced) == "Resource.AlreadyAssociated"
    assert refused("ReleaseAddress", AllocationId=held) == "InvalidIPAddress.InUse"
    assert (
        refused("DisassociateAddress", AssociationId="eipassoc-01234567") == "InvalidAssociationID.NotFound"
    )
    ec2.call("AssociateAddress", AllowReassociation=True, **moved)
    assert "Association" not in ec2.described("DescribeNetworkInterfaces", NetworkInterfaceIds=[first])
    assert refused("DisassociateAddress", AssociationId=association) == "InvalidAssociationID.NotFound"
    ec2.call("DeleteNetworkInterface", NetworkInterfaceId=second)
    assert "AssociationId" not in ec2.described("DescribeAddresses", AllocationIds=[held])
    for allocation_id in (held, other):
        ec2.call("ReleaseAddress", AllocationId=allocation_id)
    assert refused("ReleaseAddress", AllocationId=held) == "InvalidAllocationID.NotFound"


def test_what_an_instance_held_is_free_or_gone_with_it(ec2: Ec2) -> None:
    subnet = ec2.subnet(ec2.vpc("10.63.0.0/16"), "10.63.1.0/24")
    own = [
        {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": False}},
        {"DeviceName": "/dev/sdh", "Ebs": {"VolumeSize": 1}},
    ]
    one = ec2.instance(SubnetId=subnet, BlockDeviceMappings=own)
    volume, interface, address = ec2.volume(), ec2.interface(subnet), ec2.address()
    ec2.call("AttachVolume", VolumeId=volume, InstanceId=one, Device="/dev/sdf")
    ec2.call("AssociateAddress", AllocationId=address, InstanceId=one)
    ec2.call("AttachNetworkInterface", NetworkInterfaceId=interface, InstanceId=one, DeviceIndex=1)
    assert ec2.code("AssociateAddress", AllocationId=address, InstanceId=one) == "InvalidInstanceID"
    mappings = ec2.described("DescribeInstances", InstanceIds=[one])["Instances"][0]["BlockDeviceMappings"]
    devices = {it["DeviceName"]: it["Ebs"] for it in mappings}
    assert devices["/dev/sdf"]["DeleteOnTermination"] is False
    ec2.end(one)
    for kept in (volume, devices["/dev/sdg"]["VolumeId"]):
        assert ec2.described("DescribeVolumes", VolumeIds=[kept])["State"] == "available"
    gone = devices["/dev/sdh"]["VolumeId"]
    assert ec2.code("DescribeVolumes", VolumeIds=[gone]) == "InvalidVolume.NotFound"
    left = ec2.described("DescribeNetworkInterfaces", NetworkInterfaceIds=[interface])
    assert (left["Status"], "Attachment" in left) == ("available", False)
    freed = ec2.described("DescribeAddresses", AllocationIds=[address])
    assert not any(map(freed.get, ("AssociationId", "NetworkInterfaceId", "InstanceId")))
    ec2.call("ReleaseAddress", AllocationId=address)


def test_a_network_has_one_internet_gateway_while_addresses_are_mapped(ec2: Ec2, refused: Unchanged) -> None:
    vpc, other = ec2.vpc("10.64.0.0/16"), ec2.vpc("10.65.0.0/16")
    gateway, second = ec2.gateway(vpc), ec2.gateway()
    attached = {"InternetGatewayId": gateway, "VpcId": vpc}
    for vpc_id in (vpc, other):
        again = {"InternetGatewayId": gateway, "VpcId": vpc_id}
        assert refused("AttachInternetGateway", **again) == "Resource.AlreadyAssociated"
    more = {"InternetGatewayId": second, "VpcId": vpc}
    assert refused("AttachInternetGateway", **more) == "InvalidParameterValue"
    assert refused("DetachInternetGateway", InternetGatewayId=gateway, VpcId=other) == "Gateway.NotAttached"
    interface, address = ec2.interface(ec2.subnet(vpc, "10.64.1.0/24")), ec2.address()
    ec2.call("AssociateAddress", AllocationId=address, NetworkInterfaceId=interface)
    assert refused("DetachInternetGateway", **attached) == "DependencyViolation"
    assert refused("DeleteInternetGateway", InternetGatewayId=gateway) == "DependencyViolation"
    ec2.call("DeleteNetworkInterface", NetworkInterfaceId=interface)
    ec2.call("DetachInternetGateway", **attached)
    ec2.call("DeleteInternetGateway", InternetGatewayId=gateway)


def test_a_nat_gateway_holds_its_address_and_subnet_until_it_is_deleted(ec2: Ec2, refused: Unchanged) -> None:
    vpc = ec2.vpc("10.66.0.0/16")
    subnet, address = ec2.subnet(vpc, "10.66.1.0/24"), ec2.address()
    made = {"SubnetId": subnet, "AllocationId": address}
    nat = ec2.call("CreateNatGateway", **made)["NatGateway"]["NatGatewayId"]
    assert refused("CreateNatGateway", **made) == "Resource.AlreadyAssociated"
    assert refused("CreateNatGateway", SubnetId=subnet) == "MissingParameter"
    assert refused("ReleaseAddress", AllocationId=address) == "InvalidIPAddress.InUse"
    assert refused("DeleteSubnet", SubnetId=subnet) == "DependencyViolation"
    assert refused("DeleteNatGateway", NatGatewayId="nat-0123456789abcdef0") == "NatGatewayNotFound"
    table = ec2.table(vpc)
    ec2.call("CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.call("DeleteNatGateway", NatGatewayId=nat)
    routes = ec2.described("DescribeRouteTables", RouteTableIds=[table])["Routes"]
    assert [it["State"] for it in routes if it["DestinationCidrBlock"] == "0.0.0.0/0"] == ["blackhole"]
    ec2.call("ReleaseAddress", AllocationId=address)
    ec2.call("DeleteSubnet", SubnetId=subnet)


@pytest.mark.parametrize(
    ("destination", "target", "code"),
    [
        ("0.0.0.0/0", {"GatewayId": "igw-0123456789abcdef0"}, "InvalidGatewayID.NotFound"),
        ("0.0.0.0/0", {"NatGatewayId": "nat-0123456789abcdef0"}, "InvalidNatGatewayID.NotFound"),
        ("0.0.0.0/0", {"InstanceId": "i-0123456789abcdef0"}, "InvalidInstanceID.NotFound"),
        (
            "0.0.0.0/0",
            {"NetworkInterfaceId": "eni-0123456789abcdef0"},
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "0.0.0.0/0",
            {"VpcPeeringConnectionId": "pcx-0123456789abcdef0"},
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
        ("0.0.0.0/0", {}, "MissingParameter"),
        ("10.67.0.0/16", {"GatewayId": "its own"}, "RouteAlreadyExists"),
        ("10.1.0.9/16", {"GatewayId": "its own"}, "RouteAlreadyExists"),
        ("10.300.0.0/16", {"GatewayId": "its own"}, "InvalidParameterValue"),
        ("10.9.0.0/16", {"GatewayId": "of another"}, "InvalidParameterValue"),
    ],
)
def test_a_route_that_cannot_be_is_refused(
    ec2: Ec2, refused: Unchanged, routed: Json, destination: str, target: dict[str, str], code: str
) -> None:
    given = {name: routed.get(value, value) for name, value in target.items()}
    made = {"RouteTableId": routed["table"], "DestinationCidrBlock": destination, **given}
    assert refused("CreateRoute", **made) == code


@pytest.fixture(scope="module")
def routed(ec2: Ec2) -> Json:
    vpc, other = ec2.vpc("10.67.0.0/16"), ec2.vpc("10.68.0.0/16")
    own, table = ec2.gateway(vpc), ec2.table(vpc)
    ec2.call("CreateRoute", RouteTableId=table, DestinationCidrBlock="10.1.0.0/16", GatewayId=own)
    return {"vpc": vpc, "table": table, "its own": own, "of another": ec2.gateway(other), "other": other}


def test_routes_are_replaced_and_removed_where_they_are(ec2: Ec2, refused: Unchanged, routed: Json) -> None:
    there = {"RouteTableId": routed["table"], "DestinationCidrBlock": "10.1.0.0/16"}
    absent = {**there, "DestinationCidrBlock": "10.2.0.0/16"}
    assert refused("ReplaceRoute", GatewayId=routed["its own"], **absent) == "InvalidParameterValue"
    unknown = "igw-0123456789abcdef0"
    assert refused("ReplaceRoute", GatewayId=unknown, **there) == "InvalidGatewayID.NotFound"
    assert refused("DeleteRoute", **absent) == "InvalidRoute.NotFound"
    local = {**there, "DestinationCidrBlock": "10.67.0.0/16"}
    assert refused("DeleteRoute", **local) == "InvalidParameterValue"


def test_a_route_table_is_associated_with_its_own_network_and_in_one_step(
    ec2: Ec2, refused: Unchanged, routed: Json
) -> None:
    vpc, table = routed["vpc"], routed["table"]
    subnet, foreign = ec2.subnet(vpc, "10.67.5.0/24"), ec2.subnet(routed["other"], "10.68.5.0/24")
    second, strange = ec2.table(vpc), ec2.table(routed["other"])
    associated = ec2.call("AssociateRouteTable", RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert refused("AssociateRouteTable", RouteTableId=second, SubnetId=subnet) == (
        "Resource.AlreadyAssociated"
    )
    assert refused("AssociateRouteTable", RouteTableId=table, SubnetId=foreign) == "InvalidParameterValue"
    assert refused("DeleteRouteTable", RouteTableId=table) == "DependencyViolation"
    replaced = {"AssociationId": associated, "RouteTableId": second}
    for wrong, code in (
        ({"RouteTableId": "rtb-0123456789abcdef0"}, "InvalidRouteTableID.NotFound"),
        ({"RouteTableId": strange}, "InvalidParameterValue"),
        ({"AssociationId": "rtbassoc-0123456789abcdef0"}, "InvalidAssociationID.NotFound"),
    ):
        assert refused("ReplaceRouteTableAssociation", **{**replaced, **wrong}) == code
    new = ec2.call("ReplaceRouteTableAssociation", **replaced)["NewAssociationId"]
    assert refused("DisassociateRouteTable", AssociationId=associated) == "InvalidAssociationID.NotFound"
    mains = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    main = ec2.described("DescribeRouteTables", Filters=mains)
    assert refused("DeleteRouteTable", RouteTableId=main["RouteTableId"]) == "DependencyViolation"
    own = main["Associations"][0]["RouteTableAssociationId"]
    assert refused("DisassociateRouteTable", AssociationId=own) == "InvalidParameterValue"
    ec2.call("DisassociateRouteTable", AssociationId=new)
    ec2.call("DeleteRouteTable", RouteTableId=second)
    ec2.call("AssociateRouteTable", RouteTableId=table, SubnetId=subnet)
    ec2.call("DeleteSubnet", SubnetId=subnet)
    ec2.call("DeleteRouteTable", RouteTableId=table)


def test_a_security_group_in_use_stays_and_its_rules_come_all_or_none(ec2: Ec2, refused: Unchanged) -> None:
    vpc = ec2.vpc("10.69.0.0/16")
    held, other = ec2.group(vpc, "held"), ec2.group(vpc, "other")
    interface = ec2.interface(ec2.subnet(vpc, "10.69.1.0/24"), Groups=[held])
    assert refused("DeleteSecurityGroup", GroupId=held) == "DependencyViolation"
    ec2.call("DeleteNetworkInterface", NetworkInterfaceId=interface)

    def rule(port: int, **more: Any) -> Json:
        source = more or {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}

    ec2.call("AuthorizeSecurityGroupIngress", GroupId=other, IpPermissions=[rule(1)])
    for side in ("Ingress", "Egress"):
        add, revoke = f"AuthorizeSecurityGroup{side}", f"RevokeSecurityGroup{side}"
        ec2.call(add, GroupId=other, IpPermissions=[rule(2)])
        unknown = rule(4, UserIdGroupPairs=[{"GroupId": "sg-0123456789abcdef0"}])
        for rules, code in (
            ([rule(3), rule(2), rule(4)], "InvalidPermission.Duplicate"),
            ([rule(3), rule(3)], "InvalidParameterValue"),
            ([rule(3), unknown], "InvalidGroup.NotFound"),
            ([rule(3), {**rule(5), "ToPort": 4}], "InvalidParameterValue"),
            ([rule(3), rule(4, IpRanges=[{"CidrIp": "10.0.0.0/99"}])], "InvalidParameterValue"),
        ):
            assert refused(add, GroupId=other, IpPermissions=rules) == code
        gone = {"GroupId": other, "IpPermissions": [rule(2), rule(9)]}
        assert refused(revoke, **gone) == "InvalidPermission.NotFound"
    found = ec2.call("DescribeSecurityGroupRules", Filters=[{"Name": "group-id", "Values": [other]}])
    first = found["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    wider = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIpv4": "10.0.0.0/8"}
    changes = [
        {"SecurityGroupRuleId": it, "SecurityGroupRule": wider} for it in (first, "sgr-0123456789abcdef0")
    ]
    assert refused("ModifySecurityGroupRules", GroupId=other, SecurityGroupRules=changes) == (
        "InvalidSecurityGroupRuleId.NotFound"
    )
    named = rule(7, UserIdGroupPairs=[{"GroupId": held}])
    ec2.call("AuthorizeSecurityGroupIngress", GroupId=other, IpPermissions=[named])
    assert refused("DeleteSecurityGroup", GroupId=held) == "DependencyViolation"
    ec2.call("RevokeSecurityGroupIngress", GroupId=other, IpPermissions=[named])
    ec2.call("DeleteSecurityGroup", GroupId=held)
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    default = ec2.described("DescribeSecurityGroups", Filters=filters)["GroupId"]
    assert refused("DeleteSecurityGroup", GroupId=default) == "CannotDelete"
    again = {"GroupName": "other", "Description": "x", "VpcId": vpc}
    assert refused("CreateSecurityGroup", **again) == "InvalidGroup.Duplicate"


def test_a_network_goes_when_nothing_of_it_is_left(ec2: Ec2, refused: Unchanged) -> None:
    vpc = ec2.vpc("10.70.0.0/16")
    options = ec2.call(
        "CreateDhcpOptions", DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.test"]}]
    )["DhcpOptions"]["DhcpOptionsId"]
    ec2.call("AssociateDhcpOptions", DhcpOptionsId=options, VpcId=vpc)
    acl = ec2.call("CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    subnet, group, table, gateway = (
        ec2.subnet(vpc, "10.70.1.0/24"),
        ec2.group(vpc, "last"),
        ec2.table(vpc),
        ec2.gateway(vpc),
    )
    one = ec2.instance(SubnetId=subnet)
    assert refused("DeleteDhcpOptions", DhcpOptionsId=options) == "DependencyViolation"
    assert refused("DeleteSubnet", SubnetId=subnet) == "DependencyViolation"
    ec2.end(one)
    for operation, named in (
        ("DeleteSubnet", {"SubnetId": subnet}),
        ("DeleteSecurityGroup", {"GroupId": group}),
        ("DeleteRouteTable", {"RouteTableId": table}),
        ("DeleteNetworkAcl", {"NetworkAclId": acl}),
        ("DetachInternetGateway", {"InternetGatewayId": gateway, "VpcId": vpc}),
    ):
        assert refused("DeleteVpc", VpcId=vpc) == "DependencyViolation"
        ec2.call(operation, **named)
    ec2.call("DeleteVpc", VpcId=vpc)
    ec2.call("DeleteDhcpOptions", DhcpOptionsId=options)


def test_an_access_list_in_use_stays_and_is_replaced_in_one_step(ec2: Ec2, refused: Unchanged) -> None:
    vpc = ec2.vpc("10.71.0.0/16")
    subnet = ec2.subnet(vpc, "10.71.1.0/24")
    acl = ec2.call("CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    default = ec2.described("DescribeNetworkAcls", Filters=filters)
    (association,) = [it["NetworkAclAssociationId"] for it in default["Associations"]]
    assert refused("DeleteNetworkAcl", NetworkAclId=default["NetworkAclId"]) == "DependencyViolation"
    unknown = {"AssociationId": association, "NetworkAclId": "acl-0123456789abcdef0"}
    assert refused("ReplaceNetworkAclAssociation", **unknown) == "InvalidNetworkAclID.NotFound"
    ec2.call("ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=acl)
    assert refused("DeleteNetworkAcl", NetworkAclId=acl) == "DependencyViolation"
    entry = {"NetworkAclId": acl, "RuleNumber": 7, "Egress": False}
    assert refused("DeleteNetworkAclEntry", **entry) == "InvalidNetworkAclEntry.NotFound"
    ec2.call("DeleteSubnet", SubnetId=subnet)
    ec2.call("DeleteNetworkAcl", NetworkAclId=acl)


def test_one_bad_thing_of_several_changes_none(ec2: Ec2, refused: Unchanged) -> None:
    one, nobody = ec2.instance(), "i-0123456789abcdef0"
    assert refused("TerminateInstances", InstanceIds=[one, nobody]) == "InvalidInstanceID.NotFound"
    assert refused("StopInstances", InstanceIds=[one, nobody]) == "InvalidInstanceID.NotFound"
    tags = [{"Key": "a", "Value": ""}]
    assert refused("CreateTags", Resources=[one, nobody], Tags=tags) == "InvalidInstanceID.NotFound"
    bad = [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0123456789abcdef0"}}]
    launched = {"ImageId": IMAGE, "InstanceType": "t3.nano", "MinCount": 2, "MaxCount": 2}
    assert refused("RunInstances", BlockDeviceMappings=bad, **launched) == "InvalidSnapshot.NotFound"
    groups = {"SecurityGroupIds": ["sg-0123456789abcdef0"]}
    assert refused("RunInstances", **groups, **launched) == "InvalidGroup.NotFound"
