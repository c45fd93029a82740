"""A cloud with something of everything that is kept, and what its calls say of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pavedroad.clouds.faults import FaultClient
from tests.localcloud.machines import await_state, bare_image, image_of_command, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def fill(cloud: RunningCloud) -> None:
    """Returns with the cloud at rest."""
    _objects(cloud)
    _people(cloud)
    _messages(cloud)
    _names(cloud)
    _machines(cloud)
    balanced = _balancers(cloud)
    _groups(cloud, balanced)
    _metrics(cloud)
    FaultClient(cloud.endpoint, key=cloud.key).start("capacity", "us-east-1c", seconds=86400)


def _objects(cloud: RunningCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    for body in (b"first", b"x" * 40_000):
        s3.put_object(Bucket="kept", Key="object", Body=body, Metadata={"who": "me"})
    s3.put_object(Bucket="kept", Key="gone", Body=b"gone")
    s3.delete_object(Bucket="kept", Key="gone")
    upload = s3.create_multipart_upload(Bucket="kept", Key="parts")["UploadId"]
    s3.upload_part(Bucket="kept", Key="parts", UploadId=upload, PartNumber=1, Body=b"y" * 30_000)
    s3.create_bucket(Bucket="ruled")
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 900}}
    s3.put_bucket_lifecycle_configuration(Bucket="ruled", LifecycleConfiguration={"Rules": [rule]})


def _people(cloud: RunningCloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ann", Tags=[{"Key": "team", "Value": "one"}])
    iam.create_access_key(UserName="ann")
    iam.create_group(GroupName="people")
    iam.add_user_to_group(GroupName="people", UserName="ann")
    iam.create_role(RoleName="server", AssumeRolePolicyDocument=TRUST)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="reads", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="server", PolicyArn=arn)
    iam.put_role_policy(RoleName="server", PolicyName="inline", PolicyDocument=json.dumps(policy))
    iam.create_instance_profile(InstanceProfileName="server")
    iam.add_role_to_instance_profile(InstanceProfileName="server", RoleName="server")


def _messages(cloud: RunningCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="news", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    sqs.create_queue(QueueName="ordered.fifo", Attributes={"FifoQueue": "true"})
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="told")


def _names(cloud: RunningCloud) -> None:
    dns = cloud.client("route53")
    zone = dns.create_hosted_zone(Name="example.test", CallerReference="one")["HostedZone"]["Id"]
    record = {
        "Name": "www.example.test",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "127.0.0.1"}],
    }
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def _machines(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    ec2.create_key_pair(KeyName="pair")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    wall = ec2.create_security_group(GroupName="wall", Description="d", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=wall, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0"
    )
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=other, CidrBlock="10.9.1.0/24")
    ec2.create_placement_group(GroupName="apart", Strategy="spread")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)["VolumeId"]
    ec2.create_snapshot(VolumeId=volume)
    ec2.allocate_address(Domain="vpc")
    ec2.modify_instance_metadata_defaults(HttpTokens="required")
    idle = image_of_command(cloud, "sleep 1000")
    data = {"ImageId": idle["ImageId"], "InstanceType": "t3.nano"}
    ec2.create_launch_template(LaunchTemplateName="kept", LaunchTemplateData=data)
    ec2.create_launch_template_version(
        LaunchTemplateName="kept", LaunchTemplateData={**data, "InstanceType": "t3.micro"}
    )
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "kept"}]}]
    ids = run(cloud, MinCount=4, MaxCount=4, TagSpecifications=tags, SecurityGroupIds=[wall], **idle)
    runs, stops, ends, captured = ids
    [spot] = run(
        cloud,
        **idle,
        ClientToken="once",
        InstanceMarketOptions={
            "MarketType": "spot",
            "SpotOptions": {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"},
        },
    )
    run(cloud, region="eu-west-1", ImageId=bare_image(cloud.client("ec2", "eu-west-1")))
    for one in (*ids, spot):
        await_state(cloud, one, "running")
    ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "server"}, InstanceId=runs)
    ec2.monitor_instances(InstanceIds=[runs])
    made = ec2.create_image(InstanceId=captured, Name="captured")["ImageId"]
    eventually(lambda: ec2.describe_images(ImageIds=[made])["Images"][0]["State"] == "available", within=60)
    ec2.copy_image(SourceImageId=made, SourceRegion="us-east-1", Name="copied")
    ec2.stop_instances(InstanceIds=[stops])
    ec2.terminate_instances(InstanceIds=[ends])
    await_state(cloud, stops, "stopped")
    await_state(cloud, ends, "terminated")


def _balancers(cloud: RunningCloud) -> str:
    """Gives a target group that the balancer forwards to."""
    ec2, elb, acm = cloud.client("ec2"), cloud.client("elbv2"), cloud.client("acm")
    shown = acm.request_certificate(DomainName="www.example.test")["CertificateArn"]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [
        it["SubnetId"]
        for it in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    ]
    one, two = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=8080, VpcId=vpc)["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for name in ("one", "two")
    )
    elb.modify_target_group_attributes(
        TargetGroupArn=one,
        Attributes=[
            {"Key": "stickiness.enabled", "Value": "true"},
            {"Key": "stickiness.type", "Value": "lb_cookie"},
            {"Key": "deregistration_delay.timeout_seconds", "Value": "3600"},
        ],
    )
    [instance] = run(cloud)
    await_state(cloud, instance, "running")
    elb.register_targets(TargetGroupArn=one, Targets=[{"Id": instance}])
    balancer = elb.create_load_balancer(Name="front", Subnets=subnets[:2])["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "17"}]
    )
    plain = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": one}],
    )["Listeners"][0]["ListenerArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=8443,
        Certificates=[{"CertificateArn": shown}],
        DefaultActions=[{"Type": "redirect", "RedirectConfig": {"Port": "8080", "StatusCode": "HTTP_302"}}],
    )
    shares = {
        "TargetGroups": [{"TargetGroupArn": one, "Weight": 3}, {"TargetGroupArn": two, "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    for priority, action in enumerate(
        (
            {"Type": "forward", "ForwardConfig": shares},
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {
                    "StatusCode": "404",
                    "MessageBody": "no",
                    "ContentType": "text/plain",
                },
            },
        ),
        1,
    ):
        elb.create_rule(
            ListenerArn=plain,
            Priority=priority,
            Conditions=[
                {"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{priority}/*"]}},
                {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b"]}},
            ],
            Actions=[action],
        )
    elb.add_tags(ResourceArns=[balancer], Tags=[{"Key": "a", "Value": "b"}])
    return two


def _groups(cloud: RunningCloud, balanced: str) -> None:
    scaling = cloud.client("autoscaling")
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    template = {"LaunchTemplateName": "kept", "Version": "$Latest"}
    place: dict[str, Any] = {"AvailabilityZones": ["us-east-1a", "us-east-1b"]}
    scaling.create_launch_configuration(
        LaunchConfigurationName="old", ImageId=bare_image(cloud.client("ec2")), InstanceType="t3.nano"
    )
    tags = [{"Key": "a", "Value": "b", "PropagateAtLaunch": True}]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="main", MinSize=1, MaxSize=5, DesiredCapacity=2, LaunchTemplate=template,
        TargetGroupARNs=[balanced], HealthCheckGracePeriod=600, Tags=tags, **place,
    )  # fmt: skip
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="configured", MinSize=0, MaxSize=1, LaunchConfigurationName="old", **place
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="mixed", MinSize=0, MaxSize=4, DesiredCapacity=2, **place,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": template,
                "Overrides": [
                    {"InstanceType": "t3.nano", "WeightedCapacity": "1"},
                    {"InstanceType": "t3.micro", "WeightedCapacity": "2"},
                ],
            },
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
        },
    )  # fmt: skip
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="hooked", MinSize=0, MaxSize=1, LaunchTemplate=template, **place
    )
    scaling.put_lifecycle_hook(
        LifecycleHookName="coming", AutoScalingGroupName="hooked", HeartbeatTimeout=7200,
        DefaultResult="CONTINUE",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", NotificationMetadata="told",
    )  # fmt: skip
    scaling.set_desired_capacity(AutoScalingGroupName="hooked", DesiredCapacity=1)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="warm", MinSize=0, MaxSize=2, LaunchTemplate=template, **place
    )
    scaling.put_warm_pool(AutoScalingGroupName="warm", MinSize=1, PoolState="Stopped")
    scaling.put_notification_configuration(
        AutoScalingGroupName="main", TopicARN=topic, NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"]
    )
    scaling.put_scheduled_update_group_action(
        AutoScalingGroupName="main", ScheduledActionName="yearly", Recurrence="0 0 1 1 *", MinSize=1
    )
    scaling.put_scheduled_update_group_action(
        AutoScalingGroupName="configured", ScheduledActionName="once", MinSize=0,
        StartTime=datetime.now(UTC) + timedelta(days=360),
    )  # fmt: skip
    for name, policy in (
        (
            "simple",
            {"PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1},
        ),
        (
            "steps",
            {
                "PolicyType": "StepScaling",
                "AdjustmentType": "PercentChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 10}],
            },
        ),
        (
            "tracking",
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                    "TargetValue": 50.0,
                    "DisableScaleIn": True,
                },
            },
        ),
    ):
        scaling.put_scaling_policy(AutoScalingGroupName="main", PolicyName=name, **policy)
    scaling.suspend_processes(AutoScalingGroupName="main", ScalingProcesses=["AZRebalance"])
    scaling.enable_metrics_collection(AutoScalingGroupName="main", Granularity="1Minute")
    eventually(lambda: _in_service(scaling, "main") == 2 and _in_service(scaling, "mixed") >= 1, within=90)
    eventually(lambda: _states(scaling, "hooked") == ["Pending:Wait"], within=60)
    eventually(
        lambda: (
            [
                it["LifecycleState"]
                for it in scaling.describe_warm_pool(AutoScalingGroupName="warm")["Instances"]
            ]
            == ["Warmed:Stopped"] * 2
        ),
        within=90,
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="refreshing",
        MinSize=1,
        MaxSize=2,
        DesiredCapacity=1,
        LaunchTemplate=template,
        **place,
    )
    eventually(lambda: _in_service(scaling, "refreshing") == 1, within=60)
    scaling.start_instance_refresh(
        AutoScalingGroupName="refreshing",
        Preferences={"InstanceWarmup": 3600, "MinHealthyPercentage": 0},
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "kept", "Version": "1"}},
    )
    eventually(
        lambda: (
            scaling.describe_instance_refreshes(AutoScalingGroupName="refreshing")["InstanceRefreshes"][0][
                "Status"
            ]
            == "InProgress"
        )
    )


def _states(scaling: Any, group: str) -> list[str]:
    [found] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return [it["LifecycleState"] for it in found["Instances"]]


def _in_service(scaling: Any, group: str) -> int:
    return _states(scaling, group).count("InService")


def _metrics(cloud: RunningCloud) -> None:
    watch = cloud.client("cloudwatch")
    watch.put_metric_data(
        Namespace="Kept",
        MetricData=[
            {"MetricName": "plain", "Value": 1.5, "Dimensions": [{"Name": "a", "Value": "b"}]},
            {"MetricName": "many", "Values": [1.0, 2.0, 3.0], "Counts": [1.0, 5.0, 2.0], "Unit": "Seconds"},
        ],
    )
    watch.put_metric_alarm(
        AlarmName="high", Namespace="Kept", MetricName="plain", Dimensions=[{"Name": "a", "Value": "b"}],
        Statistic="Average", Period=60, EvaluationPeriods=1, Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold", Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    query = {
        "Id": "m",
        "MetricStat": {"Metric": {"Namespace": "Kept", "MetricName": "many"}, "Period": 60, "Stat": "p90"},
        "ReturnData": False,
    }
    watch.put_metric_alarm(
        AlarmName="computed", EvaluationPeriods=2, Threshold=9.0, ComparisonOperator="LessThanThreshold",
        Metrics=[query, {"Id": "e", "Expression": "m*2", "ReturnData": True}],
    )  # fmt: skip
    watch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("high") AND NOT ALARM("computed")')
    watch.set_alarm_state(AlarmName="computed", StateValue="OK", StateReason="said")
    body = {"widgets": [{"type": "text", "properties": {"markdown": "kept"}}]}
    watch.put_dashboard(DashboardName="board", DashboardBody=json.dumps(body))


LASTING = [
    {"Name": "tag:Name", "Values": ["kept"]},
    {"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]},
]
"""Instances that are not forgotten with time."""
LISTED: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("s3", "us-east-1", "list_buckets", {}),
    ("s3", "us-east-1", "list_object_versions", {"Bucket": "kept"}),
    ("s3", "us-east-1", "list_multipart_uploads", {"Bucket": "kept"}),
    ("s3", "us-east-1", "get_bucket_tagging", {"Bucket": "kept"}),
    ("s3", "us-east-1", "get_bucket_lifecycle_configuration", {"Bucket": "ruled"}),
    ("s3", "us-east-1", "head_object", {"Bucket": "kept", "Key": "object"}),
    ("iam", "us-east-1", "list_users", {}),
    ("iam", "us-east-1", "list_access_keys", {"UserName": "ann"}),
    ("iam", "us-east-1", "get_group", {"GroupName": "people"}),
    ("iam", "us-east-1", "list_roles", {}),
    ("iam", "us-east-1", "list_policies", {"Scope": "Local"}),
    ("iam", "us-east-1", "get_role_policy", {"RoleName": "server", "PolicyName": "inline"}),
    ("iam", "us-east-1", "list_instance_profiles", {}),
    ("sns", "us-east-1", "list_topics", {}),
    ("sns", "us-east-1", "list_subscriptions", {}),
    ("sqs", "us-east-1", "list_queues", {}),
    ("route53", "us-east-1", "list_hosted_zones", {}),
    ("acm", "us-east-1", "list_certificates", {}),
    ("ec2", "us-east-1", "describe_key_pairs", {}),
    ("ec2", "us-east-1", "describe_security_groups", {}),
    ("ec2", "us-east-1", "describe_vpcs", {}),
    ("ec2", "us-east-1", "describe_subnets", {}),
    ("ec2", "us-east-1", "describe_placement_groups", {}),
    ("ec2", "us-east-1", "describe_volumes", {"Filters": [{"Name": "size", "Values": ["1"]}]}),
    ("ec2", "us-east-1", "describe_snapshots", {"OwnerIds": ["self"]}),
    ("ec2", "us-east-1", "describe_addresses", {}),
    ("ec2", "us-east-1", "get_instance_metadata_defaults", {}),
    ("ec2", "us-east-1", "describe_launch_template_versions", {"LaunchTemplateName": "kept"}),
    ("ec2", "us-east-1", "describe_images", {"Owners": ["self"]}),
    ("ec2", "us-east-1", "describe_instances", {"Filters": LASTING}),
    ("ec2", "us-east-1", "describe_spot_instance_requests", {}),
    ("ec2", "eu-west-1", "describe_vpcs", {}),
    ("ec2", "eu-west-1", "describe_instances", {}),
    ("elbv2", "us-east-1", "describe_load_balancers", {}),
    ("elbv2", "us-east-1", "describe_target_groups", {}),
    ("autoscaling", "us-east-1", "describe_auto_scaling_groups", {}),
    ("autoscaling", "us-east-1", "describe_launch_configurations", {}),
    ("autoscaling", "us-east-1", "describe_policies", {}),
    ("autoscaling", "us-east-1", "describe_lifecycle_hooks", {"AutoScalingGroupName": "hooked"}),
    ("autoscaling", "us-east-1", "describe_scheduled_actions", {}),
    ("autoscaling", "us-east-1", "describe_notification_configurations", {}),
    ("autoscaling", "us-east-1", "describe_tags", {}),
    ("cloudwatch", "us-east-1", "describe_alarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
    ("cloudwatch", "us-east-1", "list_dashboards", {}),
    ("cloudwatch", "us-east-1", "get_dashboard", {"DashboardName": "board"}),
    ("cloudwatch", "us-east-1", "list_metrics", {"Namespace": "Kept"}),
)
"""Service, region, call and parameters: what must be there after a start."""

PASSING = {
    "ResponseMetadata", "Instances", "State", "StateReason", "StateTransitionReason", "Status",
    "RoleLastUsed",
    "StateValue", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp", "DesiredCapacity",
    "AvailabilityZoneDistribution", "WarmPoolSize", "HealthStatus", "InUseBy", "NetworkInterfaces", "Ebs",
    "Fault", "PredictedCapacity", "InUse", "RenewalEligibility",
}  # fmt: skip
"""What goes on by itself, or with the time: not compared."""


def listing(clients: Any) -> dict[str, Any]:
    """What `LISTED` says; `clients` gives a client by service and region."""
    found: dict[str, Any] = {}
    for service, region, call, parameters in LISTED:
        answer = getattr(clients(service, region), call)(**parameters)
        found[" ".join((service, region, call, *map(str, parameters.values())))] = _lasting(answer, call)
    return json.loads(json.dumps(found, default=str))


def _lasting(value: Any, call: str) -> Any:
    if isinstance(value, dict):
        passing = PASSING - {"Instances"} if call == "describe_instances" else PASSING
        return {key: _lasting(it, call) for key, it in value.items() if key not in passing}
    if isinstance(value, list):
        return [_lasting(it, call) for it in value]
    if isinstance(value, str):
        return re.sub(r"127\.0\.0\.1:\d+", "localhost", value)
    return value.isoformat() if isinstance(value, datetime) else value


def contents(s3: Any) -> dict[str, bytes]:
    """Every version of every object there is."""
    found: dict[str, bytes] = {}
    for bucket in s3.list_buckets()["Buckets"]:
        for it in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
            body = s3.get_object(Bucket=bucket["Name"], Key=it["Key"], VersionId=it["VersionId"])["Body"]
            found[f"{bucket['Name']}/{it['Key']}/{it['VersionId']}"] = body.read()
    return found
