"""Auto Scaling, Elastic Load Balancing."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.localcloud.whole.scripts.step import Step, do, wait

IMAGE = "ami-12c6146b"
DATA = {
    "ImageId": IMAGE,
    "InstanceType": "t3.nano",
    "UserData": b64encode(b"#!/bin/sh\nexec sleep 1000\n").decode(),
}
_GROUP = {"AutoScalingGroupName": "there"}
_TAG = {
    "ResourceId": "there",
    "ResourceType": "auto-scaling-group",
    "Key": "kept",
    "Value": "there",
    "PropagateAtLaunch": False,
}
_SOURCE = [{"Identifier": "$two.TargetGroupArn", "Type": "elbv2"}]
_HOOK = {**_GROUP, "LifecycleHookName": "hook"}
_HTTP = {"Protocol": "HTTP", "Port": 80, "VpcId": "$VpcId"}

AUTOSCALING = [
    do("sns.CreateTopic", Name="groups"),
    do("ec2.DescribeVpcs"),
    do("elbv2.CreateTargetGroup", "one", Name="one", **_HTTP),
    do("elbv2.CreateTargetGroup", "two", Name="two", **_HTTP),
    do("CreateLaunchConfiguration", LaunchConfigurationName="there", ImageId=IMAGE, InstanceType="t3.nano"),
    do(
        "CreateAutoScalingGroup",
        **_GROUP,
        LaunchConfigurationName="there",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=["$zone"],
    ),
    do("UpdateAutoScalingGroup", **_GROUP, DefaultCooldown=17, MaxSize=4),
    do("CreateOrUpdateTags", Tags=[_TAG]),
    do("DeleteTags", Tags=[_TAG]),
    do("AttachLoadBalancerTargetGroups", **_GROUP, TargetGroupARNs=["$one.TargetGroupArn"]),
    do("DetachLoadBalancerTargetGroups", **_GROUP, TargetGroupARNs=["$one.TargetGroupArn"]),
    do(
        "elb.CreateLoadBalancer",
        LoadBalancerName="classic",
        Listeners=[
            {"Protocol": "TCP", "InstanceProtocol": "TCP", "InstancePort": 80, "LoadBalancerPort": 18_190}
        ],
        AvailabilityZones=["$zone"],
    ),
    do("AttachLoadBalancers", **_GROUP, LoadBalancerNames=["classic"]),
    do("DetachLoadBalancers", **_GROUP, LoadBalancerNames=["classic"]),
    do("AttachTrafficSources", **_GROUP, TrafficSources=_SOURCE),
    do("DetachTrafficSources", **_GROUP, TrafficSources=_SOURCE),
    do(
        "PutLifecycleHook",
        **_HOOK,
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        HeartbeatTimeout=300,
    ),
    do(
        "PutScalingPolicy",
        **_GROUP,
        PolicyName="more",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
    ),
    do(
        "PutScheduledUpdateGroupAction",
        **_GROUP,
        ScheduledActionName="later",
        StartTime="2035-01-01T00:00:00Z",
        MinSize=0,
    ),
    do("DeleteScheduledAction", **_GROUP, ScheduledActionName="later"),
    do(
        "BatchPutScheduledUpdateGroupAction",
        **_GROUP,
        ScheduledUpdateGroupActions=[
            {"ScheduledActionName": "batch", "StartTime": "2035-01-01T00:00:00Z", "MinSize": 0}
        ],
    ),
    do("BatchDeleteScheduledAction", **_GROUP, ScheduledActionNames=["batch"]),
    do(
        "PutNotificationConfiguration",
        **_GROUP,
        TopicARN="$TopicArn",
        NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"],
    ),
    do("DeleteNotificationConfiguration", **_GROUP, TopicARN="$TopicArn"),
    do("EnableMetricsCollection", **_GROUP, Granularity="1Minute"),
    do("DisableMetricsCollection", **_GROUP),
    do("SuspendProcesses", **_GROUP),
    do("PutWarmPool", **_GROUP, MinSize=0),
    do("DeleteWarmPool", **_GROUP),
    do("ResumeProcesses", **_GROUP, ScalingProcesses=["Terminate"]),
    do("SetDesiredCapacity", **_GROUP, DesiredCapacity=1),
    do("ExecutePolicy", **_GROUP, PolicyName="more", HonorCooldown=False),
    do("DeletePolicy", **_GROUP, PolicyName="more"),
    do("DeleteLifecycleHook", **_HOOK),
    do("DeleteAutoScalingGroup", **_GROUP, ForceDelete=True),
    do("DeleteLaunchConfiguration", LaunchConfigurationName="there"),
]


def _ended(answer: Any) -> bool:
    return answer["InstanceRefreshes"][0]["Status"] in (
        "Successful",
        "Cancelled",
        "Failed",
        "RollbackSuccessful",
    )


def _is_waiting(answer: Any) -> bool:
    return answer["AutoScalingInstances"][0]["LifecycleState"] == "Terminating:Wait"


def _members(count: int, state: str = "InService", group: str = "full") -> Step:
    """Waits until so many are there, all in that state."""

    def is_so(answer: Any) -> bool:
        states = [it["LifecycleState"] for it in answer["AutoScalingGroups"][0]["Instances"]]
        return states == [state] * count

    return wait("DescribeAutoScalingGroups", is_so, AutoScalingGroupNames=[group])


_FULL = {"AutoScalingGroupName": "full"}
_OF = {**_FULL, "InstanceIds": ["$InstanceId"]}
_WAITS = {**_FULL, "LifecycleHookName": "waits"}
_SLOWLY = {"InstanceWarmup": 300}

MEMBERS = [
    do("ec2.CreateLaunchTemplate", LaunchTemplateName="full", LaunchTemplateData=DATA),
    do("ec2.CreateLaunchTemplateVersion", LaunchTemplateName="full", LaunchTemplateData=DATA),
    do(
        "CreateAutoScalingGroup",
        **_FULL,
        LaunchTemplate={"LaunchTemplateName": "full", "Version": "1"},
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=1,
        AvailabilityZones=["$zone"],
    ),
    _members(1),
    do("SetInstanceProtection", **_OF, ProtectedFromScaleIn=True),
    do("EnterStandby", **_OF, ShouldDecrementDesiredCapacity=True),
    _members(1, "Standby"),
    do("ExitStandby", **_OF),
    _members(1),
    do("DetachInstances", **_OF, ShouldDecrementDesiredCapacity=True),
    _members(0),
    do("AttachInstances", **_OF),
    _members(1),
    do("StartInstanceRefresh", "again", **_FULL, Preferences=_SLOWLY),
    do("CancelInstanceRefresh", **_FULL),
    wait("DescribeInstanceRefreshes", _ended, **_FULL),
    _members(1),
    do("SuspendProcesses", **_FULL, ScalingProcesses=["HealthCheck", "ReplaceUnhealthy"]),
    do("DescribeAutoScalingGroups", "now", AutoScalingGroupNames=["full"]),
    do(
        "SetInstanceHealth",
        InstanceId="$now.InstanceId",
        HealthStatus="Unhealthy",
        ShouldRespectGracePeriod=False,
    ),
    do("LaunchInstances", **_FULL, RequestedCapacity=1, ClientToken="once"),
    do(
        "PutLifecycleHook",
        **_WAITS,
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=3000,
    ),
    do(
        "TerminateInstanceInAutoScalingGroup",
        InstanceId="$now.InstanceId",
        ShouldDecrementDesiredCapacity=True,
    ),
    wait("DescribeAutoScalingInstances", _is_waiting, InstanceIds=["$now.InstanceId"]),
    do("RecordLifecycleActionHeartbeat", **_WAITS, InstanceId="$now.InstanceId"),
    do("CompleteLifecycleAction", **_WAITS, InstanceId="$now.InstanceId", LifecycleActionResult="CONTINUE"),
    do(
        "StartInstanceRefresh",
        **_FULL,
        Preferences=_SLOWLY,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "full", "Version": "2"}},
    ),
    do("RollbackInstanceRefresh", **_FULL),
    do("DeleteAutoScalingGroup", **_FULL, ForceDelete=True),
]

_FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "there"}}]
_PATH = [{"Field": "path-pattern", "Values": ["/there"]}]
_BALANCER, _TARGETS = "$balancer.LoadBalancerArn", "$targets.TargetGroupArn"
_SECURE = "$secure.ListenerArn"

BALANCING = [
    do("ec2.DescribeSubnets"),
    do("ec2.CreateSecurityGroup", "wall", GroupName="wall", Description="there", VpcId="$VpcId"),
    do("acm.RequestCertificate", "first", DomainName="first.example"),
    do("acm.RequestCertificate", "second", DomainName="second.example"),
    do("CreateLoadBalancer", "balancer", Name="there", Subnets="$subnets"),
    do(
        "ModifyLoadBalancerAttributes",
        LoadBalancerArn=_BALANCER,
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "70"}],
    ),
    do("SetSecurityGroups", LoadBalancerArn=_BALANCER, SecurityGroups=["$wall.GroupId"]),
    do("SetSubnets", LoadBalancerArn=_BALANCER, Subnets="$other_subnets"),
    do("SetIpAddressType", LoadBalancerArn=_BALANCER, IpAddressType="ipv4"),
    do(
        "ModifyCapacityReservation",
        LoadBalancerArn=_BALANCER,
        MinimumLoadBalancerCapacity={"CapacityUnits": 100},
    ),
    do("AddTags", ResourceArns=[_BALANCER], Tags=[{"Key": "kept", "Value": "there"}]),
    do("RemoveTags", ResourceArns=[_BALANCER], TagKeys=["kept"]),
    do("CreateTargetGroup", "targets", Name="targets", **_HTTP, TargetType="ip"),
    do("ModifyTargetGroup", TargetGroupArn=_TARGETS, HealthCheckPath="/there"),
    do(
        "ModifyTargetGroupAttributes",
        TargetGroupArn=_TARGETS,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "70"}],
    ),
    do("RegisterTargets", TargetGroupArn=_TARGETS, Targets=[{"Id": "$address", "Port": 80}]),
    do("CreateListener", "plain", LoadBalancerArn=_BALANCER, Protocol="HTTP", Port=80, DefaultActions=_FIXED),
    do("ModifyListener", ListenerArn="$plain.ListenerArn", Port=81),
    do(
        "ModifyListenerAttributes",
        ListenerArn="$plain.ListenerArn",
        Attributes=[{"Key": "routing.http.response.server.enabled", "Value": "false"}],
    ),
    do("CreateRule", "rule", ListenerArn="$plain.ListenerArn", Priority=1, Conditions=_PATH, Actions=_FIXED),
    do("ModifyRule", RuleArn="$rule.RuleArn", Conditions=[{"Field": "path-pattern", "Values": ["/other"]}]),
    do("SetRulePriorities", RulePriorities=[{"RuleArn": "$rule.RuleArn", "Priority": 7}]),
    do("DeleteRule", RuleArn="$rule.RuleArn"),
    do(
        "CreateListener",
        "secure",
        LoadBalancerArn=_BALANCER,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": "$first.CertificateArn"}],
        DefaultActions=_FIXED,
    ),
    do(
        "AddListenerCertificates",
        ListenerArn=_SECURE,
        Certificates=[{"CertificateArn": "$second.CertificateArn"}],
    ),
    do(
        "RemoveListenerCertificates",
        ListenerArn=_SECURE,
        Certificates=[{"CertificateArn": "$second.CertificateArn"}],
    ),
    do("DeleteListener", ListenerArn=_SECURE),
    do("DeregisterTargets", TargetGroupArn=_TARGETS, Targets=[{"Id": "$address", "Port": 80}]),
    do("DeleteLoadBalancer", LoadBalancerArn=_BALANCER),
    do("DeleteTargetGroup", TargetGroupArn=_TARGETS),
]

_OLD = {"LoadBalancerName": "old"}
_INSIDE = {"Protocol": "HTTP", "InstanceProtocol": "HTTP", "InstancePort": 80}
_CHECK = {"Target": "TCP:80", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 2}
_STAYS = {"LoadBalancerPort": 18_180, "PolicyNames": ["lb"]}

CLASSIC = [
    do("acm.RequestCertificate", DomainName="old.example.com"),
    do("ec2.RunInstances", ImageId=IMAGE, MinCount=1, MaxCount=1),
    do("ec2.CreateSecurityGroup", GroupName="old", Description="old"),
    do(
        "CreateLoadBalancer",
        **_OLD,
        Listeners=[{**_INSIDE, "LoadBalancerPort": 18_180}],
        AvailabilityZones=["$zone"],
    ),
    do("AddTags", LoadBalancerNames=["old"], Tags=[{"Key": "kept", "Value": "there"}]),
    do("RemoveTags", LoadBalancerNames=["old"], Tags=[{"Key": "kept"}]),
    do("ApplySecurityGroupsToLoadBalancer", **_OLD, SecurityGroups=["$GroupId"]),
    do("EnableAvailabilityZonesForLoadBalancer", **_OLD, AvailabilityZones=["$last_zone"]),
    do("DisableAvailabilityZonesForLoadBalancer", **_OLD, AvailabilityZones=["$last_zone"]),
    do("AttachLoadBalancerToSubnets", **_OLD, Subnets=["$subnet2"]),
    do("DetachLoadBalancerFromSubnets", **_OLD, Subnets=["$subnet2"]),
    do("ConfigureHealthCheck", **_OLD, HealthCheck=_CHECK),
    do("CreateAppCookieStickinessPolicy", **_OLD, PolicyName="app", CookieName="session"),
    do("CreateLBCookieStickinessPolicy", **_OLD, PolicyName="lb", CookieExpirationPeriod=60),
    do("SetLoadBalancerPoliciesOfListener", **_OLD, **_STAYS),
    do(
        "CreateLoadBalancerPolicy",
        **_OLD,
        PolicyName="proxy",
        PolicyTypeName="ProxyProtocolPolicyType",
        PolicyAttributes=[{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}],
    ),
    do("SetLoadBalancerPoliciesForBackendServer", **_OLD, InstancePort=80, PolicyNames=["proxy"]),
    do("DeleteLoadBalancerPolicy", **_OLD, PolicyName="app"),
    do(
        "CreateLoadBalancerListeners",
        **_OLD,
        Listeners=[
            {
                **_INSIDE,
                "Protocol": "HTTPS",
                "LoadBalancerPort": 18_443,
                "SSLCertificateId": "$CertificateArn",
            }
        ],
    ),
    do(
        "SetLoadBalancerListenerSSLCertificate",
        **_OLD,
        LoadBalancerPort=18_443,
        SSLCertificateId="$CertificateArn",
    ),
    do(
        "ModifyLoadBalancerAttributes",
        **_OLD,
        LoadBalancerAttributes={"ConnectionSettings": {"IdleTimeout": 17}},
    ),
    do("RegisterInstancesWithLoadBalancer", **_OLD, Instances=[{"InstanceId": "$InstanceId"}]),
    do("DeregisterInstancesFromLoadBalancer", **_OLD, Instances=[{"InstanceId": "$InstanceId"}]),
    do("DeleteLoadBalancerListeners", **_OLD, LoadBalancerPorts=[18_443]),
    do("DeleteLoadBalancer", **_OLD),
]
