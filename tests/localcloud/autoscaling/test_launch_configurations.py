"""Launch configurations: kept as given, never changed, and launched from."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, TemplateChoice
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import refusal

SCRIPT = "#!/bin/sh\n"
"""boto3 encodes it on the way out, and leaves it encoded on the way in."""
USER_DATA = base64.b64encode(SCRIPT.encode()).decode()


def configure(bench: Bench, name: str = "conf", **more: Any) -> None:
    parameters: dict[str, Any] = {
        "LaunchConfigurationName": name,
        "ImageId": "ami-1",
        "InstanceType": "t3.micro",
    }
    bench.call("CreateLaunchConfiguration", **(parameters | more))


def create(bench: Bench, **more: Any) -> None:
    bench.create(**({"LaunchTemplate": None, "LaunchConfigurationName": "conf"} | more))


def test_all_that_was_given_is_described_and_the_rest_has_the_defaults_of_aws(client: Any) -> None:
    given: dict[str, Any] = {
        "LaunchConfigurationName": "conf",
        "ImageId": "ami-1",
        "InstanceType": "t3.micro",
        "KeyName": "key",
        "SecurityGroups": ["sg-1", "sg-2"],
        "UserData": SCRIPT,
        "KernelId": "aki-1",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Iops": 3000}},
            {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
            {"DeviceName": "/dev/sdc", "NoDevice": True},
        ],
        "InstanceMonitoring": {"Enabled": False},
        "SpotPrice": "0.05",
        "IamInstanceProfile": "profile",
        "EbsOptimized": True,
        "AssociatePublicIpAddress": True,
        "PlacementTenancy": "default",
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    }
    client.create_launch_configuration(**given)
    client.create_launch_configuration(
        LaunchConfigurationName="bare", ImageId="ami-1", InstanceType="t3.small"
    )
    bare, full = client.describe_launch_configurations()["LaunchConfigurations"]
    assert {name: full[name] for name in given} == given | {"UserData": USER_DATA}
    assert full["LaunchConfigurationARN"].endswith(":launchConfigurationName/conf")
    assert full["CreatedTime"]
    assert bare["InstanceMonitoring"] == {"Enabled": True}
    assert (bare["EbsOptimized"], bare["KeyName"], bare["UserData"]) == (False, "", "")
    assert (bare["SecurityGroups"], bare["BlockDeviceMappings"]) == ([], [])
    assert not {"SpotPrice", "IamInstanceProfile", "PlacementTenancy", "MetadataOptions"} & set(bare)


def test_they_are_paged_by_name_and_those_unknown_are_left_out(client: Any, bench: Bench) -> None:
    for number in range(7):
        configure(bench, f"conf-{number}")
    pages = client.get_paginator("describe_launch_configurations").paginate(PaginationConfig={"PageSize": 3})
    names = [one["LaunchConfigurationName"] for page in pages for one in page["LaunchConfigurations"]]
    assert names == [f"conf-{number}" for number in range(7)]
    found = client.describe_launch_configurations(LaunchConfigurationNames=["none", "conf-3"])
    assert [one["LaunchConfigurationName"] for one in found["LaunchConfigurations"]] == ["conf-3"]


def test_it_is_made_once_and_counted_and_deleted_once(client: Any, bench: Bench) -> None:
    configure(bench)
    assert refusal(
        client.create_launch_configuration,
        LaunchConfigurationName="conf",
        ImageId="ami-1",
        InstanceType="t3.micro",
    ) == (
        "AlreadyExists",
        (
            "Launch Configuration by this name already exists - A launch configuration already exists with "
            "the name conf"
        ),
    )
    assert client.describe_account_limits()["NumberOfLaunchConfigurations"] == 1
    client.delete_launch_configuration(LaunchConfigurationName="conf")
    assert refusal(client.delete_launch_configuration, LaunchConfigurationName="conf") == (
        "ValidationError",
        "Launch configuration name not found - Launch configuration conf not found",
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ImageId": "ami-gone"}, "AMI ami-gone is invalid: The image id '[ami-gone]' does not exist"),
        ({"InstanceType": "t9.none"}, "Invalid value 't9.none' for InstanceType."),
        (
            {"UserData": "x" * 16_386},
            "1 validation error detected: Value",
        ),
        (
            {"SpotPrice": "cheap"},
            "Invalid value 'cheap' for 'spotPrice': it must be a price of at least 0.001.",
        ),
        ({"SpotPrice": "0.0001"}, "Invalid value '0.0001' for 'spotPrice'"),
        (
            {"PlacementTenancy": "host"},
            "Tenancy value 'host' is invalid. Valid values are: default, dedicated",
        ),
        ({"LaunchConfigurationName": "a:b"}, "Launch configuration name 'a:b' must not contain a colon"),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/a"}]},
            "The block device mapping of /dev/a must have exactly one of Ebs, NoDevice and VirtualName.",
        ),
        (
            {
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/a", "Ebs": {"VolumeType": "io1", "VolumeSize": 4}}
                ]
            },
            "The parameter iops must be specified for io1 volumes.",
        ),
        ({"InstanceId": "i-none"}, "Instance [i-none] is invalid."),
    ],
)
def test_what_could_not_launch_is_not_kept(client: Any, wrong: dict[str, Any], message: str) -> None:
    parameters = {"LaunchConfigurationName": "conf", "ImageId": "ami-1", "InstanceType": "t3.micro"} | wrong
    code, said = refusal(client.create_launch_configuration, **parameters)
    assert (code, said[: len(message)]) == ("ValidationError", message)
    assert client.describe_launch_configurations()["LaunchConfigurations"] == []


def test_user_data_must_be_base64(bench: Bench) -> None:
    with pytest.raises(ServiceError, match="Invalid BASE64 encoding of user data"):
        configure(bench, UserData="not base64!")


def test_without_image_or_type_it_needs_an_instance(bench: Bench, client: Any) -> None:
    code, _ = refusal(client.create_launch_configuration, LaunchConfigurationName="conf", ImageId="ami-1")
    assert code == "ValidationError"
    bench.create(desired=1)
    bench.settle()
    [member] = bench.members()
    client.create_launch_configuration(LaunchConfigurationName="like", InstanceId=member.id)
    client.create_launch_configuration(
        LaunchConfigurationName="other", InstanceId=member.id, InstanceType="m5.large", UserData=SCRIPT
    )
    like, other = client.describe_launch_configurations()["LaunchConfigurations"]
    assert (like["ImageId"], like["InstanceType"], like["UserData"]) == ("ami-1", "t3.micro", "")
    assert (other["ImageId"], other["InstanceType"], other["UserData"]) == ("ami-1", "m5.large", USER_DATA)


def test_a_group_launches_from_it_and_keeps_it_in_use(bench: Bench, client: Any) -> None:
    configure(bench, SpotPrice="0.05", UserData=USER_DATA, MetadataOptions={"HttpTokens": "required"})
    create(bench, desired=2)
    bench.settle()
    members = bench.members()
    assert {(m.configuration, m.template, m.market) for m in members} == {("conf", None, "spot")}
    launched = bench.compute.launched[members[0].id]
    assert (launched.user_data, launched.spot_max_price) == (USER_DATA, "0.05")
    assert launched.metadata_options == {"HttpTokens": "required"}
    assert not [tag for tag in bench.compute.tags[members[0].id] if "ec2launchtemplate" in tag]
    [group] = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["LaunchConfigurationName"] == "conf"
    assert "LaunchTemplate" not in group
    assert group["Instances"][0]["LaunchConfigurationName"] == "conf"
    assert refusal(client.delete_launch_configuration, LaunchConfigurationName="conf") == (
        "ResourceInUse",
        "Cannot delete launch configuration conf because it is attached to AutoScalingGroup web",
    )
    client.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    bench.settle()
    client.delete_launch_configuration(LaunchConfigurationName="conf")


def test_a_group_may_change_what_it_launches_from_and_new_instances_come_from_that(bench: Bench) -> None:
    configure(bench)
    bench.create(desired=1)
    bench.settle()
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", LaunchConfigurationName="conf")
    assert bench.group().source == ConfigurationChoice("conf")
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    bench.settle()
    assert {member.configuration for member in bench.members()} == {None, "conf"}
    bench.call(
        "UpdateAutoScalingGroup", AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web"}
    )
    assert bench.group().source == TemplateChoice("lt-web", "web", "")
    bench.call("DeleteLaunchConfiguration", LaunchConfigurationName="conf")


def test_only_one_source_may_be_named_and_it_must_exist(bench: Bench, client: Any) -> None:
    configure(bench)
    bench.create(desired=0)
    code, _ = refusal(
        client.update_auto_scaling_group,
        AutoScalingGroupName="web",
        LaunchConfigurationName="conf",
        LaunchTemplate={"LaunchTemplateName": "web"},
    )
    assert code == "ValidationError"
    assert refusal(
        client.update_auto_scaling_group, AutoScalingGroupName="web", LaunchConfigurationName="none"
    ) == ("ValidationError", "Launch configuration name not found - Launch configuration none not found")


def test_a_group_from_an_instance_has_a_launch_configuration_of_its_own_name(
    bench: Bench, client: Any
) -> None:
    machine = bench.compute.launch(
        LaunchData("ami-7", "m5.large", security_group_ids=("sg-7",)), subnet_id="subnet-us-east-1a", tags={}
    )
    create(bench, LaunchConfigurationName=None, InstanceId=machine.id, desired=1)
    bench.settle()
    [member] = bench.members()
    assert (member.image_id, member.instance_type, member.configuration) == ("ami-7", "m5.large", "web")
    [made] = client.describe_launch_configurations()["LaunchConfigurations"]
    assert (made["LaunchConfigurationName"], made["SecurityGroups"]) == ("web", ["sg-7"])


def test_a_group_that_is_refused_leaves_no_launch_configuration(bench: Bench, client: Any) -> None:
    machine = bench.compute.launch(LaunchData("ami-7", "m5.large"), subnet_id="subnet-us-east-1a", tags={})
    code, _ = refusal(
        client.create_auto_scaling_group,
        AutoScalingGroupName="web",
        InstanceId=machine.id,
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
        TerminationPolicies=["None such"],
    )
    assert code == "ValidationError"
    assert client.describe_launch_configurations()["LaunchConfigurations"] == []
