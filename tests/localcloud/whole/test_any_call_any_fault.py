"""Whatever is called and whatever fails, in any order: a real cloud comes to rest, and tells the truth.

`PAVED_SEED` repeats a run's choices; a failure says which it was.
"""

from __future__ import annotations

import base64
import os
import random
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pavedroad.clouds.faults import FaultClient
from pavedroad.core.errors import PavedError
from tests.localcloud.running import RunningCloud, running_cloud
from tests.localcloud.whole.truths import PORT, Truths
from tests.waiting import eventually

SEED = int(os.environ.get("PAVED_SEED") or random.randrange(2**32))
ROUNDS, STEPS, LONGEST_SECONDS = 6, 40, 75.0
REST_SECONDS = 120.0
SERVER = f"""
import os, socket
listening = socket.create_server((os.environ["HOST"], {PORT}), backlog=64)
name = os.environ["PAVED_INSTANCE_ID"].encode()
while True:
    client, _ = listening.accept()
    client.settimeout(2)
    try:
        client.recv(9999)
        client.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n")
        client.sendall(b"Content-Length: %d\\r\\n\\r\\n%s" % (len(name), name))
    except OSError:
        pass
    client.close()
"""
SERVE = base64.b64encode(f"#!/bin/sh\nexec {sys.executable} -I -S -c '{SERVER}'\n".encode()).decode()
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
NAMES, HOOKS = ("one", "two"), ("coming", "leaving")
names, zones = st.sampled_from(NAMES), st.sampled_from(ZONES)
numbers = st.integers(0, 1000)


class Stage:
    """One cloud for all rounds, and what went wrong first."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.truths = Truths(cloud)
        self.faults = FaultClient(cloud.endpoint, key=cloud.key)
        self.failure: BaseException | None = None
        self.began = time.monotonic()
        self.done: list[str] = []
        ec2 = self.truths.ec2
        self.image: str = ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
        self.subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
        self.vpc: str = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.pool = self.truths.free_addresses()
        launched = {"ImageId": self.image, "InstanceType": "t3.nano", "UserData": SERVE}
        ec2.create_launch_template(LaunchTemplateName="whole", LaunchTemplateData=launched)
        self.balanced, self.own = self._targets("groups"), self._targets("own")

    @property
    def in_time(self) -> bool:
        return time.monotonic() - self.began < LONGEST_SECONDS

    def _targets(self, name: str) -> str:
        """Of a target group behind a balancer."""
        balancing = self.truths.balancing
        arn: str = balancing.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=PORT,
            VpcId=self.vpc,
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        balancing.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
        )
        balancer = balancing.create_load_balancer(Name=name, Subnets=self.subnets)["LoadBalancers"][0]
        balancing.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=PORT,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn


stage: Stage


def deed(**choices: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule, of which nothing is done once time is up, or something has failed: a real cloud does not fail
    the same way twice."""

    def decorate(function: Callable[..., None]) -> Any:
        def step(self: AnyCallAnyFault, **chosen: Any) -> None:
            if stage.failure is None and stage.in_time:
                with remembered():
                    function(self, **chosen)

        step.__name__ = function.__name__
        return rule(**choices)(step)

    return decorate


@contextmanager
def remembered() -> Generator[None]:
    try:
        yield
    except BaseException as error:
        stage.failure = stage.failure or error
        raise


class AnyCallAnyFault(RuleBasedStateMachine):
    """Calls may be refused, by an error of AWS's; never by an internal one."""

    @contextmanager
    def attempt(self, *said: object) -> Generator[None]:
        stage.done.append(" ".join(map(str, said)))
        try:
            yield
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code = error.response["Error"]["Code"]
            if status >= 500 and code != "InsufficientInstanceCapacity":
                raise AssertionError(f"{stage.done[-1]}: {error}") from error
        except PavedError:
            pass  # such a fault lasts already, or its target is gone

    def some_instance(self, number: int) -> str | None:
        alive = sorted(
            name for name, one in stage.truths.instances().items() if one["State"]["Name"] != "terminated"
        )
        return alive[number % len(alive)] if alive else None

    def some_member(self, number: int) -> tuple[str, str] | None:
        members = sorted(
            (group["AutoScalingGroupName"], one["InstanceId"])
            for group in stage.truths.groups()
            for one in group["Instances"]
        )
        return members[number % len(members)] if members else None

    @initialize()
    def begin(self) -> None:
        if stage.failure:
            raise stage.failure
        stage.done.append("-- a round begins")
        self.scaling, self.ec2 = stage.truths.scaling, stage.truths.ec2
        self.balancing = stage.truths.balancing
        with remembered():
            self._create("one", 2, balanced=True)

    # Calls

    @deed(name=names, desired=st.integers(0, 3), balanced=st.booleans())
    def create_group(self, name: str, desired: int, balanced: bool) -> None:
        self._create(name, desired, balanced=balanced)

    def _create(self, name: str, desired: int, *, balanced: bool) -> None:
        with self.attempt("create group", name, desired, balanced):
            more: dict[str, Any] = {"TargetGroupARNs": [stage.balanced], "HealthCheckType": "ELB"}
            self.scaling.create_auto_scaling_group(
                AutoScalingGroupName=name,
                LaunchTemplate={"LaunchTemplateName": "whole"},
                MinSize=0,
                MaxSize=4,
                DesiredCapacity=desired,
                DefaultCooldown=0,
                HealthCheckGracePeriod=20,
                AvailabilityZones=list(ZONES),
                **(more if balanced else {}),
            )

    @deed(name=names)
    def delete_group(self, name: str) -> None:
        with self.attempt("delete group", name):
            self.scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)

    @deed(name=names, desired=st.integers(-1, 5))
    def set_desired(self, name: str, desired: int) -> None:
        with self.attempt("desire", name, desired):
            self.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired)

    @deed(name=names, low=st.integers(0, 2), high=st.integers(0, 4))
    def bound(self, name: str, low: int, high: int) -> None:
        with self.attempt("bound", name, low, high):
            self.scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=low, MaxSize=high)

    @deed(name=names, hook=st.sampled_from(HOOKS), result=st.sampled_from(["CONTINUE", "ABANDON"]))
    def put_hook(self, name: str, hook: str, result: str) -> None:
        kind = "LAUNCHING" if hook == "coming" else "TERMINATING"
        with self.attempt("hook", name, hook, result):
            self.scaling.put_lifecycle_hook(
                AutoScalingGroupName=name,
                LifecycleHookName=hook,
                LifecycleTransition=f"autoscaling:EC2_INSTANCE_{kind}",
                HeartbeatTimeout=30,
                DefaultResult=result,
            )

    @deed(number=numbers, hook=st.sampled_from(HOOKS), result=st.sampled_from(["CONTINUE", "ABANDON"]))
    def complete(self, number: int, hook: str, result: str) -> None:
        if member := self.some_member(number):
            with self.attempt("complete", *member, hook, result):
                self.scaling.complete_lifecycle_action(
                    AutoScalingGroupName=member[0],
                    InstanceId=member[1],
                    LifecycleHookName=hook,
                    LifecycleActionResult=result,
                )

    @deed(number=numbers, keep=st.booleans(), deed=st.sampled_from(["standby", "return", "detach"]))
    def move(self, number: int, keep: bool, deed: str) -> None:
        if member := self.some_member(number):
            asked: dict[str, Any] = {"AutoScalingGroupName": member[0], "InstanceIds": [member[1]]}
            with self.attempt(deed, *member, keep):
                if deed == "return":
                    self.scaling.exit_standby(**asked)
                elif deed == "standby":
                    self.scaling.enter_standby(**asked, ShouldDecrementDesiredCapacity=not keep)
                else:
                    self.scaling.detach_instances(**asked, ShouldDecrementDesiredCapacity=not keep)

    @deed(number=numbers, name=names)
    def attach(self, number: int, name: str) -> None:
        if instance := self.some_instance(number):
            with self.attempt("attach", name, instance):
                self.scaling.attach_instances(AutoScalingGroupName=name, InstanceIds=[instance])

    @deed(number=numbers, keep=st.booleans())
    def replace(self, number: int, keep: bool) -> None:
        if member := self.some_member(number):
            with self.attempt("terminate in group", *member, keep):
                self.scaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=member[1], ShouldDecrementDesiredCapacity=not keep
                )

    @deed(number=numbers)
    def find_unhealthy(self, number: int) -> None:
        if member := self.some_member(number):
            with self.attempt("unhealthy", *member):
                self.scaling.set_instance_health(InstanceId=member[1], HealthStatus="Unhealthy")

    @deed(name=names, change=st.integers(-2, 2))
    def scale(self, name: str, change: int) -> None:
        with self.attempt("scale", name, change):
            self.scaling.put_scaling_policy(
                AutoScalingGroupName=name,
                PolicyName="by",
                AdjustmentType="ChangeInCapacity",
                ScalingAdjustment=change,
            )
            self.scaling.execute_policy(AutoScalingGroupName=name, PolicyName="by")

    @deed(name=names, desired=st.integers(0, 4))
    def schedule(self, name: str, desired: int) -> None:
        with self.attempt("schedule", name, desired):
            self.scaling.put_scheduled_update_group_action(
                AutoScalingGroupName=name,
                ScheduledActionName="soon",
                StartTime=datetime.now(UTC) + timedelta(seconds=2),
                DesiredCapacity=desired,
            )

    @deed(count=st.integers(1, 2), zone=zones)
    def run_instances(self, count: int, zone: str) -> None:
        with self.attempt("run", count, zone):
            self.ec2.run_instances(
                LaunchTemplate={"LaunchTemplateName": "whole"},
                MinCount=count,
                MaxCount=count,
                Placement={"AvailabilityZone": zone},
            )

    @deed(number=numbers, deed=st.sampled_from(["terminate", "stop", "start", "reboot"]))
    def do_to_instance(self, number: int, deed: str) -> None:
        if instance := self.some_instance(number):
            with self.attempt(deed, instance):
                getattr(self.ec2, f"{deed}_instances")(InstanceIds=[instance])

    @deed(number=numbers, leaves=st.booleans())
    def target(self, number: int, leaves: bool) -> None:
        if instance := self.some_instance(number):
            asked: dict[str, Any] = {"TargetGroupArn": stage.own, "Targets": [{"Id": instance}]}
            with self.attempt("deregister" if leaves else "register", instance):
                (self.balancing.deregister_targets if leaves else self.balancing.register_targets)(**asked)

    @deed(number=numbers, name=names)
    def guard_and_tag(self, number: int, name: str) -> None:
        if instance := self.some_instance(number):
            with self.attempt("security group", name, instance):
                made = self.ec2.create_security_group(GroupName=name, Description="any", VpcId=stage.vpc)
                self.ec2.create_tags(
                    Resources=[instance, made["GroupId"]], Tags=[{"Key": "a", "Value": name}]
                )
                self.ec2.modify_instance_attribute(InstanceId=instance, Groups=[made["GroupId"]])

    @deed(number=numbers, gone=st.booleans())
    def interface(self, number: int, gone: bool) -> None:
        with self.attempt("interface", number, gone):
            subnet = stage.subnets[number % len(stage.subnets)]
            made = self.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
            if gone:
                self.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])

    # Faults

    @deed(zone=zones, unreachable=st.booleans())
    def zone_down(self, zone: str, unreachable: bool) -> None:
        with self.attempt("zone down", zone, unreachable):
            stage.faults.start("zone-down", zone, seconds=60, unreachable=unreachable)

    @deed(zone=zones)
    def no_capacity(self, zone: str) -> None:
        with self.attempt("no capacity", zone):
            stage.faults.start("capacity", zone, seconds=60)

    @deed(number=numbers, kind=st.sampled_from(["instance-hung", "instance-kill"]))
    def strike(self, number: int, kind: str) -> None:
        if instance := self.some_instance(number):
            with self.attempt(kind, instance):
                stage.faults.start(kind, instance)

    @deed()
    def faults_end(self) -> None:
        with self.attempt("faults end"):
            stage.faults.end_all()

    @deed(sure=st.integers(0, 3))
    def api_killed(self, sure: int) -> None:
        if sure:
            return
        with self.attempt("the API is killed"):
            process = stage.cloud.part("api")
            process.kill()
            process.wait(10)
            eventually(self._answers, within=60)

    def _answers(self) -> bool:
        try:
            self.ec2.describe_vpcs()
        except (BotoCoreError, ClientError):
            return False
        return True

    # Rest

    @deed(sure=st.integers(0, 9))
    def come_to_rest(self, sure: int) -> None:
        if sure == 0:
            self.check_at_rest()

    def teardown(self) -> None:
        if stage.failure is None and hasattr(self, "scaling"):
            with remembered():
                self.check_at_rest()
                self._delete_everything()

    def check_at_rest(self) -> None:
        stage.faults.end_all()
        deadline = time.monotonic() + REST_SECONDS
        while unrest := self._unrest():
            assert time.monotonic() < deadline, f"it does not come to rest: {unrest}"
            time.sleep(0.3)
        truths = stage.truths
        for find_wrong in (truths.bounds_wrong, truths.processes_wrong, truths.activities_wrong):
            self._hold(find_wrong)
        self._hold(truths.serving_wrong)
        self._hold(lambda: truths.addresses_wrong(stage.pool))

    def _unrest(self) -> list[str]:
        self._complete_all()
        return stage.truths.unrest()

    @staticmethod
    def _hold(find_wrong: Callable[[], list[str]]) -> None:
        """Soon: what is found by several calls may have changed between them."""
        deadline = time.monotonic() + 30
        while wrong := find_wrong():
            assert time.monotonic() < deadline, wrong
            time.sleep(0.3)

    def _complete_all(self) -> None:
        for group in stage.truths.groups():
            for member in group["Instances"]:
                if member["LifecycleState"].endswith(":Wait"):
                    hook = "coming" if member["LifecycleState"].startswith("Pending") else "leaving"
                    with self.attempt("complete", member["InstanceId"]):
                        self.scaling.complete_lifecycle_action(
                            AutoScalingGroupName=group["AutoScalingGroupName"],
                            InstanceId=member["InstanceId"],
                            LifecycleHookName=hook,
                            LifecycleActionResult="CONTINUE",
                        )

    def _delete_everything(self) -> None:
        truths = stage.truths
        for group in truths.groups():
            self.scaling.delete_auto_scaling_group(
                AutoScalingGroupName=group["AutoScalingGroupName"], ForceDelete=True
            )
        alive = [name for name, one in truths.instances().items() if one["State"]["Name"] != "terminated"]
        if alive:
            self.ec2.terminate_instances(InstanceIds=alive)
        eventually(
            lambda: (
                not truths.groups()
                and {one["State"]["Name"] for one in truths.instances().values()} <= {"terminated"}
            ),
            within=60,
        )
        available = [{"Name": "status", "Values": ["available"]}]
        for one in self.ec2.describe_network_interfaces(Filters=available)["NetworkInterfaces"]:
            self.ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])
        for one in self.ec2.describe_security_groups()["SecurityGroups"]:
            if one["GroupName"] in NAMES:
                self.ec2.delete_security_group(GroupId=one["GroupId"])
        self._hold(lambda: truths.addresses_wrong(stage.pool))
        self._hold(truths.activities_wrong)
        self._hold(truths.processes_wrong)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cloud_comes_to_rest_and_tells_the_truth_whatever_happens(tmp_path: Path) -> None:
    global stage  # noqa: PLW0603 - hypothesis makes the machines
    chosen = settings(
        max_examples=ROUNDS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with running_cloud(tmp_path / "home") as cloud:
        stage = Stage(cloud)
        try:
            run_state_machine_as_test(seed(SEED)(AnyCallAnyFault), settings=chosen)
        except BaseException as error:
            raise AssertionError(
                f"PAVED_SEED={SEED}: {stage.failure or error!r}\n" + "\n".join(stage.done)
            ) from (stage.failure or error)
        finally:
            stage.truths.close()
            took = time.monotonic() - stage.began
            sys.stdout.write(f"PAVED_SEED={SEED}: {len(stage.done)} steps in {took:.0f} s\n")
