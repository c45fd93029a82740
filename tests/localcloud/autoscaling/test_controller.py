"""The thread that looks after groups: prompt, fair to callers, no worse than linear, and restartable."""

from __future__ import annotations

import time

from pavedroad.localcloud.autoscaling.model import FORM, Group
from tests.localcloud.autoscaling.bench import ARN, Bench
from tests.waiting import eventually


def test_the_thread_sees_changes_without_being_asked(bench: Bench) -> None:
    bench.service.start()
    try:
        bench.create(desired=3)
        eventually(lambda: len(bench.group().members) == 3)
        with bench.state.changing():
            bench.compute.run()
        eventually(lambda: len(bench.members()) == 3)
        bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
        eventually(lambda: not bench.exists())
    finally:
        bench.service.stop()


def test_nothing_is_touched_where_nothing_changes(bench: Bench) -> None:
    bench.create(desired=3, TargetGroupARNs=[ARN])
    bench.settle()
    revision = bench.state.revision
    for _ in range(5):
        assert not bench.service.step()
    assert bench.state.revision == revision


def test_a_call_in_the_midst_of_a_great_launch_is_answered_and_heeded(bench: Bench) -> None:
    bench.service.start()
    try:
        bench.create(desired=5000, MaxSize=5000)
        eventually(lambda: len(bench.group().members) > 10)
        bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MaxSize=3)
        assert len(bench.group().members) < 5000, "the call came in between"
        eventually(lambda: bench.group().capacity == 3, within=60)
    finally:
        bench.service.stop()


def test_one_group_that_cannot_be_looked_after_does_not_stop_the_others(bench: Bench) -> None:
    bench.create("bad", desired=1)
    bench.create("good", desired=1)
    bench.settle()
    bench.group("bad").termination_policies = ("None such",)
    bench.call("SetDesiredCapacity", AutoScalingGroupName="bad", DesiredCapacity=0)
    bench.call("SetDesiredCapacity", AutoScalingGroupName="good", DesiredCapacity=2)
    bench.settle()
    assert (len(bench.members("bad")), len(bench.members("good"))) == (1, 2)


def test_a_look_at_ten_times_as_many_instances_takes_about_ten_times_as_long() -> None:
    assert looking(3_000) < 40 * looking(300)


def test_everything_is_kept_over_a_restart(bench: Bench) -> None:
    bench.balancers.slow_to_drain = True
    bench.create(desired=3, TargetGroupARNs=[ARN])
    bench.settle()
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    bench.service.step()
    before = bench.group()
    bench.service.load(FORM.decode(FORM.encode(bench.service.dump()), FORM.version))
    after: Group = bench.group()
    assert after == before
    assert after is not before
    [leaver] = bench.members(state="Terminating")
    assert leaver.activity is bench.activities()[-1], "what is under way is still what is told"
    bench.settle()
    assert len(bench.members()) == 2
    assert bench.activities()[-1].status == "Successful"


def test_an_instance_that_boots_again_gets_its_grace_period_again(bench: Bench) -> None:
    bench.create(desired=1, TargetGroupARNs=[ARN], HealthCheckType="ELB", HealthCheckGracePeriod=30)
    bench.settle()
    bench.clock.advance(1000)
    [only] = bench.members()
    bench.compute.reboot(only.id)
    bench.balancers.report(ARN, only.id, healthy=False)
    bench.service.step()
    bench.compute.run()
    bench.pass_time(29)
    assert [member.id for member in bench.members()] == [only.id]
    bench.pass_time(2)
    assert only.id not in bench.group().members


def looking(instances: int) -> float:
    """The least processor time of three looks at a group at rest."""
    bench = Bench()
    bench.create(desired=instances, MaxSize=instances, TargetGroupARNs=[ARN])
    bench.service.step()
    bench.compute.run()
    bench.service.step()
    bench.service.step()
    times: list[float] = []
    for _ in range(3):
        began = time.thread_time()
        assert not bench.service.step()
        times.append(time.thread_time() - began)
    return min(times)
