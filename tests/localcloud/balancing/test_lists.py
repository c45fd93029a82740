"""Making the same thing twice, listing many things, and what is shown of each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.balancing.bench import Bench, fixed, refused, weigh


def test_making_the_same_thing_twice_gives_the_first_and_another_is_refused(bench: Bench) -> None:
    group = bench.group()
    described = bench.api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    same = {
        "Name": described["TargetGroupName"],
        "Protocol": "HTTP",
        "Port": 8000,
        "VpcId": bench.vpc,
        "TargetType": "ip",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
    }
    assert bench.api.create_target_group(**same)["TargetGroups"][0]["TargetGroupArn"] == group
    assert refused(bench.api.create_target_group, **{**same, "Port": 81})[0] == "DuplicateTargetGroupName"

    balancer = bench.balancer(weigh({group: 1}))
    name: str = bench.api.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"][0][
        "LoadBalancerName"
    ]
    again = bench.api.create_load_balancer(Name=name, Subnets=bench.subnets)["LoadBalancers"][0]
    assert again["LoadBalancerArn"] == balancer.arn
    fewer = {"Name": name, "Subnets": bench.subnets[:2]}
    assert refused(bench.api.create_load_balancer, **fewer)[0] == "DuplicateLoadBalancerName"

    listener: dict[str, Any] = {"LoadBalancerArn": balancer.arn, "Protocol": "HTTP", "Port": 8080}
    repeated = bench.api.create_listener(**listener, DefaultActions=weigh({group: 1}))["Listeners"][0]
    assert repeated["ListenerArn"] == balancer.listener
    assert refused(bench.api.create_listener, **listener, DefaultActions=fixed("x"))[0] == "DuplicateListener"


def test_deleting_what_is_gone_is_fine_where_aws_finds_it_fine(bench: Bench) -> None:
    balancer, group = bench.balancer(), bench.group()
    for _ in range(2):
        bench.api.delete_load_balancer(LoadBalancerArn=balancer.arn)
        bench.api.delete_target_group(TargetGroupArn=group)


def test_pages_hold_as_many_as_asked_for_and_miss_none(bench: Bench) -> None:
    groups = {bench.group() for _ in range(5)}
    paginator = bench.api.get_paginator("describe_target_groups")
    pages = [page["TargetGroups"] for page in paginator.paginate(PaginationConfig={"PageSize": 2})]
    assert {len(page) for page in pages[:-1]} == {2}
    listed = [group["TargetGroupArn"] for page in pages for group in page]
    assert len(listed) == len(set(listed))
    assert groups <= set(listed)


def test_pages_of_rules_go_by_priority(bench: Bench) -> None:
    balancer = bench.balancer(fixed("x"))
    for priority in (500, 3, 40_000, 20):
        bench.rule(balancer, priority, [{"Field": "path-pattern", "Values": ["/a"]}], fixed("a"))
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = bench.api.describe_rules(ListenerArn=balancer.listener, PageSize=2, **marker)
        seen += [rule["Priority"] for rule in page["Rules"]]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert seen == ["3", "20", "500", "40000", "default"]


def test_tags_are_added_changed_and_removed(bench: Bench) -> None:
    balancer = bench.balancer(fixed("x"))
    resources = [balancer.arn, balancer.listener, bench.group()]
    bench.api.add_tags(ResourceArns=resources, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    bench.api.add_tags(ResourceArns=resources, Tags=[{"Key": "a", "Value": "3"}])
    bench.api.remove_tags(ResourceArns=resources, TagKeys=["b", "absent"])
    for described in bench.api.describe_tags(ResourceArns=resources)["TagDescriptions"]:
        assert described["Tags"] == [{"Key": "a", "Value": "3"}]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refused(bench.api.add_tags, ResourceArns=resources, Tags=twice)[0] == "DuplicateTagKeys"
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert refused(bench.api.add_tags, ResourceArns=resources, Tags=many)[0] == "TooManyTags"


def test_a_balancer_shows_its_zones_its_groups_and_an_address_of_its_own(bench: Bench) -> None:
    balancer = bench.balancer()
    shown = bench.api.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"][0]
    assert shown["State"] == {"Code": "active"}
    assert (shown["Type"], shown["Scheme"], shown["VpcId"]) == ("application", "internet-facing", bench.vpc)
    assert [zone["ZoneName"] for zone in shown["AvailabilityZones"]] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1c",
    ]
    assert len(shown["SecurityGroups"]) == 1
    interfaces = bench.ec2.describe_network_interfaces()["NetworkInterfaces"]
    held = {it["PrivateIpAddress"] for it in interfaces}
    assert balancer.address in held
    fewer = bench.api.set_subnets(LoadBalancerArn=balancer.arn, Subnets=bench.subnets[:2])
    assert len(fewer["AvailabilityZones"]) == 2


@pytest.mark.parametrize("operation", ["describe_account_limits", "describe_ssl_policies"])
def test_what_only_tells_is_told(bench: Bench, operation: str) -> None:
    assert getattr(bench.api, operation)()["ResponseMetadata"]["HTTPStatusCode"] == 200
