"""Traffic sources are target groups by another name."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.operations import catalogues, target_groups
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import ARN, OTHER_ARN, Bench
from tests.localcloud.autoscaling.calls import create, described, refusal


def source(arn: str, kind: str | None = "elbv2") -> dict[str, str]:
    return {"Identifier": arn} | ({"Type": kind} if kind else {})


def test_boto3_sees_the_same_attachments_either_way(client: Any, bench: Bench) -> None:
    create(client, TrafficSources=[source(ARN, None)], DesiredCapacity=1)
    assert described(client)["TargetGroupARNs"] == [ARN]
    client.attach_traffic_sources(AutoScalingGroupName="web", TrafficSources=[source(OTHER_ARN)])
    assert described(client)["TrafficSources"] == [source(ARN), source(OTHER_ARN)]
    bench.settle()
    [member] = bench.members()
    bench.balancers.report(ARN, member.id, healthy=True)
    bench.settle()
    states = {
        one["Identifier"]: (one["Type"], one["State"], one["TrafficSource"])
        for one in client.describe_traffic_sources(AutoScalingGroupName="web")["TrafficSources"]
    }
    assert states == {ARN: ("elbv2", "InService", ARN), OTHER_ARN: ("elbv2", "Added", OTHER_ARN)}
    none = client.describe_traffic_sources(AutoScalingGroupName="web", TrafficSourceType="vpc-lattice")
    assert none["TrafficSources"] == []
    client.detach_traffic_sources(AutoScalingGroupName="web", TrafficSources=[source(ARN)])
    bench.settle()
    found = client.describe_load_balancer_target_groups(AutoScalingGroupName="web")
    assert [one["LoadBalancerTargetGroupARN"] for one in found["LoadBalancerTargetGroups"]] == [OTHER_ARN]
    assert bench.balancers.target_groups[ARN] == {}


@pytest.mark.parametrize(
    "wrong",
    [
        source("classic", "elb"),
        source("classic", None),
        source("classic", "elbv2"),
        source(f"{ARN}0"),
        source("arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-1", "vpc-lattice"),
        source("arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-1", None),
        source(ARN, "gwlb"),
    ],
)
def test_what_is_no_source_here_is_refused(client: Any, wrong: dict[str, str]) -> None:
    create(client, DesiredCapacity=1)
    for call in (client.attach_traffic_sources, client.detach_traffic_sources):
        assert refusal(call, AutoScalingGroupName="web", TrafficSources=[wrong])[0] == "ValidationError"
    assert described(client)["TrafficSources"] == []


def test_a_group_has_so_many_target_groups_and_an_account_so_many_groups(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_groups, "MOST_TARGET_GROUPS", 1)
    monkeypatch.setattr(catalogues, "MOST_GROUPS", 1)
    bench.create(desired=0, TargetGroupARNs=[ARN])
    with pytest.raises(ServiceError, match="LimitExceeded"):
        bench.call("AttachTrafficSources", AutoScalingGroupName="web", TrafficSources=[source(OTHER_ARN)])
    with pytest.raises(ServiceError, match="LimitExceeded"):
        bench.create("second", desired=0)
