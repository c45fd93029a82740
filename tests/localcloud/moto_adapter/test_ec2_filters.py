"""Filters and pages of EC2's Describe calls, as AWS documents them."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.moto_adapter.ec2_filters import documented, matches
from pavedroad.localcloud.moto_adapter.ec2_listings import LISTINGS
from tests.localcloud.moto_adapter.bench import Bench, filters
from tests.localcloud.moto_adapter.test_ec2_launch import IMAGE, ONE


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("web-1", "web-1", True),
        ("web-1", "WEB-1", False),
        ("web-1", "web-*", True),
        ("web-1", "web-?", True),
        ("web-12", "web-?", False),
        ("web-1", "*", True),
        ("", "*", True),
        ("a*b", r"a\*b", True),
        ("axb", r"a\*b", False),
        ("a?b", r"a\?b", True),
        (r"a\b", r"a\\b", True),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
        ("line\nbreak", "line*", True),
        ("aba", "a*b*a", True),
        ("ab-ba", "a*?b*", True),
        ("abab", "a*b*a", False),
        ("ab", "a*b*b", False),
        ("a" * 200, "*a" * 40 + "b", False),
        ("a" * 200, "*?" * 40 + "b", False),
        (None, "*", False),
        (["a", "b"], "b", True),
        (True, "true", True),
        (16, "16", True),
    ],
)
def test_patterns_match_as_on_aws(value: object, pattern: str, *, expected: bool) -> None:
    assert matches(value, [pattern]) is expected


@pytest.mark.parametrize("action", [*LISTINGS, "DescribeInstances"])
def test_every_documented_filter_is_taken_and_others_are_refused(bench: Bench, action: str) -> None:
    versions = {"LaunchTemplateVersion.1": "$Latest"} if action == "DescribeLaunchTemplateVersions" else {}
    names = sorted(documented(action))
    assert names
    for name in [*names, "tag:Name"]:
        form = {"Filter.1.Name": name, "Filter.1.Value.1": "no such value", **versions}
        answer = bench.ask(action, form)
        assert answer.status == 200, (name, answer.body)
        assert not answer.every(f"{_element(action)}/item"), (name, answer.body)
    wrong = bench.ask(action, {"Filter.1.Name": "no-such-filter", "Filter.1.Value.1": "x", **versions})
    assert (wrong.code, wrong.message) == (
        "InvalidParameterValue",
        "The filter 'no-such-filter' is invalid",
    )


def _element(action: str) -> str:
    return LISTINGS[action].element if action in LISTINGS else "reservationSet"


@pytest.fixture(scope="module")
def made(bench: Bench) -> str:
    image = bench.ask("DescribeImages", filters(name=IMAGE)).first("imageId")
    tags = {
        "TagSpecification.1.ResourceType": "instance",
        "TagSpecification.1.Tag.1.Key": "Role",
        "TagSpecification.1.Tag.1.Value": "filtered",
    }
    return bench.ask("RunInstances", {**ONE, "ImageId": image, **tags}).first("instanceId")


@pytest.mark.parametrize(
    "name",
    [
        "image-id",
        "instance-type",
        "subnet-id",
        "vpc-id",
        "private-ip-address",
        "network-interface.mac-address",
        "network-interface.addresses.private-ip-address",
        "network-interface.network-interface-id",
        "network-interface.attachment.attachment-id",
        "block-device-mapping.volume-id",
        "block-device-mapping.status",
        "metadata-options.http-tokens",
        "metadata-options.http-protocol-ipv6",
        "network-interface.group-name",
        "reservation-id",
        "hypervisor",
    ],
)
def test_an_instance_is_found_by_what_it_shows(bench: Bench, made: str, name: str) -> None:
    shown = bench.ask("DescribeInstances", {"InstanceId.1": made}).root
    tags = {
        "network-interface.mac-address": "macAddress",
        "network-interface.addresses.private-ip-address": "privateIpAddress",
        "network-interface.network-interface-id": "networkInterfaceId",
        "network-interface.attachment.attachment-id": "attachmentId",
        "block-device-mapping.volume-id": "volumeId",
        "block-device-mapping.status": "blockDeviceMapping/item/ebs/status",
        "metadata-options.http-tokens": "httpTokens",
        "metadata-options.http-protocol-ipv6": "httpProtocolIpv6",
        "network-interface.group-name": "groupSet/item/groupName",
    }
    words = name.split("-")
    tag = tags.get(name) or words[0] + "".join(word.capitalize() for word in words[1:])
    value = shown.findtext(f".//{tag}")
    assert value, tag
    form = {"Filter.1.Name": name, "Filter.1.Value.1": value}
    form |= {"Filter.2.Name": "tag:Role", "Filter.2.Value.1": "filt*"}
    found = bench.ask("DescribeInstances", form)
    assert found.every("reservationSet/item/instancesSet/item/instanceId") == [made]


def test_groups_are_found_by_their_permissions(bench: Bench) -> None:
    group = bench.ask("CreateSecurityGroup", GroupName="permitted", GroupDescription="some words")
    group_id = group.first("groupId")
    bench.ask(
        "AuthorizeSecurityGroupIngress",
        {
            "GroupId": group_id,
            "IpPermissions.1.IpProtocol": "tcp",
            "IpPermissions.1.FromPort": "8443",
            "IpPermissions.1.ToPort": "8444",
            "IpPermissions.1.IpRanges.1.CidrIp": "127.7.0.0/16",
        },
    )
    for chosen in (
        filters(ip_permission__from_port="8443"),
        filters(ip_permission__to_port="8444", ip_permission__protocol="tcp"),
        filters(ip_permission__cidr="127.7.*"),
        filters(description="some *", group_name="permit?ed"),
    ):
        found = bench.ask("DescribeSecurityGroups", chosen)
        assert found.every("securityGroupInfo/item/groupId") == [group_id]
    rules = bench.ask("DescribeSecurityGroupRules", filters(group_id=group_id))
    assert set(rules.every("securityGroupRuleSet/item/groupId")) == {group_id}


def test_pages_go_on_where_they_ended_though_items_come_and_go(bench: Bench) -> None:
    names = [f"page-{number:02}" for number in range(12)]
    for name in names:
        bench.ask("CreateKeyPair", KeyName=name)
    made = [
        bench.ask("CreateSecurityGroup", GroupName=name, GroupDescription="paged").first("groupId")
        for name in names
    ]
    form = {**filters(description="paged"), "MaxResults": "5"}
    first = bench.ask("DescribeSecurityGroups", form)
    given = first.every("securityGroupInfo/item/groupId")
    assert len(given) == 5
    for group_id in given[-2:]:  # the one that the token names, too
        assert bench.ask("DeleteSecurityGroup", GroupId=group_id).status == 200
    while token := first.first("nextToken"):
        first = bench.ask("DescribeSecurityGroups", {**form, "NextToken": token})
        given += first.every("securityGroupInfo/item/groupId")
    assert sorted(given) == sorted(made)
    assert len(set(given)) == len(given)


def test_a_token_of_another_call_or_of_nobody_is_refused(bench: Bench) -> None:
    token = bench.ask("DescribeInstanceTypes", MaxResults="5").first("nextToken")
    assert token
    for action in ("DescribeVpcs", "DescribeInstances", "DescribeRouteTables"):
        assert bench.ask(action, NextToken=token).code == "InvalidNextToken"
        assert bench.ask(action, NextToken="nonsense").code == "InvalidNextToken"
