"""What programs have given they read again as it was: those that keep infrastructure as code compare it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.certificates import self_signed
from tests.localcloud.machines import bare_image
from tests.localcloud.running import RunningCloud

REGION = "sa-east-1"


@pytest.fixture
def ec2(cloud: RunningCloud) -> Any:
    return cloud.client("ec2", REGION)


@pytest.fixture
def vpc(ec2: Any) -> str:
    return ec2.create_vpc(CidrBlock="10.61.0.0/16")["Vpc"]["VpcId"]


def _group(ec2: Any, vpc: str) -> str:
    return ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="-", VpcId=vpc)["GroupId"]


def _list(ec2: Any) -> str:
    made = ec2.create_managed_prefix_list(PrefixListName="offices", AddressFamily="IPv4", MaxEntries=2)
    return made["PrefixList"]["PrefixListId"]


def _rule(ec2: Any, rule_id: str) -> dict[str, Any]:
    return ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"][0]


@pytest.mark.parametrize("source", ["IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"])
def test_a_rule_has_its_description_whatever_its_source_and_is_found_by_what_it_allows(
    ec2: Any, vpc: str, source: str
) -> None:
    group = _group(ec2, vpc)
    named = {
        "IpRanges": {"CidrIp": "10.0.0.0/8"},
        "Ipv6Ranges": {"CidrIpv6": "::/0"},
        "UserIdGroupPairs": {"GroupId": _group(ec2, vpc)},
        "PrefixListIds": {"PrefixListId": _list(ec2)},
    }[source]
    allowed = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    [made] = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**allowed, source: [{**named, "Description": "one"}]}]
    )["SecurityGroupRules"]
    assert made["Description"] == "one"
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group, IpPermissions=[{**allowed, source: [{**named, "Description": "two"}]}]
    )
    [shown] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert shown[source][0]["Description"] == "two"
    with pytest.raises(ClientError, match="Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**allowed, source: [named]}])
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[{**allowed, source: [named]}])
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []


def test_a_rule_is_changed_whole_and_several_of_them_or_none(ec2: Any, vpc: str) -> None:
    group, one, other = (_group(ec2, vpc) for _ in range(3))
    made = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 1,
                "ToPort": 1,
                "UserIdGroupPairs": [{"GroupId": one}, {"GroupId": other}],
            }
        ],
    )["SecurityGroupRules"]
    first, second = (it["SecurityGroupRuleId"] for it in made)

    def change(*rules: tuple[str, dict[str, Any]]) -> None:
        listed = [{"SecurityGroupRuleId": name, "SecurityGroupRule": rule} for name, rule in rules]
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=listed)

    change((first, {"IpProtocol": "-1", "ReferencedGroupId": one, "Description": "all"}))
    shown = _rule(ec2, first)
    assert (shown["IpProtocol"], shown["Description"]) == ("-1", "all")
    assert shown["ReferencedGroupInfo"]["GroupId"] == one
    same = {"IpProtocol": "-1", "ReferencedGroupId": one}
    with pytest.raises(ClientError, match="Duplicate"):
        change((first, {**same, "Description": "changed"}), (second, same))
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        change((first, {"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/8"}))
    assert _rule(ec2, first)["Description"] == "all"


def test_what_is_made_with_tags_has_them(ec2: Any) -> None:
    def tags(kind: str) -> Any:
        return [{"ResourceType": kind, "Tags": [{"Key": "team", "Value": "red"}]}]

    options = ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name", "Values": ["shop.internal"]}],
        TagSpecifications=tags("dhcp-options"),
    )["DhcpOptions"]["DhcpOptionsId"]
    image = ec2.copy_image(
        Name="copy",
        SourceImageId=bare_image(ec2),
        SourceRegion=REGION,
        TagSpecifications=tags("image"),
    )["ImageId"]
    for made in (options, image):
        [shown] = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [made]}])["Tags"]
        assert (shown["Key"], shown["Value"]) == ("team", "red")


def test_the_tags_of_a_launch_template_are_not_among_those_of_what_it_launches(ec2: Any) -> None:
    def tags(kind: str) -> dict[str, Any]:
        return {"ResourceType": kind, "Tags": [{"Key": "kind", "Value": kind}]}

    template = ec2.create_launch_template(
        LaunchTemplateName=uuid.uuid4().hex,
        LaunchTemplateData={"InstanceType": "t3.nano", "TagSpecifications": [tags("instance")]},
        TagSpecifications=[tags("launch-template")],
    )["LaunchTemplate"]
    assert template["Tags"] == [{"Key": "kind", "Value": "launch-template"}]
    [version] = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["TagSpecifications"] == [tags("instance")]
    named = {"LaunchTemplateIds": [template["LaunchTemplateId"]]}
    ec2.create_tags(Resources=named["LaunchTemplateIds"], Tags=[{"Key": "kind", "Value": "changed"}])
    [shown] = ec2.describe_launch_templates(**named)["LaunchTemplates"]
    assert shown["Tags"] == [{"Key": "kind", "Value": "changed"}]


def test_an_instance_has_the_groups_of_its_first_interface_and_each_interface_its_own(
    ec2: Any, vpc: str
) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.61.1.0/24")["Subnet"]["SubnetId"]
    one, other = _group(ec2, vpc), _group(ec2, vpc)
    first = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [one], "AssociatePublicIpAddress": False}
    launched = ec2.run_instances(
        ImageId=bare_image(ec2), MinCount=1, MaxCount=1, InstanceType="t3.nano", NetworkInterfaces=[first]
    )["Instances"][0]["InstanceId"]
    second = ec2.create_network_interface(SubnetId=subnet, Groups=[other])["NetworkInterface"]
    interface = second["NetworkInterfaceId"]
    ec2.attach_network_interface(DeviceIndex=1, InstanceId=launched, NetworkInterfaceId=interface)
    shown = ec2.describe_instances(InstanceIds=[launched])["Reservations"][0]["Instances"][0]
    assert [it["GroupId"] for it in shown["SecurityGroups"]] == [one]
    [seen] = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert [it["GroupId"] for it in seen["Groups"]] == [other]
    ec2.terminate_instances(InstanceIds=[launched])


def test_a_zone_that_is_given_a_network_is_private(cloud: RunningCloud, vpc: str) -> None:
    route53 = cloud.client("route53")
    network = {"VPCId": vpc, "VPCRegion": REGION}
    made = route53.create_hosted_zone(Name="given.internal", CallerReference=uuid.uuid4().hex, VPC=network)
    assert made["HostedZone"]["Config"]["PrivateZone"] is True
    shown = route53.get_hosted_zone(Id=made["HostedZone"]["Id"])
    assert shown["VPCs"] == [network]
    route53.delete_hosted_zone(Id=made["HostedZone"]["Id"])


def test_a_warm_pool_says_of_reuse_what_it_was_told(cloud: RunningCloud) -> None:
    scaling, ec2 = cloud.client("autoscaling", REGION), cloud.client("ec2", REGION)
    name = uuid.uuid4().hex
    template = {"LaunchTemplateName": name}
    ec2.create_launch_template(
        **template, LaunchTemplateData={"ImageId": bare_image(ec2), "InstanceType": "t3.nano"}
    )
    group = {"AutoScalingGroupName": name}
    scaling.create_auto_scaling_group(
        **group, MinSize=0, MaxSize=0, LaunchTemplate=template, AvailabilityZones=[f"{REGION}a"]
    )
    scaling.put_warm_pool(**group)
    assert "InstanceReusePolicy" not in scaling.describe_warm_pool(**group)["WarmPoolConfiguration"]
    policy = {"ReuseOnScaleIn": False}
    scaling.put_warm_pool(**group, InstanceReusePolicy=policy)
    assert scaling.describe_warm_pool(**group)["WarmPoolConfiguration"]["InstanceReusePolicy"] == policy
    scaling.delete_auto_scaling_group(**group, ForceDelete=True)


def test_a_server_certificate_has_its_own_dates_and_tags(cloud: RunningCloud) -> None:
    iam, name = cloud.client("iam"), {"ServerCertificateName": uuid.uuid4().hex}
    pair = {key: value.decode() for key, value in self_signed("given.example", days=9).items()}
    body, key = pair["Certificate"], pair["PrivateKey"]
    tags = [{"Key": "team", "Value": "red"}]
    made = iam.upload_server_certificate(
        **name, CertificateBody=body, PrivateKey=key, Path="/web/", Tags=tags
    )
    told = made["ServerCertificateMetadata"]
    assert (told["Expiration"] - told["UploadDate"]).days in (8, 9)
    shown = iam.get_server_certificate(**name)["ServerCertificate"]
    assert (shown["ServerCertificateMetadata"], shown["Tags"]) == (told, tags)
    assert told in iam.list_server_certificates(PathPrefix="/web/")["ServerCertificateMetadataList"]
    iam.tag_server_certificate(**name, Tags=[{"Key": "tier", "Value": "front"}])
    iam.untag_server_certificate(**name, TagKeys=["team"])
    assert iam.list_server_certificate_tags(**name)["Tags"] == [{"Key": "tier", "Value": "front"}]
    iam.delete_server_certificate(**name)
    iam.upload_server_certificate(**name, CertificateBody=body, PrivateKey=key, Path="/web/")
    assert "Tags" not in iam.get_server_certificate(**name)["ServerCertificate"]
    iam.delete_server_certificate(**name)


def test_an_update_leaves_what_it_does_not_name(cloud: RunningCloud) -> None:
    iam, name = cloud.client("iam"), uuid.uuid4().hex
    trusting = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusting]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Description="one")
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    iam.update_role(RoleName=name, Description="two")
    role = iam.get_role(RoleName=name)["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("two", 7200)
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "two"
    iam.create_group(GroupName=name)
    iam.update_group(GroupName=name, NewPath="/team/")
    assert iam.get_group(GroupName=name)["Group"]["Path"] == "/team/"
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password="Correct-horse-1", PasswordResetRequired=False)
    iam.update_login_profile(UserName=name, PasswordResetRequired=True)
    iam.update_login_profile(UserName=name, Password="Correct-horse-2")
    assert iam.get_login_profile(UserName=name)["LoginProfile"]["PasswordResetRequired"] is True
