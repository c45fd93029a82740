"""Members set aside, and brought back."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling import journal, leaving, views, wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group, Member


def enter(call: Call) -> Result:
    group = call.changeable_group()
    members = call.members(group)
    shrinks: bool = call.parameters["ShouldDecrementDesiredCapacity"]
    for member in members:
        if member.state != "InService":
            raise refused(f"The instance {member.id} is not in InService.")
    if shrinks and group.desired_without(sum(member.units for member in members)) < group.minimum:
        raise refused(_sizes(group, f"To place into standby {len(members)} instance"))
    return {"Activities": [_enter_one(call, group, member, shrinks) for member in members]}


def leave(call: Call) -> Result:
    group = call.changeable_group()
    members = call.members(group)
    for member in members:
        if member.state != "Standby":
            raise refused(f"The instance {member.id} is not in Standby.")
    if group.desired + sum(member.units for member in members) > group.maximum:
        raise refused(_sizes(group, f"To put in service {len(members)} instance"))
    return {"Activities": [_leave_one(call, group, member) for member in members]}


def _enter_one(call: Call, group: Group, member: Member, shrinks: bool) -> views.Shape:
    was = group.capacity
    if shrinks:
        group.desired = group.desired_without(member.units)
    cause = wording.into_standby(call.now, member.id, was, was - member.units if shrinks else None)
    return views.activity(call.region, leaving.enter_standby(call.region, group, member, cause, call.now))


def _leave_one(call: Call, group: Group, member: Member) -> views.Shape:
    was = group.capacity
    group.desired += member.units
    member.state = "Pending"
    member.health = "Healthy"
    member.activity = journal.begin(
        call.region,
        group,
        call.now,
        description=f"Moving EC2 instance out of Standby: {member.id}",
        cause=wording.out_of_standby(call.now, member.id, was, was + member.units),
        details=wording.details(member.subnet_id, member.zone),
        status="PreInService",
        progress=30,
    )
    return views.activity(call.region, member.activity)


def _sizes(group: Group, wish: str) -> str:
    return (
        f"AutoScalingGroup {group.name} has min-size={group.minimum}, max-size={group.maximum}, and "
        f"desired-size={group.desired}. {wish}, please update the AutoScalingGroup sizes appropriately."
    )


OPERATIONS: dict[str, Operation] = {"EnterStandby": enter, "ExitStandby": leave}
