from __future__ import annotations

import ipaddress
import signal
import uuid
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from tests.localcloud.machines import (
    IDLE,
    await_state,
    bare_image,
    console,
    image_of_command,
    instance,
    run,
)
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


def refused(function: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        function(**arguments)
    said: Any = error.value.response
    return said["Error"]["Code"], said["Error"]["Message"]


def sleepers(tag: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if tag in (process.info["cmdline"] or [])]


def test_an_instance_runs_stops_starts_reboots_and_terminates(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    [made] = run(cloud, **image_of_command(cloud, "sh -c 'echo up $PAVED_INSTANCE_ID $$; exec sleep 999'"))
    first = await_state(cloud, made, "running")
    eventually(lambda: f"up {made}" in console(cloud, made))
    stopping = ec2.stop_instances(InstanceIds=[made])["StoppingInstances"][0]
    assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping")
    stopped = await_state(cloud, made, "stopped")
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    ec2.start_instances(InstanceIds=[made])
    again = await_state(cloud, made, "running")
    assert again["PrivateIpAddress"] == first["PrivateIpAddress"]
    assert "StateReason" not in again
    before = eventually(lambda: console(cloud, made))
    ec2.reboot_instances(InstanceIds=[made])
    eventually(lambda: "up" in console(cloud, made) != before)
    ec2.terminate_instances(InstanceIds=[made])
    gone = await_state(cloud, made, "terminated")
    assert "PrivateIpAddress" not in gone


@pytest.mark.parametrize(("behaviour", "state"), [("stop", "stopped"), ("terminate", "terminated")])
def test_a_process_that_dies_takes_its_instance_with_it(
    cloud: RunningCloud, behaviour: str, state: str
) -> None:
    tag = f"1000.{uuid.uuid4().int % 10**9}"
    [made] = run(
        cloud,
        InstanceInitiatedShutdownBehavior=behaviour,
        **image_of_command(cloud, f"sleep {tag}"),
    )
    await_state(cloud, made, "running")
    [process] = eventually(lambda: sleepers(tag))
    process.send_signal(signal.SIGKILL)
    ended = await_state(cloud, made, state)
    assert ended["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert "SIGKILL" in ended["StateReason"]["Message"]
    assert "SIGKILL" in ended["StateTransitionReason"]


def test_a_command_that_fails_at_boot_is_told_in_the_state_reason(cloud: RunningCloud) -> None:
    [made] = run(cloud, **image_of_command(cloud, "sh -c 'echo no database >&2; exit 3'"))
    ended = await_state(cloud, made, "stopped")
    assert "status 3" in ended["StateReason"]["Message"]
    assert "no database" in console(cloud, made)


def test_min_and_max_count_launch_as_many_as_there_is_room_for(cloud: RunningCloud) -> None:
    made = run(cloud, MinCount=1, MaxCount=3)
    assert len(made) == 3
    code, message = refused(run, cloud=cloud, MinCount=3000, MaxCount=3000)
    assert code == "InstanceLimitExceeded"
    assert "2000" in message
    assert refused(run, cloud=cloud, MinCount=2, MaxCount=1)[0] == "InvalidParameterValue"
    cloud.client("ec2").terminate_instances(InstanceIds=made)


def test_a_client_token_launches_once(cloud: RunningCloud) -> None:
    token = str(uuid.uuid4())
    first = run(cloud, ClientToken=token)
    assert run(cloud, ClientToken=token) == first
    assert refused(run, cloud=cloud, ClientToken=token, MaxCount=2)[0] == "IdempotentParameterMismatch"
    cloud.client("ec2").terminate_instances(InstanceIds=first)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "image"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t99.huge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SubnetId": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-00000000"]}, "InvalidGroup.NotFound"),
        ({"Placement": {"AvailabilityZone": "us-east-1z"}}, "InvalidParameterValue"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "InvalidParameterValue"),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-00000000"}}, "InvalidLaunchTemplateId.NotFound"),
        ({"UserData": "x" * 20000}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_a_launch_that_cannot_be_is_refused_with_awss_code(
    cloud: RunningCloud, options: dict[str, Any], code: str
) -> None:
    assert refused(run, cloud=cloud, **options)[0] == code


def test_addresses_are_unique_in_their_subnets_and_open_anywhere(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2", "eu-west-1")
    for subnet in ec2.describe_subnets()["Subnets"]:
        made = run(cloud, region="eu-west-1", SubnetId=subnet["SubnetId"], MaxCount=3)
        found = [instance(cloud, one, "eu-west-1") for one in made]
        addresses = {one["PrivateIpAddress"] for one in found}
        assert len(addresses) == 3
        for one in found:
            assert ipaddress.ip_address(one["PrivateIpAddress"]) in ipaddress.ip_network(subnet["CidrBlock"])
            assert one["Placement"]["AvailabilityZone"] == subnet["AvailabilityZone"]
            literal = {one["PublicIpAddress"], one["PublicDnsName"], one["PrivateDnsName"]}
            assert literal == {one["PrivateIpAddress"]}
        ec2.terminate_instances(InstanceIds=made)
        later = run(cloud, region="eu-west-1", SubnetId=subnet["SubnetId"])
        assert instance(cloud, later[0], "eu-west-1")["PrivateIpAddress"] not in addresses
        ec2.terminate_instances(InstanceIds=later)


def test_pages_are_of_instances_and_together_hold_each_once(cloud: RunningCloud) -> None:
    ec2, tag = cloud.client("ec2"), str(uuid.uuid4())
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "page", "Value": tag}]}]
    made = [*run(cloud, MaxCount=4, TagSpecifications=tags), *run(cloud, MaxCount=3, TagSpecifications=tags)]
    pages = list(
        ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "tag:page", "Values": [tag]}], PaginationConfig={"PageSize": 3}
        )
    )
    held = [
        [one["InstanceId"] for reservation in page["Reservations"] for one in reservation["Instances"]]
        for page in pages
    ]
    assert [len(page) for page in held] == [3, 3, 1]
    assert [one for page in held for one in page] == made
    ec2.terminate_instances(InstanceIds=made)


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("describe_images", "Images"),
        ("describe_launch_templates", "LaunchTemplates"),
        ("describe_tags", "Tags"),
    ],
)
def test_other_calls_have_pages_too(cloud: RunningCloud, operation: str, key: str) -> None:
    ec2 = cloud.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName=f"template-{uuid.uuid4()}", LaunchTemplateData={"InstanceType": "t3.nano"}
    )
    ec2.create_tags(
        Resources=[subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]],
        Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}],
    )
    everything = getattr(ec2, operation)()[key]
    pages = list(ec2.get_paginator(operation).paginate(PaginationConfig={"PageSize": 5}))
    given = [item for page in pages for item in page[key]]
    assert sorted(given, key=str) == sorted(everything, key=str)
    assert all(len(page[key]) <= 5 for page in pages)


def test_a_token_of_another_call_is_refused(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    token = ec2.describe_images(MaxResults=1)["NextToken"]
    assert refused(ec2.describe_tags, NextToken=token, MaxResults=5)[0] == "InvalidNextToken"
    assert refused(ec2.describe_instances, NextToken=token)[0] == "InvalidNextToken"


def test_filters_choose_with_wildcards_and_unknown_ones_are_refused(cloud: RunningCloud) -> None:
    ec2, name = cloud.client("ec2"), f"web-{uuid.uuid4()}"
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    [made] = run(cloud, TagSpecifications=tags)
    await_state(cloud, made, "running")

    def found(**filters: str) -> list[str]:
        asked = [{"Name": key.replace("_", "-"), "Values": [value]} for key, value in filters.items()]
        asked.append({"Name": "tag:Name", "Values": [f"{name[:-3]}*"]})
        answer = ec2.describe_instances(Filters=asked)
        return [one["InstanceId"] for group in answer["Reservations"] for one in group["Instances"]]

    assert found() == [made]
    assert found(instance_state_name="running", instance_type="t3.*") == [made]
    assert found(instance_state_name="stopped") == []
    assert found(private_ip_address="10.*") == []
    assert refused(ec2.describe_instances, Filters=[{"Name": "colour", "Values": ["red"]}]) == (
        "InvalidParameterValue",
        "The filter 'colour' is invalid",
    )
    ec2.terminate_instances(InstanceIds=[made])


def test_the_status_call_knows_running_instances_and_on_request_all(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    [made] = run(cloud)
    await_state(cloud, made, "running")
    [status] = ec2.describe_instance_status(InstanceIds=[made])["InstanceStatuses"]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("ok", "ok")
    ec2.terminate_instances(InstanceIds=[made])
    await_state(cloud, made, "terminated")
    assert ec2.describe_instance_status(InstanceIds=[made])["InstanceStatuses"] == []
    [status] = ec2.describe_instance_status(InstanceIds=[made], IncludeAllInstances=True)["InstanceStatuses"]
    assert status["InstanceState"]["Name"] == "terminated"


def test_protected_instances_are_neither_stopped_nor_terminated(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    [made] = run(cloud, DisableApiTermination=True, DisableApiStop=True)
    assert refused(ec2.terminate_instances, InstanceIds=[made])[0] == "OperationNotPermitted"
    assert refused(ec2.stop_instances, InstanceIds=[made])[0] == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=made, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[made])
    await_state(cloud, made, "terminated")


def test_a_call_for_several_does_nothing_when_one_is_not_there(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    [made] = run(cloud, UserData=IDLE)
    await_state(cloud, made, "running")
    code, _ = refused(ec2.terminate_instances, InstanceIds=[made, "i-0123456789abcdef0"])
    assert code == "InvalidInstanceID.NotFound"
    assert instance(cloud, made)["State"]["Name"] == "running"
    assert refused(ec2.describe_instances, InstanceIds=["nonsense"])[0] == "InvalidInstanceID.Malformed"
    ec2.terminate_instances(InstanceIds=[made])


def test_launch_templates_have_versions_that_instances_are_made_of(cloud: RunningCloud) -> None:
    ec2, name = cloud.client("ec2"), f"template-{uuid.uuid4()}"
    image = bare_image(ec2)
    data = {
        "ImageId": image,
        "InstanceType": "t3.small",
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "from", "Value": "template"}]}],
    }
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    ec2.create_launch_template_version(
        LaunchTemplateName=name, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.large"}
    )

    def launched(version: str, **options: Any) -> dict[str, Any]:
        template = {"LaunchTemplateName": name, "Version": version}
        answer = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate=template, **options)
        ec2.terminate_instances(InstanceIds=[answer["Instances"][0]["InstanceId"]])
        return answer["Instances"][0]

    assert launched("$Default")["InstanceType"] == "t3.small"
    latest = launched("$Latest")
    assert (latest["InstanceType"], latest["ImageId"]) == ("t3.large", image)
    tags = {tag["Key"]: tag["Value"] for tag in latest["Tags"]}
    assert tags["from"] == "template"
    assert tags["aws:ec2launchtemplate:version"] == "2"
    assert tags["aws:ec2launchtemplate:id"] == made["LaunchTemplateId"]
    assert launched("1", InstanceType="t3.nano")["InstanceType"] == "t3.nano"
    with pytest.raises(ClientError, match="VersionNotFound"):
        launched("7")


def test_more_than_fifteen_launch_templates_are_all_described(cloud: RunningCloud) -> None:
    ec2, prefix = cloud.client("ec2", "us-west-2"), str(uuid.uuid4())
    for number in range(17):
        ec2.create_launch_template(
            LaunchTemplateName=f"{prefix}-{number}", LaunchTemplateData={"InstanceType": "t3.nano"}
        )
    names = [one["LaunchTemplateName"] for one in ec2.describe_launch_templates()["LaunchTemplates"]]
    assert sum(name.startswith(prefix) for name in names) == 17


_TOKYO = "apne1-az4 apne1-az1 apne1-az2"


def test_only_this_clouds_regions_and_zones_are_there(cloud: RunningCloud) -> None:
    regions = {one["RegionName"] for one in cloud.client("ec2").describe_regions()["Regions"]}
    assert regions == set(boto3.Session().get_available_regions("ec2"))
    for region, ids in {"eu-central-1": "euc1-az1 euc1-az2 euc1-az3", "ap-northeast-1": _TOKYO}.items():
        zones = cloud.client("ec2", region).describe_availability_zones()["AvailabilityZones"]
        assert {zone["RegionName"] for zone in zones} == {region}
        assert " ".join(zone["ZoneId"] for zone in zones) == ids
    code, message = refused(cloud.client("ec2", "us-gov-west-1").describe_vpcs)
    assert code == "InvalidRegion"
    assert "us-gov-west-1" in message
    assert "eu-central-1" in message


def test_a_region_that_was_never_used_works_at_its_first_call(cloud: RunningCloud) -> None:
    """As with a profile that names it: nobody has to set anything up there."""
    region = "eu-central-1"
    [made] = run(cloud, region=region, Placement={"AvailabilityZone": f"{region}c"})
    ran = instance(cloud, made, region)
    assert ran["Placement"]["AvailabilityZone"] == f"{region}c"
    assert ipaddress.ip_address(ran["PrivateIpAddress"]).is_loopback
    cloud.client("ec2", region).terminate_instances(InstanceIds=[made])
    queue = cloud.client("sqs", region).create_queue(QueueName="away")["QueueUrl"]
    asked = cloud.client("sqs", region).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    assert asked["Attributes"]["QueueArn"].split(":")[3] == region
    cloud.client("sqs", region).delete_queue(QueueUrl=queue)
    assert cloud.client("sts", region).get_caller_identity()["Arn"]
    assert "Roles" in cloud.client("iam", region).list_roles()


def test_networks_may_lie_on_loopback(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2", "us-west-2")
    vpc = ec2.create_vpc(CidrBlock="127.211.0.0/16")["Vpc"]
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="127.211.4.0/24", AvailabilityZone="us-west-2b")
    [made] = run(cloud, region="us-west-2", SubnetId=subnet["Subnet"]["SubnetId"])
    assert instance(cloud, made, "us-west-2")["PrivateIpAddress"].startswith("127.211.4.")
    assert refused(ec2.create_vpc, CidrBlock="127.211.128.0/17")[0] == "InvalidVpc.Range"
    known = cloud.client("ec2", "sa-east-1").describe_vpcs()["Vpcs"][0]["CidrBlock"]
    code, message = refused(ec2.create_vpc, CidrBlock=known)
    assert code == "InvalidVpc.Range"
    assert "sa-east-1" in message  # which could not begin if another had its addresses
    ec2.terminate_instances(InstanceIds=[made])
