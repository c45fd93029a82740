"""What is changed of instances and images after they are made, and fleets at once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_facts import facts_of
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from tests.localcloud.moto_adapter.bench import Bench, filters
from tests.localcloud.moto_adapter.test_ec2_launch import IMAGE, ONE


@pytest.fixture(scope="module")
def image(bench: Bench) -> str:
    return bench.ask("DescribeImages", filters(name=IMAGE)).first("imageId")


@pytest.fixture
def one(bench: Bench, image: str) -> LocalInstance:
    made = bench.ask("RunInstances", {**ONE, "ImageId": image}).first("instanceId")
    return ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id[made]


def modify(bench: Bench, one: LocalInstance, **form: str) -> str:
    """The code of the refusal, or nothing."""
    return bench.ask("ModifyInstanceAttribute", {"InstanceId": one.id, **form}).code


def stopped(one: LocalInstance) -> None:
    one.life.stop(one.id, datetime.now(UTC))
    one.life.observe(None, datetime.now(UTC), settled=True, ends=False)
    assert one.life.state == "stopped"


def test_type_and_user_data_change_only_while_it_is_stopped(bench: Bench, one: LocalInstance) -> None:
    script = base64.b64encode(b"#!/bin/sh\n").decode()
    for form in ({"InstanceType.Value": "t3.large"}, {"UserData.Value": script}):
        assert modify(bench, one, **form) == "IncorrectInstanceState"
    stopped(one)
    assert modify(bench, one, **{"InstanceType.Value": "t3.large"}) == ""
    assert modify(bench, one, Attribute="instanceType", Value="t3.small") == ""
    assert modify(bench, one, **{"InstanceType.Value": "t9.none"}) == "InvalidParameterValue"
    assert modify(bench, one, **{"InstanceType.Value": "t4g.small"}) == "InvalidParameterValue"
    assert modify(bench, one, **{"UserData.Value": script}) == ""
    assert (facts_of(one).instance_type, facts_of(one).user_data) == ("t3.small", script)


def test_protection_is_obeyed(bench: Bench, one: LocalInstance) -> None:
    assert modify(bench, one, **{"DisableApiTermination.Value": "true"}) == ""
    assert bench.ask("TerminateInstances", {"InstanceId.1": one.id}).code == "OperationNotPermitted"
    assert modify(bench, one, **{"DisableApiTermination.Value": "false"}) == ""
    assert bench.ask("TerminateInstances", {"InstanceId.1": one.id}).code == ""


def test_what_is_no_one_attribute_is_refused(bench: Bench, one: LocalInstance) -> None:
    both = {"EbsOptimized.Value": "true", "SourceDestCheck.Value": "false"}
    assert modify(bench, one) == "InvalidParameterCombination"
    assert modify(bench, one, **both) == "InvalidParameterCombination"
    assert modify(bench, one, **{"GroupId.1": "sg-00000000"}) == "InvalidGroup.NotFound"
    assert modify(bench, one, **{"SourceDestCheck.Value": "maybe"}) == "InvalidParameterValue"
    wrong = {"InstanceInitiatedShutdownBehavior.Value": "explode"}
    assert modify(bench, one, **wrong) == "InvalidParameterValue"
    right = {"InstanceInitiatedShutdownBehavior.Value": "terminate"}
    assert modify(bench, one, **right) == ""
    assert one.ends


def test_groups_are_those_that_were_set(bench: Bench, one: LocalInstance) -> None:
    made = bench.ask("CreateSecurityGroup", GroupName="attribute-group", GroupDescription="d")
    group = made.first("groupId")
    assert modify(bench, one, **{"GroupId.1": group}) == ""
    found = bench.ask("DescribeInstances", {"InstanceId.1": one.id})
    assert found.every("reservationSet/item/instancesSet/item/groupSet/item/groupId") == [group]


def test_metadata_options_reach_the_guest(bench: Bench, one: LocalInstance) -> None:
    form = {"InstanceId": one.id, "HttpEndpoint": "disabled", "HttpTokens": "required"}
    assert bench.ask("ModifyInstanceMetadataOptions", form).status == 200
    facts = facts_of(one)
    assert (facts.metadata_enabled, facts.require_token) == (False, True)


def test_metadata_defaults_hold_for_new_instances_alone(bench: Bench, image: str) -> None:
    region = "eu-west-1"
    there = bench.ask("DescribeImages", filters(name=IMAGE), region=region).first("imageId")
    assert bench.ask("ModifyInstanceMetadataDefaults", HttpTokens="required", region=region).status == 200
    assert bench.ask("GetInstanceMetadataDefaults", region=region).first("httpTokens") == "required"
    made = bench.ask("RunInstances", {**ONE, "ImageId": there}, region=region)
    assert made.first("httpTokens") == "required"
    bench.ask("ModifyInstanceMetadataDefaults", HttpTokens="no-preference", region=region)
    assert bench.ask("GetInstanceMetadataDefaults", region=region).first("httpTokens") == ""


def test_monitoring_is_switched_on_and_off(bench: Bench, one: LocalInstance) -> None:
    assert bench.ask("MonitorInstances", {"InstanceId.1": one.id}).first("state") == "pending"
    assert one.monitoring_state == "enabled"
    assert bench.ask("UnmonitorInstances", {"InstanceId.1": one.id}).first("state") == "disabling"
    assert one.monitoring_state == "disabled"


def test_interfaces_in_use_stay(bench: Bench, one: LocalInstance) -> None:
    form = {"NetworkInterfaceId": one.nics[0].id}
    assert bench.ask("DeleteNetworkInterface", form).code == "InvalidParameterValue"


def test_images_are_copied_with_what_is_asked(bench: Bench, image: str) -> None:
    form = {"SourceImageId": image, "SourceRegion": "us-east-1", "Name": "copied"}
    tags = {
        "TagSpecification.1.ResourceType": "image",
        "TagSpecification.1.Tag.1.Key": "a",
        "TagSpecification.1.Tag.1.Value": "b",
    }
    made = bench.ask("CopyImage", {**form, **tags}, region="us-west-2").first("imageId")
    found = bench.ask("DescribeImages", filters(name="copied"), region="us-west-2")
    assert found.every("imagesSet/item/imageId") == [made]
    assert found.every("imagesSet/item/tagSet/item/value") == ["b"]
    for wrong, code in (
        ({"SourceRegion": "mars"}, "InvalidParameterValue"),
        ({"SourceImageId": "ami-00000000"}, "InvalidAMIID.NotFound"),
        ({"Name": "x"}, "InvalidAMIName.Malformed"),
        ({}, "InvalidAMIName.Duplicate"),
    ):
        assert bench.ask("CopyImage", {**form, **wrong}, region="us-west-2").code == code
    assert bench.ask("DeregisterImage", {"ImageId": made}, region="us-west-2").status == 200
    gone = bench.ask("DescribeImages", {"ImageId.1": made}, region="us-west-2")
    assert gone.code == "InvalidAMIID.NotFound"


def test_a_fleet_at_once_takes_what_there_is(bench: Bench, image: str) -> None:
    template = {
        "LaunchTemplateName": "fleet-template",
        "LaunchTemplateData.ImageId": image,
        "LaunchTemplateData.InstanceType": "t3.micro",
    }
    assert bench.ask("CreateLaunchTemplate", template).status == 200
    prefix = "LaunchTemplateConfigs.1"
    form = {
        "Type": "instant",
        f"{prefix}.LaunchTemplateSpecification.LaunchTemplateName": "fleet-template",
        f"{prefix}.LaunchTemplateSpecification.Version": "$Latest",
        f"{prefix}.Overrides.1.InstanceType": "t3.large",
        f"{prefix}.Overrides.1.WeightedCapacity": "2",
        f"{prefix}.Overrides.2.InstanceType": "t9.none",
        f"{prefix}.Overrides.2.Priority": "0",
        "TargetCapacitySpecification.TotalTargetCapacity": "5",
        "TargetCapacitySpecification.OnDemandTargetCapacity": "1",
        "TargetCapacitySpecification.DefaultTargetCapacityType": "spot",
    }
    made = bench.ask("CreateFleet", form)
    assert made.status == 200, made.body
    assert len(made.every("fleetInstanceSet/item/instanceIds/item")) == 3  # one on demand, two of spot
    assert set(made.every("errorSet/item/errorCode")) == {"InvalidParameterValue"}
    assert bench.ask("CreateFleet", {**form, "Type": "maintain"}).code == "UnsupportedOperation"
