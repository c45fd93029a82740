"""Hooks, refreshes and warm pools of real processes, through boto3 alone."""

from __future__ import annotations

import base64
import json
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

BARE = "#!/bin/sh\nexec sleep 1000\n"
COUNT_BOOTS = "#!/bin/sh\ncd $HOME\necho up >> boots\necho boots: $(wc -l < boots)\nexec sleep 1000\n"
ANSWER_HOOKS = f"""#!/bin/sh
exec {sys.executable} -u - <<'END'
import os, time
import boto3, botocore.utils
from botocore.exceptions import ClientError

def answer(hook, result):
    while True:
        try:
            return boto3.client("autoscaling").complete_lifecycle_action(
                AutoScalingGroupName="@name@",
                LifecycleHookName=hook,
                InstanceId=os.environ["PAVED_INSTANCE_ID"],
                LifecycleActionResult=result,
            )
        except ClientError as error:
            print(error)
            time.sleep(0.2)

fetcher = botocore.utils.InstanceMetadataFetcher(
    base_url=os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
)
answer("coming", "CONTINUE")
path = "latest/meta-data/autoscaling/target-lifecycle-state"
while fetcher._get_request(path, None, fetcher._fetch_metadata_token()).text != "Terminated":
    time.sleep(0.2)
print("told that it ends")
answer("leaving", "CONTINUE")
time.sleep(1000)
END
"""


class RealGroup:
    """A group of a name of its own on a shared cloud, and its launch template."""

    def __init__(self, cloud: RunningCloud, user_data: str, **more: Any) -> None:
        self.name = f"lifecycle-{uuid.uuid4().hex[:8]}"
        self.named: Any = {"AutoScalingGroupName": self.name}
        self.cloud = cloud
        self.ec2, self.groups = cloud.client("ec2"), cloud.client("autoscaling")
        self.data: Any = {
            "ImageId": self.ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"],
            "InstanceType": "t3.micro",
            "UserData": base64.b64encode(user_data.replace("@name@", self.name).encode()).decode(),
            **more,
        }
        self.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=self.data)

    def create(self, desired: int, maximum: int, **more: Any) -> None:
        self.groups.create_auto_scaling_group(
            **self.named,
            LaunchTemplate={"LaunchTemplateName": self.name, "Version": "1"},
            MinSize=0,
            MaxSize=maximum,
            DesiredCapacity=desired,
            AvailabilityZones=["us-east-1a", "us-east-1b", "us-east-1c"],
            **more,
        )

    def resize(self, desired: int) -> None:
        self.groups.set_desired_capacity(**self.named, DesiredCapacity=desired)

    def instances(self) -> list[dict[str, Any]]:
        """Those in the warm pool too."""
        found = self.groups.describe_auto_scaling_instances()["AutoScalingInstances"]
        return [one for one in found if one["AutoScalingGroupName"] == self.name]

    def in_state(self, state: str) -> list[str]:
        return [one["InstanceId"] for one in self.instances() if one["LifecycleState"] == state]

    def ec2_state(self, instance_id: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])
        return found["Reservations"][0]["Instances"][0]["State"]["Name"]

    def running(self) -> list[str]:
        """Of EC2, by the tag that a group gives its instances."""
        filters = [
            {"Name": "tag:aws:autoscaling:groupName", "Values": [self.name]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [one["InstanceId"] for reservation in found for one in reservation["Instances"]]

    def console(self, instance_id: str) -> str:
        return self.ec2.get_console_output(InstanceId=instance_id, Latest=True).get("Output", "")

    def delete(self) -> None:
        self.groups.delete_auto_scaling_group(**self.named, ForceDelete=True)
        eventually(
            lambda: (
                not self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
                    "AutoScalingGroups"
                ]
            ),
            within=60,
        )
        self.ec2.delete_launch_template(LaunchTemplateName=self.name)


@pytest.fixture
def profile(cloud: RunningCloud) -> Iterator[str]:
    iam, name = cloud.client("iam"), f"lifecycle-{uuid.uuid4().hex[:8]}"
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    yield name
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    iam.delete_role(RoleName=name)


def test_an_instance_completes_its_own_hooks_and_queue_and_topic_are_told(
    cloud: RunningCloud, profile: str
) -> None:
    group = RealGroup(cloud, ANSWER_HOOKS, IamInstanceProfile={"Name": profile})
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName=group.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=group.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    hooks = [("coming", "LAUNCHING", arn), ("leaving", "TERMINATING", topic)]
    group.create(
        1,
        1,
        LifecycleHookSpecificationList=[
            {
                "LifecycleHookName": name,
                "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{kind}",
                "NotificationTargetARN": target,
                "RoleARN": "arn:aws:iam::000000000000:role/hooks",
            }
            for name, kind, target in hooks
        ],
    )
    [instance] = eventually(lambda: group.in_state("InService"), within=60)
    group.resize(0)
    eventually(lambda: not group.instances(), within=60)
    assert group.ec2_state(instance) == "terminated"
    assert "told that it ends" in group.console(instance)
    messages: list[Any] = []

    def received() -> list[Any]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        messages.extend(json.loads(one["Body"]) for one in answer.get("Messages", []))
        return [one["LifecycleHookName"] for one in messages if one.get("EC2InstanceId") == instance]

    eventually(lambda: received() == ["coming", "leaving"])
    assert [one["Event"] for one in messages if "Event" in one] == ["autoscaling:TEST_NOTIFICATION"] * 2
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=queue)
    group.delete()


def test_a_refresh_of_three_never_has_fewer_than_three_in_service(cloud: RunningCloud) -> None:
    group = RealGroup(cloud, BARE)
    group.create(3, 4)
    old = set(eventually(lambda: _all(group.in_state("InService"), 3), within=60))
    group.ec2.create_launch_template_version(
        LaunchTemplateName=group.name, LaunchTemplateData={**group.data, "InstanceType": "t3.small"}
    )
    group.groups.start_instance_refresh(
        **group.named,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": group.name, "Version": "2"}},
        Preferences={"MinHealthyPercentage": 100, "InstanceWarmup": 0},
    )
    counts: list[int] = []

    def over() -> bool:
        counts.append(min(len(group.in_state("InService")), len(group.running())))
        [refresh] = group.groups.describe_instance_refreshes(**group.named)["InstanceRefreshes"]
        assert refresh["Status"] in ("Pending", "InProgress", "Successful"), refresh
        return refresh["Status"] == "Successful"

    eventually(over, within=120)
    assert min(counts) >= 3
    serving = [one for one in group.instances() if one["LifecycleState"] == "InService"]
    assert {one["InstanceType"] for one in serving} == {"t3.small"}
    assert not old & {one["InstanceId"] for one in serving}
    group.delete()


def test_a_prepared_instance_comes_back_with_its_id_and_its_disk(cloud: RunningCloud) -> None:
    group = RealGroup(cloud, COUNT_BOOTS)
    group.create(0, 1)
    group.groups.put_warm_pool(**group.named, InstanceReusePolicy={"ReuseOnScaleIn": True})
    [instance] = eventually(lambda: group.in_state("Warmed:Stopped"), within=60)
    assert group.ec2_state(instance) == "stopped"
    group.resize(1)
    eventually(lambda: group.in_state("InService") == [instance], within=60)
    assert group.ec2_state(instance) == "running"
    eventually(lambda: "boots: 2" in group.console(instance), within=30)
    group.resize(0)
    eventually(lambda: group.in_state("Warmed:Stopped") == [instance], within=60)
    assert group.ec2_state(instance) == "stopped"
    group.delete()
    assert group.ec2_state(instance) == "terminated"


def _all(found: list[str], count: int) -> list[str]:
    return found if len(found) == count else []
