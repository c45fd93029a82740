"""Members: describe, terminate, attach, detach, protect, and say that one is unhealthy."""

from __future__ import annotations

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import health, journal, leaving, shares, views, wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, find_member, refused
from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.ports import Machine


def describe(call: Call) -> Result:
    wanted = frozenset(call.texts("InstanceIds"))
    found = sorted(
        (
            (group, member)
            for group in call.region.groups.values()
            for member in group.members.values()
            if not wanted or member.id in wanted
        ),
        key=lambda pair: pair[1].id,
    )
    shown, token = paging.page(
        found,
        key=lambda pair: (pair[1].id,),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=50),
    )
    return {
        "AutoScalingInstances": [views.instance_details(group, member) for group, member in shown],
        "NextToken": token,
    }


def terminate(call: Call) -> Result:
    instance_id: str = call.parameters["InstanceId"]
    group, member = find_member(call.region, instance_id)
    if member.is_warmed and not member.is_ending:
        cause = wording.taken_out_by_user(call.now, instance_id, group.capacity, None)
        activity = leaving.terminate(call.region, group, member, cause, call.now)
        return {"Activity": views.activity(call.region, activity)}
    if not member.in_capacity and member.state not in ("Standby", "Terminating:Retained"):
        if member.is_ending and member.activity:
            return {"Activity": views.activity(call.region, member.activity)}
        raise refused(f"The instance {instance_id} is not in InService or Standby.")
    if member.state == "Terminating:Retained":
        member.unhooked = True
    was = group.capacity
    shrinks: bool = call.parameters["ShouldDecrementDesiredCapacity"]
    if shrinks and member.in_capacity:
        if group.desired_without(member.units) < group.minimum:
            raise refused(
                f"Currently, desiredSize equals minSize ({group.minimum}). Terminating instance without "
                "replacement will violate group's min size constraint. Either set "
                "shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )
        group.desired = group.desired_without(member.units)
    capacity = group.desired if shrinks else None
    cause = wording.taken_out_by_user(call.now, instance_id, was, capacity)
    activity = leaving.terminate(call.region, group, member, cause, call.now)
    return {"Activity": views.activity(call.region, activity)}


def set_health(call: Call) -> Result:
    instance_id: str = call.parameters["InstanceId"]
    status: str = call.parameters["HealthStatus"]
    if status not in ("Healthy", "Unhealthy"):
        raise refused(f"Valid instance health states are: [Healthy, Unhealthy]. {status} is not one of them.")
    group, member = find_member(call.region, instance_id)
    if status == "Healthy":
        member.health, member.unhealthy_because = "Healthy", ""
    elif not call.get("ShouldRespectGracePeriod", True) or not health.in_grace(
        member, group.grace_seconds, call.now
    ):
        member.health, member.unhealthy_because = "Unhealthy", wording.USER_HEALTH_CHECK
    return None


def set_protection(call: Call) -> Result:
    group = call.changeable_group()
    for member in call.members(group):
        member.protected = call.parameters["ProtectedFromScaleIn"]
    return {}


def attach(call: Call) -> Result:
    group = call.changeable_group()
    wanted = list(dict.fromkeys(call.texts("InstanceIds")))
    machines = [_attachable(call, group, instance_id) for instance_id in wanted]
    types = call.compute.instance_types()
    weights = [shares.weight(group, machine.instance_type, types) for machine in machines]
    more = sum(1 if weight is None else weight for weight in weights)
    if group.desired + more > group.maximum:
        raise refused(
            f"AutoScalingGroup {group.name} has min-size={group.minimum}, max-size={group.maximum}, and "
            f"desired-size={group.desired}. To attach {more} more instance, please update the "
            "AutoScalingGroup sizes appropriately."
        )
    for machine, weight in zip(machines, weights, strict=True):
        was = group.capacity
        units = 1 if weight is None else weight
        group.members[machine.id] = Member(
            id=machine.id,
            zone=machine.zone,
            subnet_id=machine.subnet_id,
            instance_type=machine.instance_type,
            image_id=machine.image_id,
            launched_at=machine.launched_at,
            template=None,
            zone_id=group.zone_ids.get(machine.zone, ""),
            market=machine.market,
            weight=weight,
            protected=group.protects_new,
            activity=journal.begin(
                call.region,
                group,
                call.now,
                description=f"Attaching an existing EC2 instance: {machine.id}",
                cause=wording.attached(call.now, was, was + units),
                details=wording.details(machine.subnet_id, machine.zone),
                progress=50,
            ),
        )
    group.desired += more
    return None


def detach(call: Call) -> Result:
    group = call.changeable_group()
    members = call.members(group)
    shrinks: bool = call.parameters["ShouldDecrementDesiredCapacity"]
    for member in members:
        if member.state not in ("InService", "Standby"):
            raise refused(f"The instance {member.id} is not in InService or Standby.")
    counting = sum(member.units for member in members if member.in_capacity)
    if shrinks and group.desired_without(counting) < group.minimum:
        raise refused(
            f"AutoScalingGroup {group.name} has min-size={group.minimum}, max-size={group.maximum}, and "
            f"desired-size={group.desired}. To detach {counting} instance, please update the "
            "AutoScalingGroup sizes appropriately."
        )
    activities = [_detach_one(call, group, member, shrinks) for member in members]
    return {"Activities": activities}


def _detach_one(call: Call, group: Group, member: Member, shrinks: bool) -> views.Shape:
    was = left = group.capacity
    if shrinks and member.in_capacity:
        group.desired = group.desired_without(member.units)
        left -= member.units
    cause = wording.detached(call.now, member.id, was, left if shrinks else None)
    return views.activity(call.region, leaving.detach(call.region, group, member, cause, call.now))


def _attachable(call: Call, group: Group, instance_id: str) -> Machine:
    machine = call.compute.machine(instance_id)
    if machine is None:
        raise refused(f"Invalid Instance ID(s): [{instance_id}]")
    for other in call.region.groups.values():
        if instance_id in other.members:
            raise refused(f"Instance {instance_id} is already part of AutoScalingGroup {other.name}.")
    if machine.state != "running":
        raise refused(
            f"Instance {instance_id} is not in correct state. Instance(s) must be in 'running' state."
        )
    if machine.zone not in group.zones:
        raise refused(
            f"The availability zone {machine.zone} of instance {instance_id} is not part of "
            f"Auto Scaling group {group.name}."
        )
    own = group.subnets[0] if group.subnets else call.compute.default_subnet(machine.zone)
    if call.compute.subnet_vpc(machine.subnet_id) != call.compute.subnet_vpc(own):
        raise refused(f"Instance {instance_id} is not in the VPC of Auto Scaling group {group.name}.")
    return machine


OPERATIONS: dict[str, Operation] = {
    "DescribeAutoScalingInstances": describe,
    "TerminateInstanceInAutoScalingGroup": terminate,
    "SetInstanceHealth": set_health,
    "SetInstanceProtection": set_protection,
    "AttachInstances": attach,
    "DetachInstances": detach,
}
