"""A measured value drives an alarm, the alarm a policy, the policy real instances, and all of it is told."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)


class Scaled:
    """A group of bare machines, with a name of its own."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.name = f"scaled-{uuid.uuid4().hex[:8]}"
        self.ec2, self.groups = cloud.client("ec2"), cloud.client("autoscaling")
        self.watch = cloud.client("cloudwatch")
        image = self.ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
        data = {"ImageId": image, "InstanceType": "t3.micro"}
        self.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        self.groups.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateName": self.name},
            MinSize=0,
            MaxSize=4,
            DesiredCapacity=1,
            DefaultCooldown=0,
            AvailabilityZones=["us-east-1a"],
        )

    def in_service(self) -> int:
        found = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        members = found["AutoScalingGroups"][0]["Instances"]
        return sum(member["LifecycleState"] == "InService" for member in members)

    def measure(self, value: float) -> None:
        self.watch.put_metric_data(
            Namespace=self.name,
            MetricData=[{"MetricName": "Load", "Value": value, "StorageResolution": 1}],
        )

    def alarms(self) -> set[str]:
        found = self.watch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{self.name}-")
        return {alarm["AlarmName"] for alarm in found["MetricAlarms"]}

    def gone(self) -> bool:
        return not self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]

    def delete(self) -> None:
        self.groups.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        eventually(self.gone, within=60)
        self.ec2.delete_launch_template(LaunchTemplateName=self.name)


@pytest.mark.slow
def test_put_metric_data_drives_an_alarm_and_a_policy_and_a_queue_hears_of_the_launch(
    cloud: RunningCloud,
) -> None:
    group = Scaled(cloud)
    topics, queues = cloud.client("sns"), cloud.client("sqs")
    topic = topics.create_topic(Name=group.name)["TopicArn"]
    queue = queues.create_queue(QueueName=group.name)["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    topics.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=attributes["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    try:
        eventually(lambda: group.in_service() == 1, within=60)
        group.groups.put_notification_configuration(
            AutoScalingGroupName=group.name,
            TopicARN=topic,
            NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"],
        )
        policy = group.groups.put_scaling_policy(
            AutoScalingGroupName=group.name,
            PolicyName="more",
            PolicyType="StepScaling",
            AdjustmentType="ChangeInCapacity",
            StepAdjustments=[
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2},
            ],
        )["PolicyARN"]
        group.watch.put_metric_alarm(
            AlarmName=group.name,
            Namespace=group.name,
            MetricName="Load",
            Statistic="Maximum",
            Period=10,
            EvaluationPeriods=1,
            Threshold=50,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[policy],
        )
        [shown] = group.groups.describe_policies(AutoScalingGroupName=group.name)["ScalingPolicies"]
        assert [alarm["AlarmName"] for alarm in shown["Alarms"]] == [group.name]

        def measured_and_scaled() -> bool:
            group.measure(75)
            return group.in_service() == 3

        eventually(measured_and_scaled, within=90, every=0.5)
        causes = [
            one["Cause"]
            for one in group.groups.describe_scaling_activities(AutoScalingGroupName=group.name)["Activities"]
        ]
        assert f"a monitor alarm {group.name} in state ALARM triggered policy more changing" in causes[0]
        heard: list[dict[str, Any]] = []

        def all_heard() -> bool:
            got = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            heard.extend(json.loads(message["Body"]) for message in got)
            return len(heard) >= 3

        eventually(all_heard, within=60)
        events = sorted(message["Event"].removeprefix("autoscaling:") for message in heard)
        assert events == ["EC2_INSTANCE_LAUNCH", "EC2_INSTANCE_LAUNCH", "TEST_NOTIFICATION"]
    finally:
        group.watch.delete_alarms(AlarmNames=[group.name])
        group.delete()
        topics.delete_topic(TopicArn=topic)
        queues.delete_queue(QueueUrl=queue)


def test_a_schedule_a_targets_alarms_and_a_groups_metrics_are_real(cloud: RunningCloud) -> None:
    group = Scaled(cloud)
    try:
        group.groups.enable_metrics_collection(AutoScalingGroupName=group.name, Granularity="1Minute")
        group.groups.put_scaling_policy(
            AutoScalingGroupName=group.name,
            PolicyName="follow",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                "TargetValue": 50,
            },
        )
        assert len(group.alarms()) == 2
        group.groups.put_scheduled_update_group_action(
            AutoScalingGroupName=group.name,
            ScheduledActionName="soon",
            StartTime=datetime.now(UTC) + timedelta(seconds=3),
            DesiredCapacity=2,
        )
        eventually(lambda: group.in_service() == 2, within=60)
        found = eventually(
            lambda: group.watch.list_metrics(
                Namespace="AWS/AutoScaling",
                Dimensions=[{"Name": "AutoScalingGroupName", "Value": group.name}],
            )["Metrics"],
            within=90,
        )
        assert len(found) == 20
    finally:
        group.delete()
    assert group.alarms() == set()


@pytest.mark.slow
def test_an_alarm_that_goes_off_while_a_refresh_bakes_turns_it_back(cloud: RunningCloud) -> None:
    group = Scaled(cloud)

    def alarm() -> str:
        return group.watch.describe_alarms(AlarmNames=[group.name])["MetricAlarms"][0]["StateValue"]

    def refresh() -> dict[str, Any]:
        return group.groups.describe_instance_refreshes(AutoScalingGroupName=group.name)["InstanceRefreshes"][
            0
        ]

    def version() -> str:
        [member] = group.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[group.name])[
            "AutoScalingGroups"
        ][0]["Instances"]
        return member["LaunchTemplate"]["Version"]

    def measured(value: float, wanted: str) -> bool:
        group.measure(value)
        return alarm() == wanted

    def template(number: str) -> dict[str, str]:
        return {"LaunchTemplateName": group.name, "Version": number}

    try:
        group.ec2.create_launch_template_version(
            LaunchTemplateName=group.name, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
        )
        # What a group has launched from can be gone back to where its version is a number.
        group.groups.update_auto_scaling_group(AutoScalingGroupName=group.name, LaunchTemplate=template("1"))
        eventually(lambda: group.in_service() == 1, within=60)
        group.watch.put_metric_alarm(
            AlarmName=group.name,
            Namespace=group.name,
            MetricName="Load",
            Statistic="Maximum",
            Period=10,
            EvaluationPeriods=1,
            Threshold=50,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        eventually(lambda: measured(1, "OK"), within=90, every=0.5)
        group.groups.start_instance_refresh(
            AutoScalingGroupName=group.name,
            DesiredConfiguration={"LaunchTemplate": template("2")},
            Preferences={
                "MinHealthyPercentage": 0,
                "InstanceWarmup": 0,
                "BakeTime": 600,
                "AutoRollback": True,
                "AlarmSpecification": {"Alarms": [group.name]},
            },
        )
        eventually(lambda: refresh()["Status"] == "Baking", within=60)
        assert version() == "2"
        eventually(lambda: measured(75, "ALARM"), within=90, every=0.5)
        eventually(lambda: refresh()["Status"] == "RollbackSuccessful", within=60)
        assert version() == "1"
        said = f"The CloudWatch alarm {group.name} is in ALARM state."
        assert refresh()["RollbackDetails"]["RollbackReason"] == said
    finally:
        group.watch.delete_alarms(AlarmNames=[group.name])
        group.delete()
