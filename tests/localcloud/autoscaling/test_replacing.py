"""Members are replaced before they are lost, when they are old, and no more of them at a time than may be."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import ARN, Bench

DAY = 86_400
NO_ROOM = ServiceError("InsufficientInstanceCapacity", "No room.")
SPOT: dict[str, Any] = {
    "LaunchTemplate": {
        "LaunchTemplateSpecification": {"LaunchTemplateName": "web"},
        "Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}],
    },
    "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
}


def spot(bench: Bench, desired: int = 3, **more: Any) -> list[str]:
    bench.create(desired=desired, LaunchTemplate=None, MixedInstancesPolicy=SPOT, **more)
    bench.settle()
    return [member.id for member in bench.members()]


def maintain(least: int, most: int) -> dict[str, Any]:
    return {"InstanceMaintenancePolicy": {"MinHealthyPercentage": least, "MaxHealthyPercentage": most}}


def told(bench: Bench, start: str) -> list[str]:
    return [one.cause for one in bench.activities() if one.description.startswith(start)]


def test_who_may_be_interrupted_goes_after_its_replacement_has_come(bench: Bench) -> None:
    first, *_ = spot(bench, CapacityRebalance=True, MaxSize=3)
    bench.compute.recommend_rebalance(first)
    bench.service.step()
    assert bench.group().members[first].state == "InService"
    [new] = bench.members(state="Pending")
    assert (new.replaces, new.market, bench.group().capacity) == (first, "spot", 4)
    bench.settle()
    assert first not in bench.group().members
    assert len(bench.members()) == 3
    assert sorted(bench.zones().values()) == [1, 1, 1]
    [cause] = told(bench, f"Terminating EC2 instance: {first}")
    assert cause == (
        "At 2026-01-02T03:04:05Z an instance was taken out of service in response to an EC2 instance "
        "rebalance recommendation."
    )


def test_a_tenth_of_a_group_is_replaced_at_a_time(bench: Bench) -> None:
    everyone = spot(bench, desired=20, CapacityRebalance=True)
    for id_ in everyone:
        bench.compute.recommend_rebalance(id_)
    bench.service.step()
    assert len(bench.members(state="Pending")) == 2
    for _ in range(20):
        bench.settle()
    assert not set(everyone) & set(bench.group().members)
    assert len(bench.members()) == 20


def test_without_capacity_rebalancing_an_interrupted_instance_is_replaced_when_it_is_gone(
    bench: Bench,
) -> None:
    first, *_ = spot(bench)
    bench.compute.warn_of_interruption(first)
    bench.settle()
    assert first in bench.group().members
    bench.compute.interrupt(first)
    bench.settle()
    assert len(bench.members()) == 3
    [cause] = told(bench, f"Terminating EC2 instance: {first}")
    assert cause.endswith("an EC2 health check indicating it has been terminated or stopped.")


def test_an_interruption_before_the_replacement_has_come_launches_no_second_one(bench: Bench) -> None:
    first, *_ = spot(bench, CapacityRebalance=True)
    bench.compute.warn_of_interruption(first)
    bench.service.step()
    bench.compute.interrupt(first)
    bench.settle()
    assert len(bench.members()) == 3
    assert len(bench.compute.machines) == 4


def test_a_replacement_that_is_refused_leaves_the_old_one_in_service(bench: Bench) -> None:
    first, *_ = spot(bench, CapacityRebalance=True)
    for zone in bench.compute.zone_names:
        bench.compute.refusals[zone] = NO_ROOM
    bench.compute.recommend_rebalance(first)
    bench.settle()
    assert bench.group().members[first].state == "InService"
    bench.compute.refusals.clear()
    bench.pass_time(10)
    assert first not in bench.group().members


def test_instances_live_no_longer_than_they_may_and_go_a_few_at_a_time(bench: Bench) -> None:
    bench.create(desired=10, MaxInstanceLifetime=DAY)
    bench.settle()
    everyone = {member.id for member in bench.members()}
    bench.clock.advance(DAY - 1)
    bench.settle()
    assert {member.id for member in bench.members()} == everyone
    bench.clock.advance(1)
    bench.service.step()
    assert len(bench.members(state="InService")) == 9
    for _ in range(10):
        bench.settle()
    assert not everyone & set(bench.group().members)
    assert len(bench.members()) == 10
    assert (
        "in response to having reached the maximum instance lifetime."
        in (told(bench, f"Terminating EC2 instance: {min(everyone)}")[0])
    )


def test_protected_instances_may_grow_old(bench: Bench) -> None:
    bench.create(desired=2, MaxInstanceLifetime=DAY, NewInstancesProtectedFromScaleIn=True)
    bench.settle()
    everyone = {member.id for member in bench.members()}
    bench.pass_time(2 * DAY)
    assert {member.id for member in bench.members()} == everyone


@pytest.mark.parametrize(("least", "most"), [(100, 110), (100, 200), (90, 150)])
def test_a_maintenance_policy_has_replacements_come_first(bench: Bench, least: int, most: int) -> None:
    bench.create(
        desired=10,
        TargetGroupARNs=[ARN],
        HealthCheckType="ELB",
        **maintain(least, most),
    )
    bench.settle()
    ill = [member.id for member in bench.members()][:4]
    for id_ in ill:
        bench.balancers.report(ARN, id_, healthy=False)
    fewest = 10
    highest = 10
    for _ in range(40):
        bench.service.step()
        group = bench.group()
        fewest = min(fewest, len(bench.members()))
        highest = max(highest, group.capacity)
        bench.compute.run()
        bench.compute.finish()
        bench.balancers.drained()
    bench.settle()
    assert not set(ill) & set(bench.group().members)
    assert len(bench.members()) == 10
    assert highest <= 10 * most // 100
    if least == 100:
        assert fewest == 10


def test_where_nothing_more_may_be_launched_one_at_a_time_goes_first(bench: Bench) -> None:
    bench.create(desired=4, TargetGroupARNs=[ARN], HealthCheckType="ELB", **maintain(100, 100))
    bench.settle()
    everyone = [member.id for member in bench.members()]
    for id_ in everyone[:2]:
        bench.balancers.report(ARN, id_, healthy=False)
    bench.service.step()
    assert len(bench.members()) == 3
    for _ in range(4):
        bench.settle()
    assert not set(everyone[:2]) & set(bench.group().members)
    assert (len(bench.members()), bench.group().capacity) == (4, 4)


def test_what_has_died_is_replaced_whatever_the_policy_says(bench: Bench) -> None:
    bench.create(desired=3, **maintain(100, 100))
    bench.settle()
    bench.clock.advance(100)
    for member in bench.members():
        bench.compute.crash(member.id, "killed")
    bench.settle()
    assert len(bench.members()) == 3


def test_old_instances_are_replaced_as_the_policy_says(bench: Bench) -> None:
    bench.create(desired=3, MaxInstanceLifetime=DAY, **maintain(100, 200))
    bench.settle()
    everyone = {member.id for member in bench.members()}
    bench.clock.advance(DAY)
    for _ in range(30):
        bench.service.step()
        assert len(bench.members()) >= 3
        bench.compute.run()
        bench.compute.finish()
    assert not everyone & set(bench.group().members)


def test_who_is_wanted_by_another_reason_to_go_while_being_replaced_goes_once(bench: Bench) -> None:
    first, *_ = spot(bench, CapacityRebalance=True)
    bench.compute.recommend_rebalance(first)
    bench.service.step()
    bench.call("TerminateInstanceInAutoScalingGroup", InstanceId=first, ShouldDecrementDesiredCapacity=True)
    bench.settle()
    assert (bench.group().desired, len(bench.members())) == (2, 2)
    assert len(told(bench, f"Terminating EC2 instance: {first}")) == 1
