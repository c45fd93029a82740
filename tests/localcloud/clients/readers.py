"""What a reader of AWS's guides has: the things that the examples name, made anew for each of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.localcloud.clients.guides import Example
from tests.localcloud.machines import IDLE, bare_image
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

REGION, ALARM_REGION = "us-west-2", "us-east-1"
"""The guides': that of alarms is about another region than those of groups and balancers."""


class Reader:
    """Fills in what is the reader's own; `prepare` sees to it that an example finds what it names."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.scaling, self.ec2 = cloud.client("autoscaling", REGION), cloud.client("ec2", REGION)
        self.elb, self.acm = cloud.client("elbv2", REGION), cloud.client("acm", REGION)
        self.watch = cloud.client("cloudwatch", ALARM_REGION)
        image = bare_image(self.ec2)
        subnets = sorted(self.ec2.describe_subnets()["Subnets"], key=lambda it: it["AvailabilityZone"])
        self.subnets = [it["SubnetId"] for it in subnets]
        vpc = subnets[0]["VpcId"]
        [group] = self.ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
        )["SecurityGroups"]
        template = self.ec2.create_launch_template(
            LaunchTemplateName="my-template-for-auto-scaling",
            LaunchTemplateData={
                "ImageId": image,
                "InstanceType": "t3.nano",
                "UserData": _base64(IDLE),
            },
        )["LaunchTemplate"]["LaunchTemplateId"]
        self.ec2.create_launch_template_version(
            LaunchTemplateName="my-template-for-auto-scaling",
            SourceVersion="1",
            LaunchTemplateData={"InstanceType": "t3.micro"},
        )
        [arm, *_] = self.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["arm64"]}])[
            "Images"
        ]
        for other, its_image in (("x86", image), ("arm", arm["ImageId"])):
            self.ec2.create_launch_template(
                LaunchTemplateName=f"my-launch-template-for-{other}",
                LaunchTemplateData={"ImageId": its_image},
            )
        self.ec2.create_key_pair(KeyName="my-key-pair")
        iam = cloud.client("iam")
        iam.create_instance_profile(InstanceProfileName="my-autoscaling-role")
        cloud.client("sns", REGION).create_topic(Name="my-sns-topic")
        cloud.client("sqs", REGION).create_queue(QueueName="my-sqs-queue")
        self.instance = "i-00000000000000000"
        self._used: list[str] = []
        self._secure = False
        self._fill: list[tuple[str, Callable[[re.Match[str]], str]]] = [
            (_own("lt"), lambda _: template),
            (_own("ami"), lambda _: image),
            (_own("subnet"), self._subnet),
            (_own("sg"), lambda _: group["GroupId"]),
            (_own("vpc"), lambda _: vpc),
            (_own("i"), lambda _: self.instance),
            (r"arn:aws:elasticloadbalancing:[\w-]+:\d+:targetgroup/([\w-]+)/\w+", self._target_group),
            (r"arn:aws:elasticloadbalancing:[\w-]+:\d+:loadbalancer/app/([\w-]+)/\w+", self._balancer),
            (r"arn:aws:elasticloadbalancing:[\w-]+:\d+:listener/app/([\w-]+)/\w+/\w+", self._listener),
            (r"arn:aws:elasticloadbalancing:[\w-]+:\d+:listener-rule/app/[\w-]+/\w+/\w+/\w+", self._rule),
            (r"arn:aws:acm:[\w-]+:\d+:certificate/[\w-]+", self._certificate),
            (r"app/my-alb/\w+/targetgroup/my-alb-target-group/\w+", self._resource_label),
        ]

    def begin(self, example: Example) -> None:
        """The next example: its ids are its own, and what is said of certificates is of a secure listener."""
        self._used.clear()
        self._secure = any("certificate" in word for word in example.words)

    def filled(self, text: str) -> str:
        for pattern, of in self._fill:
            text = re.sub(pattern, of, text)
        return text

    def group(self, capacity: int) -> None:
        """`my-asg`, new, with so many instances in service."""
        self.drop_groups()
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName="my-asg",
            MinSize=0,
            MaxSize=5,
            DesiredCapacity=capacity,
            LaunchTemplate={"LaunchTemplateName": "my-template-for-auto-scaling", "Version": "1"},
            VPCZoneIdentifier=",".join(self.subnets),
        )
        members = eventually(lambda: self._in_service(capacity), within=60) or [""]
        self.instance = members[0] or "i-00000000000000000"

    def drop_groups(self) -> None:
        for group in self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
            name = group["AutoScalingGroupName"]
            if name.startswith("my-"):
                _unless_refused(
                    lambda name=name: self.scaling.delete_auto_scaling_group(
                        AutoScalingGroupName=name, ForceDelete=True
                    )
                )
        eventually(lambda: not self._ours(), within=90)

    def drop_balancers(self) -> None:
        """All that is the reader's, so that an example can make it."""
        for balancer in self.elb.describe_load_balancers()["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            self.elb.modify_load_balancer_attributes(
                LoadBalancerArn=arn,
                Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
            )
            self.elb.delete_load_balancer(LoadBalancerArn=arn)
        for group in self.elb.describe_target_groups()["TargetGroups"]:
            self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    def _ours(self) -> list[str]:
        names = (it["AutoScalingGroupName"] for it in self._groups())
        return [name for name in names if name.startswith("my-")]

    def _groups(self) -> list[dict[str, Any]]:
        return self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]

    def _in_service(self, capacity: int) -> list[str] | None:
        [group] = [it for it in self._groups() if it["AutoScalingGroupName"] == "my-asg"]
        ready = [it["InstanceId"] for it in group["Instances"] if it["LifecycleState"] == "InService"]
        return ready or [""] if len(ready) == capacity else None

    def _subnet(self, match: re.Match[str]) -> str:
        """Each name that an example uses is another subnet."""
        if match[0] not in self._used:
            self._used.append(match[0])
        return self.subnets[self._used.index(match[0]) % len(self.subnets)]

    def _target_group(self, match: re.Match[str]) -> str:
        made = self.elb.create_target_group(
            Name=match[1],
            Protocol="HTTPS" if "https" in match[1] else "HTTP",
            Port=80,
            VpcId=self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
            TargetType="ip" if "-ip-" in match[1] else "instance",
        )
        return made["TargetGroups"][0]["TargetGroupArn"]

    def _balancer(self, match: re.Match[str]) -> str:
        made = self.elb.create_load_balancer(Name=match[1], Subnets=self.subnets[:2])
        return made["LoadBalancers"][0]["LoadBalancerArn"]

    def _listener(self, match: re.Match[str]) -> str:
        balancer = self._balancer(match)
        [listener, *_] = self.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"] or [
            self.elb.create_listener(
                LoadBalancerArn=balancer,
                **self._serving(),
                DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
            )["Listeners"][0]
        ]
        return listener["ListenerArn"]

    def _serving(self) -> dict[str, Any]:
        if not self._secure:
            return {"Protocol": "HTTP", "Port": 80}
        return {
            "Protocol": "HTTPS",
            "Port": 443,
            "Certificates": [{"CertificateArn": self._certificate(None)}],
        }

    def _rule(self, _: re.Match[str]) -> str:
        listener = self._listener(re.match(r"(.*)", "my-load-balancer"))  # type: ignore[arg-type]
        made = self.elb.create_rule(
            ListenerArn=listener,
            Priority=99,
            Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
        )
        return made["Rules"][0]["RuleArn"]

    def _certificate(self, _: re.Match[str] | None) -> str:
        return self.acm.request_certificate(DomainName="reader.example")["CertificateArn"]

    def _resource_label(self, _: re.Match[str]) -> str:
        balancer = self._balancer(re.match(r"(.*)", "my-alb"))  # type: ignore[arg-type]
        group = self._target_group(re.match(r"(.*)", "my-alb-target-group"))  # type: ignore[arg-type]
        self.elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        self.scaling.attach_load_balancer_target_groups(
            AutoScalingGroupName="my-asg", TargetGroupARNs=[group]
        )
        return f"{balancer.partition('loadbalancer/')[2]}/{group.rpartition(':')[2]}"


def _own(kind: str) -> str:
    """An id of the reader's, and not the middle of another word."""
    return rf"(?<![\w-]){kind}-[0-9a-f]\w+"


def prepare(reader: Reader, example: Example) -> None:
    """What an example of a group finds: `my-asg` and whatever it is about to name."""
    scaling = reader.scaling
    name = example.operation
    by_instance = "instance" in name and "refresh" not in name and name.split("-")[0] != "describe"
    if name == "create-auto-scaling-group":
        reader.drop_groups()
        reader.instance = "i-00000000000000000"
    else:
        needs = by_instance or name in ("exit-standby", "enter-standby", "create-launch-configuration")
        reader.group(1 if needs or name.endswith("instance-refresh") else 0)
    for configuration in ("my-lc", "my-launch-config", "my-lc-from-instance"):
        _unless_refused(
            lambda it=configuration: scaling.delete_launch_configuration(LaunchConfigurationName=it)
        )
    if name != "create-launch-configuration":
        for configuration in ("my-lc", "my-launch-config"):
            scaling.create_launch_configuration(
                LaunchConfigurationName=configuration,
                ImageId=bare_image(reader.ec2),
                InstanceType="t3.nano",
            )
    _BEFORE.get(name, _nothing)(reader)


ALARMS = ("myalarm", "demo", "CPUUtilizationTooHigh", "MemUsageTooHigh")


def prepare_alarms(reader: Reader, example: Example) -> None:
    """The alarms and dashboards that the guide's examples name, in the region that each calls."""
    for name in ALARMS:
        reader.watch.put_metric_alarm(
            AlarmName=name,
            Namespace="Guide",
            MetricName="Load",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    for name in ("Dashboard-A", "Dashboard-B"):
        reader.watch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')


def _nothing(_: Reader) -> None: ...


def _unless_refused(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError:
        return


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _attach_instance(reader: Reader) -> None:
    """An instance that is in no group."""
    [one] = reader.ec2.run_instances(
        ImageId=bare_image(reader.ec2), InstanceType="t3.nano", MinCount=1, MaxCount=1, UserData=IDLE
    )["Instances"]
    reader.instance = one["InstanceId"]
    reader.ec2.get_waiter("instance_running").wait(
        InstanceIds=[reader.instance], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _hook(name: str) -> Callable[[Reader], None]:
    def put(reader: Reader) -> None:
        reader.scaling.put_lifecycle_hook(
            AutoScalingGroupName="my-asg",
            LifecycleHookName=name,
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        )

    return put


def _refresh(reader: Reader) -> None:
    reader.scaling.start_instance_refresh(
        AutoScalingGroupName="my-asg",
        DesiredConfiguration={
            "LaunchTemplate": {"LaunchTemplateName": "my-template-for-auto-scaling", "Version": "2"}
        },
        Preferences={"MinHealthyPercentage": 0, "InstanceWarmup": 300},  # so that it is under way still
    )


def _standby(reader: Reader) -> None:
    reader.scaling.enter_standby(
        AutoScalingGroupName="my-asg",
        InstanceIds=[reader.instance],
        ShouldDecrementDesiredCapacity=True,
    )
    eventually(
        lambda: (
            [
                it["LifecycleState"]
                for it in reader.scaling.describe_auto_scaling_instances(InstanceIds=[reader.instance])[
                    "AutoScalingInstances"
                ]
            ]
            == ["Standby"]
        ),
        within=60,
    )


def _policies(reader: Reader) -> None:
    reader.scaling.put_scaling_policy(
        AutoScalingGroupName="my-asg",
        PolicyName="alb1000-target-tracking-scaling-policy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        },
    )
    reader.scaling.put_scaling_policy(
        AutoScalingGroupName="my-asg",
        PolicyName="my-step-scale-out-policy",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=[{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    )


def _schedule(reader: Reader) -> None:
    reader.scaling.put_scheduled_update_group_action(
        AutoScalingGroupName="my-asg",
        ScheduledActionName="my-scheduled-action",
        Recurrence="0 9 * * *",
        DesiredCapacity=1,
    )


def _notifications(reader: Reader) -> None:
    reader.scaling.put_notification_configuration(
        AutoScalingGroupName="my-asg",
        TopicARN=f"arn:aws:sns:{REGION}:123456789012:my-sns-topic",
        NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"],
    )


def _attach_targets(reader: Reader) -> None:
    [group] = reader.elb.create_target_group(
        Name="my-targets",
        Protocol="HTTP",
        Port=80,
        VpcId=reader.ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
    )["TargetGroups"]
    reader.scaling.attach_load_balancer_target_groups(
        AutoScalingGroupName="my-asg", TargetGroupARNs=[group["TargetGroupArn"]]
    )


def _warm_pool(reader: Reader) -> None:
    reader.scaling.put_warm_pool(AutoScalingGroupName="my-asg", MaxGroupPreparedCapacity=0)


_BEFORE: dict[str, Callable[[Reader], None]] = {
    "attach-instances": _attach_instance,
    "cancel-instance-refresh": _refresh,
    "rollback-instance-refresh": _refresh,
    "delete-lifecycle-hook": _hook("my-lifecycle-hook"),
    "complete-lifecycle-action": _hook("my-launch-hook"),
    "record-lifecycle-action-heartbeat": _hook("my-launch-hook"),
    "exit-standby": _standby,
    "delete-policy": _policies,
    "execute-policy": _policies,
    "delete-scheduled-action": _schedule,
    "delete-notification-configuration": _notifications,
    "detach-load-balancer-target-groups": _attach_targets,
    "delete-warm-pool": _warm_pool,
    "describe-warm-pool": _warm_pool,
}
