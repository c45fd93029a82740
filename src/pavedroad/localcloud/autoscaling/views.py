"""Groups, members, tags and activities as AWS's answers show them."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.autoscaling.hooks.model import Hook
from pavedroad.localcloud.autoscaling.model import Activity, Group, Maintenance, Member, Region
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    LaunchConfiguration,
    MixedPolicy,
    Override,
    Source,
    TemplateChoice,
    TemplateUse,
)

Shape = dict[str, Any]


def group(found: Group, *, with_instances: bool = True) -> Shape:
    return {
        "AutoScalingGroupName": found.name,
        "AutoScalingGroupARN": found.arn,
        **source(found.source),
        "MinSize": found.minimum,
        "MaxSize": found.maximum,
        "DesiredCapacity": found.desired,
        "DefaultCooldown": found.cooldown_seconds,
        "AvailabilityZones": list(found.zones),
        "AvailabilityZoneIds": [found.zone_ids[zone] for zone in found.zones if zone in found.zone_ids],
        "LoadBalancerNames": list(found.load_balancers),
        "TargetGroupARNs": list(found.target_groups),
        "HealthCheckType": found.health_check_type,
        "HealthCheckGracePeriod": found.grace_seconds,
        "Instances": [instance(member) for member in found.members.values() if not member.is_warmed]
        if with_instances
        else [],
        "WarmPoolConfiguration": warm_pool(found),
        "WarmPoolSize": sum(member.is_warmed for member in found.members.values())
        if found.warm_pool
        else None,
        "CreatedTime": found.created_at,
        "SuspendedProcesses": [
            {"ProcessName": process, "SuspensionReason": reason}
            for process, reason in sorted(found.suspended.items())
        ],
        "PlacementGroup": found.placement_group,
        "VPCZoneIdentifier": ",".join(found.subnets),
        "EnabledMetrics": [
            {"Metric": metric, "Granularity": "1Minute"} for metric in found.collected_metrics
        ],
        "Status": "Delete in progress" if found.deleting else None,
        "Tags": tags(found),
        "TerminationPolicies": list(found.termination_policies),
        "NewInstancesProtectedFromScaleIn": found.protects_new,
        "ServiceLinkedRoleARN": found.service_role_arn,
        "MaxInstanceLifetime": found.max_instance_lifetime,
        "CapacityRebalance": found.capacity_rebalance,
        "Context": found.context,
        "DesiredCapacityType": None if found.capacity_type == "units" else found.capacity_type,
        "DeletionProtection": found.deletion_protection,
        "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": found.zone_distribution},
        "InstanceMaintenancePolicy": maintenance(found.maintenance),
        **found.described,
        "DefaultInstanceWarmup": found.default_warmup_seconds,
        "TrafficSources": [
            *({"Identifier": name, "Type": "elb"} for name in found.load_balancers),
            *({"Identifier": arn, "Type": "elbv2"} for arn in found.target_groups),
        ],
    }


def source(found: Source) -> Shape:
    """What a group launches from, under the name of its kind."""
    if isinstance(found, ConfigurationChoice):
        return {"LaunchConfigurationName": found.name}
    if isinstance(found, MixedPolicy):
        return {"MixedInstancesPolicy": mixed(found)}
    return {"LaunchTemplate": choice(found)}


def maintenance(policy: Maintenance | None) -> Shape | None:
    if policy is None:
        return None
    return {"MinHealthyPercentage": policy.least, "MaxHealthyPercentage": policy.most}


def choice(chosen: TemplateChoice) -> Shape:
    named = {
        "LaunchTemplateId": chosen.id,
        "LaunchTemplateName": chosen.name,
        "Version": chosen.version,
    }
    return {key: value for key, value in named.items() if value}


def mixed(policy: MixedPolicy) -> Shape:
    shares = policy.distribution
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": choice(policy.template),
            "Overrides": [override(one) for one in policy.overrides],
        },
        "InstancesDistribution": {
            "OnDemandAllocationStrategy": shares.on_demand_strategy,
            "OnDemandBaseCapacity": shares.on_demand_base,
            "OnDemandPercentageAboveBaseCapacity": shares.on_demand_percentage,
            "SpotAllocationStrategy": shares.spot_strategy,
            "SpotInstancePools": shares.spot_pools,
            "SpotMaxPrice": shares.spot_max_price or None,
        },
    }


def configuration(found: LaunchConfiguration) -> Shape:
    return {
        "LaunchConfigurationName": found.name,
        "LaunchConfigurationARN": found.arn,
        "CreatedTime": found.created_at,
        **found.settings,
    }


def override(one: Override) -> Shape:
    return {
        "InstanceType": one.instance_type or None,
        "WeightedCapacity": None if one.weight is None else str(one.weight),
        "LaunchTemplateSpecification": choice(one.template) if one.template else None,
        "InstanceRequirements": one.requirements,
        "ImageId": one.image_id or None,
    }


def instance(member: Member) -> Shape:
    return {
        "InstanceId": member.id,
        "InstanceType": member.instance_type,
        "AvailabilityZone": member.zone,
        "AvailabilityZoneId": member.zone_id or None,
        "LifecycleState": member.state,
        "HealthStatus": member.health,
        "ImageId": member.image_id,
        "LaunchTemplate": template(member.template),
        "LaunchConfigurationName": member.configuration,
        "WeightedCapacity": None if member.weight is None else str(member.weight),
        "ProtectedFromScaleIn": member.protected,
    }


def instance_details(found: Group, member: Member) -> Shape:
    """As DescribeAutoScalingInstances has it: with the group, and the health in capitals."""
    return {
        **instance(member),
        "AutoScalingGroupName": found.name,
        "HealthStatus": member.health.upper(),
    }


def template(used: TemplateUse | None) -> Shape | None:
    if used is None:
        return None
    return {"LaunchTemplateId": used.id, "LaunchTemplateName": used.name, "Version": used.version}


def tags(found: Group) -> list[Shape]:
    return [
        {
            "ResourceId": found.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": tag.value,
            "PropagateAtLaunch": tag.propagate,
        }
        for key, tag in sorted(found.tags.items())
    ]


def activity(region: Region, shown: Activity) -> Shape:
    living = region.groups.get(shown.group_name)
    return {
        "ActivityId": shown.id,
        "AutoScalingGroupName": shown.group_name,
        "AutoScalingGroupARN": shown.group_arn,
        "AutoScalingGroupState": "InService" if living and living.arn == shown.group_arn else "Deleted",
        "Description": shown.description,
        "Cause": shown.cause,
        "StartTime": shown.started_at,
        "EndTime": shown.ended_at,
        "StatusCode": shown.status,
        "StatusMessage": shown.status_message,
        "Progress": shown.progress,
        "Details": shown.details,
    }


def warm_pool(found: Group) -> Shape | None:
    pool = found.warm_pool
    if pool is None:
        return None
    return {
        "MaxGroupPreparedCapacity": pool.max_prepared,
        "MinSize": pool.minimum,
        "PoolState": pool.state,
        "Status": "PendingDelete" if pool.deleting else None,
        "InstanceReusePolicy": None if pool.reuses is None else {"ReuseOnScaleIn": pool.reuses},
    }


def lifecycle_hook(found: Group, hook: Hook) -> Shape:
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": found.name,
        "LifecycleTransition": hook.transition,
        "NotificationTargetARN": hook.target_arn or None,
        "RoleARN": hook.role_arn,
        "NotificationMetadata": hook.metadata,
        "HeartbeatTimeout": hook.heartbeat_seconds,
        "GlobalTimeout": hook.global_seconds,
        "DefaultResult": hook.default_result,
    }
