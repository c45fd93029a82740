"""Placement groups hold what AWS documents of each strategy."""

from __future__ import annotations

import uuid

import pytest

from pavedroad.localcloud.api.ec2.life import StateName
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.compute import MotoCompute
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.moto_adapter.bench import Answer, Bench, filters

_TYPE = "m5.large"


def named(bench: Bench, strategy: str, **more: str) -> str:
    name = f"placed-{uuid.uuid4().hex[:8]}"
    answer = bench.ask("CreatePlacementGroup", GroupName=name, Strategy=strategy, **more)
    assert answer.status == 200, answer.body
    return name


def launch(
    bench: Bench,
    group: str,
    zone: str = "",
    *,
    least: int = 1,
    most: int = 1,
    partition: str = "",
    asked: dict[str, str] | None = None,
) -> Answer:
    placement = {
        "Placement.GroupName": group,
        "Placement.AvailabilityZone": zone,
        "Placement.PartitionNumber": partition,
    }
    given = {name: value for name, value in placement.items() if value}
    form = {"ImageId": image(), "InstanceType": _TYPE, "MinCount": least, "MaxCount": most}
    return bench.ask("RunInstances", {**form, **given, **(asked or {})})


def image() -> str:
    amis = ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").amis.values()
    return next(one.id for one in amis if one.architecture == "x86_64")


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return answer.every("instancesSet/item/instanceId")


def become(state: StateName, instance_id: str) -> None:
    """As the host would report it."""
    backend = ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1")
    backend.by_id[instance_id].life.state = state


@pytest.fixture(autouse=True)
def _gone(bench: Bench):  # pyright: ignore[reportUnusedFunction]
    backend = ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1")
    before = set(backend.by_id)
    yield
    made = {f"InstanceId.{n}": one for n, one in enumerate(backend.by_id.keys() - before, start=1)}
    if made:
        assert bench.ask("TerminateInstances", made).status == 200


def test_a_spread_group_has_at_most_seven_running_instances_in_each_zone(bench: Bench) -> None:
    group = named(bench, "spread")
    first = ids(launch(bench, group, "us-east-1a", most=10))
    assert len(first) == 7
    refused = launch(bench, group, "us-east-1a")
    assert (refused.code, refused.status) == ("InsufficientInstanceCapacity", 400)
    assert len(ids(launch(bench, group, "us-east-1b", least=7, most=7))) == 7
    assert launch(bench, group, "us-east-1c", least=8, most=8).code == "InsufficientInstanceCapacity"


def test_a_stopped_instance_returns_to_its_spread_group_only_where_there_is_room(bench: Bench) -> None:
    group = named(bench, "spread")
    first, *_ = ids(launch(bench, group, "us-east-1a", least=7, most=7))
    become("stopped", first)
    ids(launch(bench, group, "us-east-1a"))
    assert bench.ask("StartInstances", {"InstanceId.1": first}).code == "InsufficientInstanceCapacity"


def test_a_cluster_group_is_in_one_zone(bench: Bench) -> None:
    group = named(bench, "cluster")
    ids(launch(bench, group, "us-east-1c"))
    refused = launch(bench, group, "us-east-1b")
    assert refused.code == "InvalidPlacementGroup.InUse"
    assert refused.message.endswith("is in use in another availability zone: us-east-1c")
    [free] = ids(launch(bench, group))
    found = bench.ask("DescribeInstances", {"InstanceId.1": free})
    assert found.first("availabilityZone") == "us-east-1c"


def test_a_cluster_group_takes_the_types_that_can_be_in_one(bench: Bench) -> None:
    group = named(bench, "cluster")
    refused = launch(bench, group, asked={"InstanceType": "t3.micro"})
    assert refused.code == "InvalidParameterCombination"
    assert refused.message.startswith("Cluster placement groups are not supported by the 't3.micro'")


def test_partitions_are_filled_evenly_or_as_asked_and_can_be_looked_for(bench: Bench) -> None:
    group = named(bench, "partition", PartitionCount="3")
    made = ids(launch(bench, group, "us-east-1a", least=6, most=6))
    for number in ("1", "2", "3"):
        asked = filters(placement_group_name=group, placement_partition_number=number)
        found = bench.ask("DescribeInstances", asked)
        assert len(found.every("reservationSet/item/instancesSet/item/instanceId")) == 2
    more = launch(bench, group, "us-east-1a", partition="3")
    assert more.first("partitionNumber") == "3"
    assert launch(bench, group, partition="4").code == "InvalidParameterValue"
    assert len(made) == 6


def test_groups_are_described_filtered_tagged_and_deleted_when_empty(bench: Bench) -> None:
    tags = {
        "TagSpecification.1.ResourceType": "placement-group",
        "TagSpecification.1.Tag.1.Key": "team",
        "TagSpecification.1.Tag.1.Value": "a",
    }
    group = named(bench, "partition", **tags)
    shown = bench.ask("DescribePlacementGroups", {"GroupName.1": group})
    assert shown.every("placementGroupSet/item/partitionCount") == ["2"]
    assert shown.every("placementGroupSet/item/tagSet/item/value") == ["a"]
    [group_id] = shown.every("placementGroupSet/item/groupId")
    for asked in (
        {"GroupId.1": group_id},
        filters(group_name=group),
        filters(strategy="partition", group_name=group, **{"tag:team": "a"}),
    ):
        found = bench.ask("DescribePlacementGroups", asked)
        assert found.every("placementGroupSet/item/groupName") == [group], (asked, found.body)
    assert bench.ask("DescribePlacementGroups", filters(colour="x")).code == "InvalidParameterValue"
    [made] = ids(launch(bench, group))
    assert bench.ask("DeletePlacementGroup", GroupName=group).code == "InvalidPlacementGroup.InUse"
    bench.ask("TerminateInstances", {"InstanceId.1": made})
    become("terminated", made)
    assert bench.ask("DeletePlacementGroup", GroupName=group).status == 200
    assert bench.ask("DeletePlacementGroup", GroupName=group).code == "InvalidPlacementGroup.Unknown"
    assert (
        bench.ask("DescribePlacementGroups", {"GroupId.1": group_id}).code == "InvalidPlacementGroup.Unknown"
    )


def test_a_stopped_instance_can_be_moved_to_another_group(bench: Bench) -> None:
    one, other = named(bench, "spread"), named(bench, "partition")
    [made] = ids(launch(bench, one))
    move = {"InstanceId": made, "GroupName": other, "PartitionNumber": "2"}
    assert bench.ask("ModifyInstancePlacement", move).code == "IncorrectInstanceState"
    become("stopped", made)
    assert bench.ask("ModifyInstancePlacement", move).status == 200
    found = bench.ask("DescribeInstances", {"InstanceId.1": made})
    assert (found.first("groupName"), found.first("partitionNumber")) == (other, "2")
    assert bench.ask("ModifyInstancePlacement", InstanceId=made, GroupName="").status == 200
    assert bench.ask("DeletePlacementGroup", GroupName=other).status == 200


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Strategy": "cluster"}, "MissingParameter"),
        ({"GroupName": "x", "Strategy": "spread", "PartitionCount": "2"}, "InvalidParameterCombination"),
        ({"GroupName": "x", "Strategy": "partition", "PartitionCount": "8"}, "InvalidParameterValue"),
        ({"GroupName": "x", "Strategy": "cluster", "SpreadLevel": "rack"}, "InvalidParameterCombination"),
        ({"GroupName": "x", "Strategy": "round"}, "InvalidParameterValue"),
        ({"GroupName": "x" * 256}, "InvalidParameterValue"),
    ],
)
def test_groups_that_cannot_be_are_refused(bench: Bench, asked: dict[str, str], code: str) -> None:
    assert bench.ask("CreatePlacementGroup", asked).code == code


def test_a_name_is_taken_once(bench: Bench) -> None:
    group = named(bench, "spread")
    assert bench.ask("CreatePlacementGroup", GroupName=group).code == "InvalidPlacementGroup.Duplicate"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Placement.GroupName": "no-such-group"}, "InvalidPlacementGroup.Unknown"),
        ({"Placement.GroupId": "pg-0123456789abcdef0"}, "InvalidPlacementGroup.Unknown"),
        ({"Placement.GroupId": "sg-0123456789abcdef0"}, "InvalidPlacementGroupId.Malformed"),
        ({"Placement.PartitionNumber": "1"}, "InvalidParameterCombination"),
        ({"Placement.Tenancy": "dedicated"}, "UnsupportedOperation"),
        ({"Placement.Tenancy": "host"}, "UnsupportedOperation"),
        ({"Placement.HostId": "h-0123456789abcdef0"}, "UnsupportedOperation"),
        ({"Placement.Affinity": "host"}, "UnsupportedOperation"),
        ({"Placement.HostResourceGroupArn": "arn:aws:x"}, "UnsupportedOperation"),
    ],
)
def test_places_that_there_are_not_are_refused_and_nothing_is_launched(
    bench: Bench, asked: dict[str, str], code: str
) -> None:
    before = len(ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id)
    assert launch(bench, "", asked=asked).code == code
    assert len(ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id) == before


def test_groups_launch_into_a_placement_group_too(bench: Bench) -> None:
    group, compute = named(bench, "spread"), MotoCompute(ec2_backend.ACCOUNT, "us-east-1")
    data, subnet = LaunchData(image(), _TYPE), compute.default_subnet("us-east-1c")
    compute.check_placement({"GroupName": group})
    for _ in range(7):
        compute.launch(data, subnet_id=subnet, tags={}, placement={"GroupName": group})
    with pytest.raises(ServiceError, match="InsufficientInstanceCapacity"):
        compute.launch(data, subnet_id=subnet, tags={}, placement={"GroupName": group})
    with pytest.raises(ServiceError, match=r"InvalidPlacementGroup\.Unknown"):
        compute.check_placement({"GroupName": "no-such-group"})


def test_a_launch_template_names_its_placement(bench: Bench) -> None:
    group, compute = named(bench, "partition"), MotoCompute(ec2_backend.ACCOUNT, "us-east-1")
    name = f"template-{uuid.uuid4().hex[:8]}"
    made = bench.ask(
        "CreateLaunchTemplate",
        {
            "LaunchTemplateName": name,
            "LaunchTemplateData.ImageId": image(),
            "LaunchTemplateData.InstanceType": _TYPE,
            "LaunchTemplateData.Placement.GroupName": group,
        },
    )
    assert made.status == 200, made.body
    assert compute.launch_template(name, "$Latest").placement["GroupName"] == group
    launched = bench.ask(
        "RunInstances", {"LaunchTemplate.LaunchTemplateName": name, "MinCount": 1, "MaxCount": 1}
    )
    assert launched.first("partitionNumber") == "1", launched.body
