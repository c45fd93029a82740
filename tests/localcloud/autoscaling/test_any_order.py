"""Whatever is called and whatever fails, in any order, a group keeps its promises."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from pavedroad.localcloud.autoscaling import scale_in
from pavedroad.localcloud.autoscaling.hooks.model import LAUNCHING, TERMINATING
from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import ARN, OTHER_ARN, ZONES, Bench
from tests.localcloud.autoscaling.scaling_rules import ScalingRules

OPEN = {"PreInService", "InProgress", "MidLifecycleAction", "WaitingForELBConnectionDraining"}
PROCESSES = [
    "AZRebalance",
    "AddToLoadBalancer",
    "AlarmNotification",
    "HealthCheck",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
]
RESTING = {"InService", "Standby", "Terminating:Retained", "Warmed:Stopped", "Warmed:Running"}
HOOKS, RESULTS = ["coming", "leaving", "leaving-too"], ["CONTINUE", "ABANDON"]
SOURCES: list[dict[str, Any]] = [
    {"LaunchTemplate": {"LaunchTemplateName": "web"}},
    {"LaunchConfigurationName": "conf"},
    *(
        {
            "MixedInstancesPolicy": {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": "web"},
                    "Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}],
                },
                "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": percentage},
            }
        }
        for percentage in (0, 50)
    ),
]
REFUSALS = [
    ServiceError("InsufficientInstanceCapacity", "No room."),
    ServiceError("InvalidAMIID.NotFound", "No such image."),
]


class AnyOrder(ScalingRules):
    """One group, random calls and failures; `everything is well again` must bring it to rest, whole."""

    @initialize(
        desired=st.integers(0, 5),
        zones=st.sets(st.sampled_from(ZONES), min_size=1),
        abandoned=st.sampled_from(["retain", "terminate"]),
    )
    def begin(self, desired: int, zones: set[str], abandoned: str) -> None:
        self.bench = Bench()
        self.set_free: set[str] = set()
        self.tokens = 0
        self.bench.call(
            "CreateLaunchConfiguration",
            LaunchConfigurationName="conf",
            ImageId="ami-1",
            InstanceType="t3.micro",
        )
        self.bench.balancers.slow_to_drain = self.bench.compute.slow_to_end = True
        self.bench.compute.templates["web"].append(LaunchData("ami-2", "t3.micro"))
        self.bench.create(
            LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"},
            desired=desired,
            MaxSize=8,
            AvailabilityZones=sorted(zones),
            TargetGroupARNs=[ARN],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=5,
            InstanceLifecyclePolicy={"RetentionTriggers": {"TerminateHookAbandon": abandoned}},
        )
        self.be_told()

    @rule(steps=st.integers(1, 3))
    def look(self, steps: int) -> None:
        for _ in range(steps):
            self.bench.service.step()

    @rule(seconds=st.sampled_from([0.3, 1, 7, 61, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock.advance(seconds)

    @rule()
    def machines_boot_and_end(self) -> None:
        self.bench.compute.run()
        self.bench.compute.finish()

    @rule()
    def drains_end(self) -> None:
        self.bench.balancers.drained()

    @rule(desired=st.integers(-1, 9), cooldown=st.booleans())
    def set_desired(self, desired: int, cooldown: bool) -> None:
        self.call("SetDesiredCapacity", DesiredCapacity=desired, HonorCooldown=cooldown)

    @rule(minimum=st.integers(0, 4), maximum=st.integers(0, 8))
    def update_bounds(self, minimum: int, maximum: int) -> None:
        self.call("UpdateAutoScalingGroup", MinSize=minimum, MaxSize=maximum)

    @rule(zones=st.sets(st.sampled_from(ZONES), min_size=1))
    def move(self, zones: set[str]) -> None:
        self.call("UpdateAutoScalingGroup", AvailabilityZones=sorted(zones))

    @rule(data=st.data(), decrement=st.booleans())
    def terminate_one(self, data: st.DataObject, decrement: bool) -> None:
        if member := self.some_member(data):
            self.call(
                "TerminateInstanceInAutoScalingGroup",
                InstanceId=member.id,
                ShouldDecrementDesiredCapacity=decrement,
            )

    @rule(data=st.data(), decrement=st.booleans())
    def detach_one(self, data: st.DataObject, decrement: bool) -> None:
        member = self.some_member(data)
        if member and self.call(
            "DetachInstances", InstanceIds=[member.id], ShouldDecrementDesiredCapacity=decrement
        ):
            self.set_free.add(member.id)

    @rule()
    def attach_those_set_free(self) -> None:
        gone = self.set_free - set(self.bench.group().members)
        if gone and self.call("AttachInstances", InstanceIds=sorted(gone)):
            self.set_free -= gone

    @rule(data=st.data(), decrement=st.booleans())
    def standby(self, data: st.DataObject, decrement: bool) -> None:
        if member := self.some_member(data):
            self.call("EnterStandby", InstanceIds=[member.id], ShouldDecrementDesiredCapacity=decrement)

    @rule()
    def leave_standby(self) -> None:
        if waiting := [member.id for member in self.bench.members(state="Standby")]:
            self.call("ExitStandby", InstanceIds=waiting)

    @rule(data=st.data())
    def crash_one(self, data: st.DataObject) -> None:
        if member := self.some_member(data):
            self.bench.compute.crash(member.id, "killed")

    @rule(data=st.data(), healthy=st.booleans())
    def probe_one(self, data: st.DataObject, healthy: bool) -> None:
        targets = self.bench.balancers.target_groups[ARN]
        serving = [id_ for id_ in sorted(targets) if targets[id_].state != "draining"]
        if serving:
            self.bench.balancers.report(ARN, data.draw(st.sampled_from(serving)), healthy=healthy)

    @rule(zone=st.sampled_from([*ZONES, "*"]), refusal=st.sampled_from(REFUSALS))
    def refuse_launches(self, zone: str, refusal: ServiceError) -> None:
        self.bench.compute.refusals[zone] = refusal

    @rule(process=st.sampled_from(PROCESSES))
    def suspend(self, process: str) -> None:
        self.call("SuspendProcesses", ScalingProcesses=[process])

    @rule(attach=st.booleans())
    def change_target_groups(self, attach: bool) -> None:
        operation = "AttachLoadBalancerTargetGroups" if attach else "DetachLoadBalancerTargetGroups"
        self.call(operation, TargetGroupARNs=[OTHER_ARN])

    @rule(data=st.data(), protected=st.booleans())
    def protect_one(self, data: st.DataObject, protected: bool) -> None:
        if member := self.some_member(data):
            self.call("SetInstanceProtection", InstanceIds=[member.id], ProtectedFromScaleIn=protected)

    @rule(name=st.sampled_from(HOOKS), default=st.sampled_from(RESULTS))
    def put_hook(self, name: str, default: str) -> None:
        transition = LAUNCHING if name == "coming" else TERMINATING
        self.call(
            "PutLifecycleHook",
            LifecycleHookName=name,
            LifecycleTransition=transition,
            HeartbeatTimeout=30,
            DefaultResult=default,
        )

    @rule(name=st.sampled_from(HOOKS))
    def delete_hook(self, name: str) -> None:
        self.call("DeleteLifecycleHook", LifecycleHookName=name)

    @rule(data=st.data(), result=st.sampled_from(RESULTS))
    def answer_hook(self, data: st.DataObject, result: str) -> None:
        members = self.bench.group().members.values()
        if waiting := [(member, action) for member in members for action in member.actions]:
            member, action = data.draw(st.sampled_from(waiting))
            self.call(
                "CompleteLifecycleAction",
                LifecycleHookName=action.hook_name,
                LifecycleActionResult=result,
                InstanceId=member.id,
            )

    @rule(
        minimum=st.integers(0, 3),
        prepared=st.sampled_from([-1, 0, 3, 6]),
        state=st.sampled_from(["Stopped", "Running"]),
        reuse=st.booleans(),
    )
    def put_warm_pool(self, minimum: int, prepared: int, state: str, reuse: bool) -> None:
        self.call(
            "PutWarmPool",
            MinSize=minimum,
            MaxGroupPreparedCapacity=prepared,
            PoolState=state,
            InstanceReusePolicy={"ReuseOnScaleIn": reuse},
        )

    @rule(force=st.booleans())
    def delete_warm_pool(self, force: bool) -> None:
        self.call("DeleteWarmPool", ForceDelete=force)

    @rule(
        version=st.sampled_from(["1", "2"]),
        percents=st.sampled_from([{}, {"MinHealthyPercentage": 100}, {"MinHealthyPercentage": 0}]),
        warmup=st.sampled_from([0, 7]),
        more=st.sampled_from([{}, {"CheckpointPercentages": [30, 100]}, {"BakeTime": 7}]),
        skip=st.booleans(),
    )
    def start_refresh(
        self, version: str, percents: dict[str, int], warmup: int, more: dict[str, Any], skip: bool
    ) -> None:
        self.call(
            "StartInstanceRefresh",
            DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "web", "Version": version}},
            Preferences={"InstanceWarmup": warmup, "SkipMatching": skip, **percents, **more},
        )

    @rule(operation=st.sampled_from(["CancelInstanceRefresh", "RollbackInstanceRefresh"]))
    def stop_refresh(self, operation: str) -> None:
        self.call(operation)

    @rule(source=st.sampled_from(SOURCES))
    def launch_from_something_else(self, source: dict[str, Any]) -> None:
        self.call("UpdateAutoScalingGroup", **source)

    @rule(
        maintenance=st.sampled_from([(-1, -1), (100, 100), (100, 150), (50, 100)]),
        lifetime=st.sampled_from([0, 86_400]),
        distribution=st.sampled_from(["balanced-best-effort", "balanced-only"]),
        policy=st.sampled_from(scale_in.POLICIES),
        rebalances=st.booleans(),
    )
    def set_options(
        self, maintenance: tuple[int, int], lifetime: int, distribution: str, policy: str, rebalances: bool
    ) -> None:
        least, most = maintenance
        self.call(
            "UpdateAutoScalingGroup",
            InstanceMaintenancePolicy={"MinHealthyPercentage": least, "MaxHealthyPercentage": most},
            MaxInstanceLifetime=lifetime,
            AvailabilityZoneDistribution={"CapacityDistributionStrategy": distribution},
            TerminationPolicies=[policy],
            CapacityRebalance=rebalances,
        )

    @rule()
    def a_day_passes(self) -> None:
        self.bench.clock.advance(86_400)

    @rule(data=st.data(), interrupted=st.booleans())
    def spot_gets_scarce(self, data: st.DataObject, interrupted: bool) -> None:
        member = self.some_member(data)
        if member and member.market == "spot" and member.id in self.bench.compute.alive():
            if interrupted:
                self.bench.compute.interrupt(member.id)
            else:
                self.bench.compute.recommend_rebalance(member.id)

    @rule(capacity=st.integers(1, 3), zone=st.sampled_from(ZONES), retries=st.booleans())
    def launch_at_once(self, capacity: int, zone: str, retries: bool) -> None:
        self.tokens += 1
        self.call(
            "LaunchInstances",
            RequestedCapacity=capacity,
            AvailabilityZones=[zone],
            ClientToken=f"t-{self.tokens}",
            RetryStrategy="retry-with-group-configuration" if retries else "none",
        )

    @rule()
    def it_comes_to_rest_as_things_are(self) -> None:
        self.bench.settle()

    @rule()
    def everything_is_well_again(self) -> None:
        bench = self.bench
        bench.compute.refusals.clear()
        self.call("ResumeProcesses")
        self.call("DeleteLifecycleHook", LifecycleHookName="coming")
        self.call("CancelInstanceRefresh")
        for member in bench.group().members.values():
            member.protected = False
        for _ in range(4):
            self.recover()
            bench.pass_time(400)
        self.recover()
        bench.settle()
        group = bench.group()
        serving = [member for member in group.members.values() if member.state == "InService"]
        assert len(serving) == group.capacity == group.desired
        assert {member.state for member in group.members.values()} <= RESTING
        warmed = sum(member.is_warmed for member in group.members.values())
        assert warmed == (group.warm_pool.size(group.desired, group.maximum) if group.warm_pool else 0)
        assert group.refresh is None
        counts = [bench.zones().get(zone, 0) for zone in group.zones]
        assert max(counts) - min(counts) <= 1
        assert set(bench.zones()) <= set(group.zones)
        balanced = {member.id for member in serving if member.balanced}
        for arn, targets in bench.balancers.target_groups.items():
            assert set(targets) == (balanced if arn in group.target_groups else set())
        living = set(group.members) | self.set_free
        assert bench.compute.alive() <= living
        assert {member.id for member in serving} <= bench.compute.alive()
        assert not [activity for activity in bench.activities() if activity.ended_at is None]
        self.launches_and_terminations_are_told()
        self.every_end_is_told_once()

    def teardown(self) -> None:
        """Whatever state it is in, it can be deleted whole."""
        if hasattr(self, "bench"):
            self.call("DeleteAutoScalingGroup", ForceDelete=True)
            self.bench.settle()
            assert not self.bench.exists()
            assert self.bench.compute.alive() <= self.set_free
            assert not any(self.bench.balancers.target_groups.values())

    @invariant()
    def desired_is_within_bounds(self) -> None:
        group = self.bench.group()
        assert group.minimum <= group.desired <= group.maximum

    @invariant()
    def activities_tell_the_truth(self) -> None:
        for activity in self.bench.activities():
            assert (activity.ended_at is None) == (activity.status in OPEN)
            assert (activity.ended_at is not None) == (activity.progress == 100)
            assert activity.cause
            assert len(activity.cause) <= 1023
            assert activity.status != "Failed" or activity.status_message
        open_ones = {id(activity) for activity in self.bench.activities() if activity.ended_at is None}
        held = {id(m.activity) for m in self.bench.group().members.values() if m.activity is not None}
        assert open_ones == held

    @invariant()
    def nothing_runs_that_nobody_owns(self) -> None:
        assert self.bench.compute.alive() <= set(self.bench.group().members) | self.set_free

    def launches_and_terminations_are_told(self) -> None:
        told = [activity.description.partition(".  Status")[0] for activity in self.bench.activities()]
        for instance in self.bench.compute.machines:
            launches = ("Launching a new EC2 instance", "Launching a new EC2 instance into warm pool")
            assert sum(told.count(f"{launch}: {instance}") for launch in launches) == 1

    def recover(self) -> None:
        """Targets that serve are well, unless their instance has ended."""
        for arn, targets in self.bench.balancers.target_groups.items():
            for instance in [id_ for id_, target in targets.items() if target.state != "draining"]:
                self.bench.balancers.report(arn, instance, healthy=True)

    def some_member(self, data: st.DataObject) -> Member | None:
        members = [self.bench.group().members[id_] for id_ in sorted(self.bench.group().members)]
        return data.draw(st.sampled_from(members)) if members else None

    def call(self, operation: str, **parameters: Any) -> bool:
        """Whether it was accepted: refusals are as good an answer."""
        with suppress(ServiceError):
            if operation != "TerminateInstanceInAutoScalingGroup":
                parameters["AutoScalingGroupName"] = "web"
            self.bench.call(operation, **parameters)
            return True
        return False


AnyOrder.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyOrder = AnyOrder.TestCase
