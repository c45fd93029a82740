"""A group's newer settings are checked, described, and obeyed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, described, refusal

NO_ROOM = ServiceError("InsufficientInstanceCapacity", "No room.")


def test_all_of_them_are_described_as_they_were_given(client: Any) -> None:
    given: dict[str, Any] = {
        "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"},
        "AvailabilityZoneImpairmentPolicy": {
            "ZonalShiftEnabled": True,
            "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy",
        },
        "CapacityReservationSpecification": {
            "CapacityReservationPreference": "capacity-reservations-first",
            "CapacityReservationTarget": {"CapacityReservationIds": ["cr-1"]},
        },
        "DeletionProtection": "prevent-force-deletion",
        "InstanceLifecyclePolicy": {"RetentionTriggers": {"TerminateHookAbandon": "retain"}},
        "InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120},
        "MaxInstanceLifetime": 604_800,
        "CapacityRebalance": True,
        "Context": "any",
    }
    create(client, SkipZonalShiftValidation=True, **given)
    group = described(client)
    assert {name: group[name] for name in given} == given
    assert group["AvailabilityZoneIds"] == ["use1-az1", "use1-az2", "use1-az3"]
    client.update_auto_scaling_group(
        AutoScalingGroupName="web",
        InstanceMaintenancePolicy={"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1},
        MaxInstanceLifetime=0,
    )
    group = described(client)
    assert not {"InstanceMaintenancePolicy", "MaxInstanceLifetime"} & set(group)
    assert group["DeletionProtection"] == "prevent-force-deletion", "what is not named stays"


def test_a_group_without_them_has_the_defaults_of_aws(client: Any) -> None:
    create(client)
    group = described(client)
    assert group["DeletionProtection"] == "none"
    assert group["AvailabilityZoneDistribution"] == {"CapacityDistributionStrategy": "balanced-best-effort"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"InstanceMaintenancePolicy": {"MinHealthyPercentage": 50}},
            "Both MinHealthyPercentage and MaxHealthyPercentage must be specified.",
        ),
        (
            {"InstanceMaintenancePolicy": {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 200}},
            "The difference between MinHealthyPercentage and MaxHealthyPercentage must not be greater",
        ),
        (
            {"InstanceMaintenancePolicy": {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 99}},
            "MinHealthyPercentage must be between 0 and 100",
        ),
        ({"DesiredCapacityType": "vcpu"}, "DesiredCapacityType vcpu is supported for attribute-based"),
        ({"DesiredCapacityType": "pods"}, "Invalid DesiredCapacityType pods."),
        (
            {
                "CapacityReservationSpecification": {
                    "CapacityReservationPreference": "none",
                    "CapacityReservationTarget": {"CapacityReservationIds": ["cr-1"]},
                }
            },
            "CapacityReservationTarget cannot be specified when CapacityReservationPreference is none.",
        ),
        (
            {"AvailabilityZoneImpairmentPolicy": {"ZonalShiftEnabled": True}},
            "ImpairedZoneHealthCheckBehavior is required when ZonalShiftEnabled is true.",
        ),
        ({"AvailabilityZoneIds": ["use1-az1"]}, "You cannot specify both AvailabilityZones and"),
        (
            {"AvailabilityZones": [], "AvailabilityZoneIds": ["use1-az9"]},
            "Invalid availability zone ids: [use1-az9]",
        ),
        (
            {
                "TerminationPolicies": [
                    "OldestInstance",
                    "arn:aws:lambda:us-east-1:123456789012:function:choose:prod",
                ]
            },
            "A Lambda function must be the first termination policy, and there can be only one.",
        ),
        ({"PlacementGroup": "near"}, "The Placement Group 'near' is unknown."),
        ({"Operator": {"Principal": "ecs.amazonaws.com"}}, "Operator is not offered"),
        ({"TerminationPolicies": ["arn:aws:lambda:us-east-1:1:function:f"]}, "The termination policy arn"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Any, wrong: dict[str, Any], message: str) -> None:
    code, said = refusal(lambda **more: create(client, **more), **wrong)
    assert (code, said[: len(message)]) == ("ValidationError", message)


def test_zones_may_be_named_by_their_ids(bench: Bench) -> None:
    bench.create(desired=2, AvailabilityZones=[], AvailabilityZoneIds=["use1-az3", "use1-az1"])
    bench.settle()
    assert bench.zones() == {"us-east-1a": 1, "us-east-1c": 1}


def test_balanced_only_waits_for_the_zone_that_refuses(bench: Bench) -> None:
    bench.compute.refusals["us-east-1a"] = NO_ROOM
    bench.create(desired=6, AvailabilityZoneDistribution={"CapacityDistributionStrategy": "balanced-only"})
    bench.settle()
    assert bench.zones().get("us-east-1a", 0) == 0
    assert max(bench.zones().values(), default=0) <= 1
    bench.compute.refusals.clear()
    bench.pass_time(10)
    assert bench.zones() == {"us-east-1a": 2, "us-east-1b": 2, "us-east-1c": 2}


@pytest.mark.parametrize(
    ("protection", "forced", "plain"),
    [("none", True, True), ("prevent-force-deletion", False, True), ("prevent-all-deletion", False, False)],
)
def test_a_protected_group_is_deleted_only_as_far_as_that_allows(
    bench: Bench, protection: str, forced: bool, plain: bool
) -> None:
    for force, allowed in ((True, forced), (False, plain)):
        bench.create(f"{protection}-{force}", desired=0, DeletionProtection=protection)
        name = f"{protection}-{force}"
        with nullcontext() if allowed else pytest.raises(ServiceError, match=protection):
            bench.call("DeleteAutoScalingGroup", AutoScalingGroupName=name, ForceDelete=force)
        assert bench.exists(name) is not allowed


def test_where_only_reservations_may_be_used_nothing_is_launched(bench: Bench) -> None:
    bench.create(
        desired=1,
        CapacityReservationSpecification={"CapacityReservationPreference": "capacity-reservations-only"},
    )
    bench.settle()
    assert not bench.group().members
    assert "The requested reservation does not have sufficient" in (
        bench.activities()[0].status_message or ""
    )


def test_a_lambda_function_leaves_the_choice_to_the_next_policy(bench: Bench) -> None:
    bench.create(
        desired=1,
        TerminationPolicies=["arn:aws:lambda:us-east-1:123456789012:function:choose", "NewestInstance"],
    )
    bench.settle()
    [oldest] = bench.members()
    bench.clock.advance(100)
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    bench.settle()
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    bench.settle()
    assert [member.id for member in bench.members()] == [oldest.id]


def test_an_instance_of_another_vpc_is_not_attached(bench: Bench) -> None:
    bench.create(desired=0, AvailabilityZones=[], VPCZoneIdentifier="subnet-us-east-1a")
    data = bench.compute.templates["web"][0]
    own = bench.compute.launch(data, subnet_id="subnet-us-east-1a", tags={})
    other = bench.compute.launch(data, subnet_id="subnet-us-east-1a.other", tags={})
    bench.compute.run()
    with pytest.raises(ServiceError, match="is not in the VPC of Auto Scaling group web"):
        bench.call("AttachInstances", AutoScalingGroupName="web", InstanceIds=[other.id])
    bench.call("AttachInstances", AutoScalingGroupName="web", InstanceIds=[own.id])
    bench.settle()
    assert [member.id for member in bench.members()] == [own.id]
