"""How targets do, in AWS's words, from registering to leaving."""

from __future__ import annotations

from tests.localcloud.balancing.bench import Bench, fixed, refused, weigh
from tests.waiting import eventually

_SERVE = """#!/bin/sh
mkdir -p site && cd site && echo hello > index.html
exec python3 -m http.server 8000 --bind $HOST
"""


def test_a_target_is_unused_then_initial_then_healthy_then_unhealthy_with_a_reason_each(bench: Bench) -> None:
    service = bench.service("v1")
    service.status = 500
    group = bench.group(service, UnhealthyThresholdCount=2)
    assert bench.health(group)[service.address] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    balancer = bench.balancer(weigh({group: 1}))
    first = bench.health(group)[service.address]
    assert first["State"] in ("initial", "unhealthy")
    assert first["Reason"]
    eventually(lambda: bench.states(group) == {"unhealthy"}, within=40)
    ill = bench.health(group)[service.address]
    assert ill["Reason"] == "Target.ResponseCodeMismatch"
    assert "500" in ill["Description"]
    service.status = 200
    eventually(lambda: bench.states(group) == {"healthy"}, within=40)
    assert bench.health(group)[service.address] == {"State": "healthy"}
    assert balancer.get().text == "v1"


def test_a_target_nobody_answers_for_is_unhealthy_and_says_so(bench: Bench) -> None:
    group = bench.group(UnhealthyThresholdCount=2)
    bench.api.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.229.1.1", "Port": 9}])
    bench.balancer(weigh({group: 1}))
    eventually(lambda: bench.states(group) == {"unhealthy"}, within=40)
    ill = bench.health(group)["127.229.1.1"]
    assert ill["Reason"] in ("Target.FailedHealthChecks", "Target.Timeout")
    assert ill["Description"]


def test_an_instance_is_a_target_while_it_runs(bench: Bench) -> None:
    image = bench.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    launched = bench.ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        UserData=_SERVE,
    )["Instances"][0]
    instance: str = launched["InstanceId"]
    group = bench.group(TargetType="instance", UnhealthyThresholdCount=2)
    bench.ec2.get_waiter("instance_running").wait(
        InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    bench.api.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    assert balancer.get().text == "hello\n"

    bench.ec2.stop_instances(InstanceIds=[instance])
    eventually(lambda: bench.states(group) == {"unused"}, within=60)
    unused = bench.health(group)[instance]
    assert unused["Reason"] == "Target.InvalidState"
    assert balancer.get().status_code == 503
    code, message = refused(
        bench.api.register_targets, TargetGroupArn=group, Targets=[{"Id": instance, "Port": 81}]
    )
    assert code == "InvalidTarget"
    assert instance in message

    eventually(lambda: _state(bench, instance) == "stopped", within=60)
    bench.ec2.start_instances(InstanceIds=[instance])
    bench.all_healthy(group)
    assert balancer.get().text == "hello\n"
    bench.ec2.terminate_instances(InstanceIds=[instance])
    eventually(lambda: bench.states(group) == {"unused"}, within=60)


def test_targets_that_were_never_registered_are_told_as_unused(bench: Bench) -> None:
    group = bench.group()
    answer = bench.api.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "127.1.2.3", "Port": 80}])
    assert answer["TargetHealthDescriptions"][0]["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }


def test_a_group_of_weight_zero_is_probed_so_that_it_can_be_flipped_to(bench: Bench) -> None:
    group = bench.group(bench.service("warm"))
    balancer = bench.balancer(fixed("nothing yet"))
    assert bench.states(group) == {"unused"}
    other = bench.group()
    bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=weigh({other: 1, group: 0}))
    bench.all_healthy(group)


def _state(bench: Bench, instance: str) -> str:
    found = bench.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["State"]["Name"]
