"""Mixed instances policies: which types and markets are launched, what counts, and what goes first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pavedroad.localcloud.autoscaling import prices
from pavedroad.localcloud.autoscaling.memory import instance_type
from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.autoscaling.sources import MixedPolicy
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import refusal

NO_ROOM = ServiceError("InsufficientInstanceCapacity", "We currently do not have sufficient capacity.")
TYPES = ("m5.large", "c5.large", "r5.large")


def policy(*overrides: dict[str, Any], **distribution: Any) -> dict[str, Any]:
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "web"},
            "Overrides": list(overrides) or [{"InstanceType": name} for name in TYPES],
        },
        "InstancesDistribution": distribution,
    }


def create(bench: Bench, desired: int, *overrides: dict[str, Any], **more: Any) -> None:
    distribution = {name: more.pop(name) for name in list(more) if name.startswith(("OnDemand", "Spot"))}
    bench.create(
        desired=desired,
        **({"LaunchTemplate": None, "MixedInstancesPolicy": policy(*overrides, **distribution)} | more),
    )
    bench.settle()


def resize(bench: Bench, desired: int) -> None:
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)
    bench.settle()


def update(bench: Bench, mixed: dict[str, Any]) -> None:
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MixedInstancesPolicy=mixed)
    bench.settle()


def types(bench: Bench) -> Counter[str]:
    return Counter(member.instance_type for member in bench.members())


def markets(bench: Bench) -> dict[str, int]:
    return dict(Counter(member.market for member in bench.members()))


def units(members: list[Member]) -> int:
    return sum(member.units for member in members)


def test_on_demand_launches_the_first_override_that_is_not_refused(bench: Bench) -> None:
    bench.compute.refusals["m5.large"] = NO_ROOM
    create(bench, 3)
    assert types(bench) == {"c5.large": 3}
    assert sorted(bench.zones().values()) == [1, 1, 1], "another type, not another zone"
    assert not [activity for activity in bench.activities() if activity.status == "Failed"]
    bench.compute.refusals.clear()
    bench.pass_time(10)
    resize(bench, 4)
    assert types(bench) == {"c5.large": 3, "m5.large": 1}


def test_a_zone_where_every_type_is_refused_leaves_its_share_to_the_others(bench: Bench) -> None:
    bench.compute.refusals["us-east-1a"] = NO_ROOM
    create(bench, 4)
    assert bench.zones() == {"us-east-1b": 2, "us-east-1c": 2}
    [failed] = [activity for activity in bench.activities() if activity.status == "Failed"]
    assert failed.status_message == (
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have "
        "sufficient capacity. Launching EC2 instance failed."
    )


@pytest.mark.parametrize(
    ("desired", "base", "percentage", "expected"),
    [
        (10, 0, 100, {"on-demand": 10}),
        (10, 0, 0, {"spot": 10}),
        (10, 2, 50, {"on-demand": 6, "spot": 4}),
        (10, 0, 25, {"on-demand": 3, "spot": 7}),
        (3, 5, 0, {"on-demand": 3}),
        (4, 1, 33, {"on-demand": 2, "spot": 2}),
    ],
)
def test_capacity_is_divided_as_the_distribution_says(
    bench: Bench, desired: int, base: int, percentage: int, expected: dict[str, int]
) -> None:
    create(bench, desired, OnDemandBaseCapacity=base, OnDemandPercentageAboveBaseCapacity=percentage)
    assert markets(bench) == expected
    assert {bench.compute.launched[member.id].market for member in bench.members()} == set(expected)


def test_growing_and_shrinking_keep_the_shares_and_the_zones_even(bench: Bench) -> None:
    create(bench, 4, OnDemandBaseCapacity=2, OnDemandPercentageAboveBaseCapacity=50)
    for desired in (12, 5, 2, 9, 20, 3):
        resize(bench, desired)
        on_demand = 2 + -(-(desired - 2) // 2)
        assert markets(bench).get("on-demand", 0) == on_demand
        assert markets(bench).get("spot", 0) == desired - on_demand
        counts = [bench.zones().get(zone, 0) for zone in bench.group().zones]
        assert max(counts) - min(counts) <= 1


def test_spot_that_is_refused_stays_missing_while_on_demand_is_launched(bench: Bench) -> None:
    for zone in bench.compute.zone_names:
        for name in TYPES:
            bench.compute.refusals[f"{zone}/{name}/spot"] = NO_ROOM
    create(bench, 6, OnDemandPercentageAboveBaseCapacity=50)
    assert markets(bench) == {"on-demand": 3}
    failed = next(activity for activity in bench.activities() if activity.status == "Failed")
    assert (failed.status_message or "").startswith("Could not launch Spot Instances. Insufficient")
    bench.compute.refusals.clear()
    bench.pass_time(10)
    assert markets(bench) == {"on-demand": 3, "spot": 3}


def test_the_cheapest_pools_share_spot_capacity(bench: Bench) -> None:
    create(
        bench,
        12,
        OnDemandPercentageAboveBaseCapacity=0,
        SpotAllocationStrategy="lowest-price",
        SpotInstancePools=2,
    )
    for zone in bench.zones():
        held = Counter(member.instance_type for member in bench.members() if member.zone == zone)
        assert held == dict.fromkeys(by_price(bench, zone)[:2], 2)


@pytest.mark.parametrize("strategy", ["capacity-optimized", "capacity-optimized-prioritized"])
def test_spot_is_launched_in_order_but_where_it_has_just_been_refused(bench: Bench, strategy: str) -> None:
    create(bench, 3, OnDemandPercentageAboveBaseCapacity=0, SpotAllocationStrategy=strategy)
    assert types(bench) == {"m5.large": 3}
    bench.compute.refusals["m5.large"] = NO_ROOM
    resize(bench, 6)
    assert types(bench) == {"m5.large": 3, "c5.large": 3}


def test_spot_by_price_takes_what_is_cheapest_in_each_zone_and_not_refused(bench: Bench) -> None:
    strategy = "price-capacity-optimized"
    create(bench, 3, OnDemandPercentageAboveBaseCapacity=0, SpotAllocationStrategy=strategy)
    for member in bench.members():
        assert member.instance_type == by_price(bench, member.zone)[0]
    bench.compute.refusals = dict.fromkeys(types(bench), NO_ROOM)
    everyone = set(bench.group().members)
    resize(bench, 6)
    for member in bench.members():
        if member.id not in everyone:
            left = [one for one in by_price(bench, member.zone) if one not in bench.compute.refusals]
            assert member.instance_type == left[0]


def by_price(bench: Bench, zone: str) -> list[str]:
    def price(name: str) -> float:
        return prices.now(bench.compute.types[name], "spot", zone, bench.clock.now())

    return sorted(TYPES, key=price)


def test_on_demand_by_price_takes_the_cheapest_per_unit_of_weight(bench: Bench) -> None:
    overrides = [
        {"InstanceType": "c5.large", "WeightedCapacity": "1"},
        {"InstanceType": "c5.2xlarge", "WeightedCapacity": "8"},
    ]
    create(bench, 16, *overrides, OnDemandAllocationStrategy="lowest-price")
    assert types(bench) == {"c5.2xlarge": 2}


def test_weights_count_in_everything(bench: Bench, client: Any) -> None:
    overrides = [
        {"InstanceType": "m5.xlarge", "WeightedCapacity": "4"},
        {"InstanceType": "m5.large", "WeightedCapacity": "2"},
    ]
    create(bench, 10, *overrides)
    assert [member.weight for member in bench.members()] == [4, 4, 4]
    assert bench.group().capacity == 12, "an instance more than fits"
    assert "increasing the capacity from 0 to 10" in bench.activities()[0].cause
    [group] = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert {instance["WeightedCapacity"] for instance in group["Instances"]} == {"4"}
    assert group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == overrides
    [one, *_] = client.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert one["WeightedCapacity"] == "4"
    resize(bench, 9)
    assert units(bench.members()) == 12, "nobody fits into the surplus"
    resize(bench, 8)
    assert units(bench.members()) == 8
    client.terminate_instance_in_auto_scaling_group(
        InstanceId=bench.members()[0].id, ShouldDecrementDesiredCapacity=True
    )
    bench.settle()
    assert (bench.group().desired, units(bench.members())) == (4, 4)


def test_attributes_stand_for_the_types_that_have_them(bench: Bench) -> None:
    asked = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 6000}}
    create(bench, 2, {"InstanceRequirements": asked})
    source = bench.group().source
    assert isinstance(source, MixedPolicy)
    assert source.distribution.on_demand_strategy == "lowest-price"
    assert types(bench) == {"m5.large": 2}, "the r5 is too dear, the t3 is burstable, the c5 too small"
    bench.compute.refusals["m5.large"] = NO_ROOM
    resize(bench, 3)
    assert types(bench) == {"m5.large": 2}


def test_attributes_stand_only_for_types_that_run_the_image(bench: Bench) -> None:
    graviton = instance_type("c6g.large", 2, 4)
    processor = {"Manufacturer": "AWS", "SupportedArchitectures": ["arm64"]}
    bench.compute.types["c6g.large"] = {**graviton, "ProcessorInfo": processor}
    bench.compute.templates["arm"] = [LaunchData("ami-arm", "t3.micro")]
    asked = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 4096, "Max": 4096}}
    create(bench, 1, {"InstanceRequirements": asked})
    assert types(bench) == {"c5.large": 1}
    own = {"LaunchTemplateSpecification": {"LaunchTemplateName": "arm"}}
    update(bench, policy({"InstanceRequirements": asked, **own}))
    resize(bench, 2)
    assert types(bench) == {"c5.large": 1, "c6g.large": 1}


@pytest.mark.parametrize(("unit", "desired", "count"), [("vcpu", 7, 4), ("memory-mib", 20_000, 3)])
def test_desired_capacity_may_be_counted_in_vcpus_or_memory(
    bench: Bench, unit: str, desired: int, count: int
) -> None:
    asked = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 6000, "Max": 9000}}
    create(bench, desired, {"InstanceRequirements": asked}, DesiredCapacityType=unit, MaxSize=100_000)
    assert len(bench.members()) == count
    assert bench.group().capacity >= desired


def test_an_override_may_have_a_template_and_an_image_of_its_own(bench: Bench) -> None:
    bench.compute.templates["arm"] = [LaunchData("ami-arm", "t3.micro")]
    create(
        bench,
        1,
        {"InstanceType": "c5.large", "LaunchTemplateSpecification": {"LaunchTemplateName": "arm"}},
        {"InstanceType": "m5.large", "ImageId": "ami-other"},
    )
    bench.compute.refusals["c5.large"] = NO_ROOM
    resize(bench, 2)
    launched = sorted(
        (m.instance_type, m.image_id, m.template.name if m.template else "") for m in bench.members()
    )
    assert launched == [("c5.large", "ami-arm", "arm"), ("m5.large", "ami-other", "web")]


def test_an_update_changes_what_it_names_and_leaves_the_rest(bench: Bench) -> None:
    create(bench, 4, OnDemandBaseCapacity=1, OnDemandPercentageAboveBaseCapacity=100)
    update(bench, {"InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0, "SpotMaxPrice": "1"}})
    source = bench.group().source
    assert isinstance(source, MixedPolicy)
    shares = source.distribution
    assert (shares.on_demand_base, shares.on_demand_percentage, shares.spot_max_price) == (1, 0, "1")
    assert [one.instance_type for one in source.overrides] == list(TYPES)
    update(bench, {"InstancesDistribution": {"SpotMaxPrice": ""}})
    update(bench, {"LaunchTemplate": {"Overrides": [{"InstanceType": "r5.large"}]}})
    source = bench.group().source
    assert isinstance(source, MixedPolicy)
    assert source.distribution.spot_max_price == ""
    assert [one.instance_type for one in source.overrides] == ["r5.large"]


def test_new_shares_are_come_to_by_launching_before_terminating(bench: Bench) -> None:
    create(bench, 6)
    update(bench, {"InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50}})
    for _ in range(6):
        bench.settle()
    assert markets(bench) == {"on-demand": 3, "spot": 3}
    assert sorted(bench.zones().values()) == [2, 2, 2]


def test_types_that_are_no_longer_wanted_go_first(bench: Bench) -> None:
    create(bench, 3)
    update(bench, policy({"InstanceType": "c5.large"}, {"InstanceType": "r5.large"}))
    resize(bench, 6)
    assert types(bench) == {"m5.large": 3, "c5.large": 3}
    resize(bench, 3)
    assert types(bench) == {"c5.large": 3}


@pytest.mark.parametrize(
    ("mixed", "message"),
    [
        (
            {"InstancesDistribution": {"OnDemandBaseCapacity": 1}},
            "LaunchTemplateSpecification is required in the MixedInstancesPolicy's LaunchTemplate.",
        ),
        (
            policy({"InstanceType": "t9.none"}),
            "You must use a valid fully-formed launch template. Invalid value 't9.none' for InstanceType.",
        ),
        (
            policy({"InstanceType": "m5.large"}, {"InstanceType": "m5.large"}),
            "Duplicate instance types are not allowed in overrides: m5.large",
        ),
        (
            policy({"InstanceType": "m5.large", "WeightedCapacity": "1"}, {"InstanceType": "c5.large"}),
            "You must specify WeightedCapacity for all instance types or for none of them.",
        ),
        (
            policy({"InstanceType": "m5.large", "WeightedCapacity": "1000"}),
            "Invalid WeightedCapacity 1000: it must be a number between 1 and 999.",
        ),
        (
            policy({"InstanceType": "m5.large", "WeightedCapacity": "many"}),
            "Invalid WeightedCapacity many: it must be a number between 1 and 999.",
        ),
        (
            policy(OnDemandPercentageAboveBaseCapacity=101),
            "OnDemandPercentageAboveBaseCapacity 101 must be between 0 and 100.",
        ),
        (policy(OnDemandBaseCapacity=-1), "OnDemandBaseCapacity -1 must not be negative."),
        (
            policy(SpotAllocationStrategy="capacity-optimized", SpotInstancePools=2),
            "SpotInstancePools option is only available with the lowest-price allocation strategy.",
        ),
        (policy(SpotInstancePools=21), "SpotInstancePools 21 must be between 1 and 20."),
        (
            policy(OnDemandAllocationStrategy="any"),
            "Unsupported On-Demand allocation strategy 'any'. Valid values are: lowest-price, prioritized",
        ),
        (
            policy(
                {
                    "InstanceType": "m5.large",
                    "InstanceRequirements": {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}},
                }
            ),
            "You cannot specify both InstanceType and InstanceRequirements in an override.",
        ),
        (
            policy({"InstanceRequirements": {"VCpuCount": {"Min": 900}, "MemoryMiB": {"Min": 1}}}),
            "No instance type satisfies the InstanceRequirements that are specified.",
        ),
        (
            policy({"InstanceRequirements": {"VCpuCount": {"Min": 4, "Max": 2}, "MemoryMiB": {"Min": 1}}}),
            "The Min of VCpuCount, 4, must not be greater than its Max, 2.",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(client: Any, mixed: dict[str, Any], message: str) -> None:
    assert refusal(
        client.create_auto_scaling_group,
        AutoScalingGroupName="web",
        MixedInstancesPolicy=mixed,
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    ) == ("ValidationError", message)


def test_a_template_that_asks_for_spot_is_not_for_mixing(bench: Bench) -> None:
    bench.compute.templates["spot"] = [LaunchData("ami-1", "t3.micro", market="spot")]
    mixed = policy()
    mixed["LaunchTemplate"]["LaunchTemplateSpecification"] = {"LaunchTemplateName": "spot"}
    with pytest.raises(ServiceError, match="Incompatible launch template"):
        bench.create(LaunchTemplate=None, MixedInstancesPolicy=mixed)


@settings(max_examples=30, deadline=None)
@example(weights=[1, 7, 2], percentage=41, wishes=[39, 34, 9, 20, 40])
@example(weights=[4, 1], percentage=51, wishes=[29, 39, 21, 25])
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    percentage=st.integers(0, 100),
    wishes=st.lists(st.integers(0, 40), min_size=1, max_size=5),
)
def test_whatever_the_weights_capacity_is_as_desired_and_less_than_an_instance_more(
    weights: list[int], percentage: int, wishes: list[int]
) -> None:
    bench = Bench()
    overrides = [
        {"InstanceType": name, "WeightedCapacity": str(weight)}
        for name, weight in zip(TYPES, weights, strict=False)
    ]
    create(bench, 10, *overrides, OnDemandPercentageAboveBaseCapacity=percentage, MaxSize=40)
    for desired in wishes:
        resize(bench, desired)
        assert desired <= bench.group().capacity < desired + max(weights)
        bench.settle()
        assert not bench.service.step(), "it is at rest"
