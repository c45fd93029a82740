"""Where instances are launched, and which are given up, decided without any cloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pavedroad.localcloud.autoscaling import backoff, scale_in, spread
from pavedroad.localcloud.autoscaling.model import Backoff, Member
from pavedroad.localcloud.autoscaling.shares import Pool
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    LaunchConfiguration,
    Source,
    TemplateChoice,
    TemplateUse,
)
from pavedroad.localcloud.ports import LaunchData

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
TEMPLATE = TemplateChoice("lt-web", "web", "$Latest")
ZONES = ["a", "b", "c"]


def member(
    name: str, zone: str = "a", *, age: float = 60, version: str = "1", protected: bool = False
) -> Member:
    """`age` in minutes."""
    return Member(
        id=name,
        zone=zone,
        subnet_id=f"subnet-{zone}",
        instance_type="t3.micro",
        image_id="ami-1",
        launched_at=NOW - timedelta(minutes=age),
        template=TemplateUse("lt-web", "web", version) if version else None,
        protected=protected,
        state="InService",
    )


def chosen(members: list[Member], how_many: int, *policies: str) -> list[str]:
    found = scale_in.choose(
        members,
        surplus=how_many,
        zones=ZONES,
        policies=policies or ("Default",),
        situation=scale_in.Situation(TEMPLATE, NOW),
    )
    return [one.id for one in found]


def filled(**counts: int) -> list[Member]:
    return [member(f"{zone}{number}", zone) for zone, count in counts.items() for number in range(count)]


def moved_to(members: list[Member], usable: list[str], limit: int) -> list[str]:
    moves = spread.rebalancing_moves(members, ZONES, {"on-demand": usable, "spot": []}, limit)
    return [move.zone for move in moves]


def test_the_leanest_zone_is_the_first_of_those_with_the_fewest() -> None:
    assert spread.leanest({"a": 2, "b": 1, "c": 1}, ZONES) == "b"
    assert spread.leanest({"a": 2, "b": 1}, ZONES) == "c"


@pytest.mark.parametrize(
    ("counts", "usable", "moves"),
    [
        ({"a": 2, "b": 2, "c": 1}, ZONES, []),
        ({"a": 3, "b": 2, "c": 1}, ZONES, ["c"]),
        ({"a": 6}, ZONES, ["b", "c", "b", "c"]),
        ({"a": 2, "b": 2}, ["a", "b"], []),
        ({"a": 4, "b": 1, "c": 1}, ["a"], []),
        ({"z": 2, "a": 1}, ZONES, ["b", "c"]),
        ({"a": 6}, [], []),
    ],
)
def test_rebalancing_launches_where_fuller_zones_can_give_up_as_many(
    counts: dict[str, int], usable: list[str], moves: list[str]
) -> None:
    assert moved_to(filled(**counts), usable, limit=10) == moves
    assert moved_to(filled(**counts), usable, limit=1) == moves[:1]


def test_what_is_protected_is_no_reason_to_rebalance() -> None:
    members = [member(f"i{number}", "a", protected=True) for number in range(5)]
    assert moved_to(members, ZONES, limit=10) == []


def test_the_fullest_zone_gives_first_and_zones_end_even() -> None:
    members = filled(a=4, b=2, c=1)
    assert chosen(members, 3) == ["a0", "a1", "b0"]
    assert len(chosen(members, 99)) == 7


def test_a_zone_that_the_group_has_left_gives_before_all() -> None:
    assert chosen(filled(a=5, z=1), 2) == ["z0", "a0"]


def test_by_default_old_templates_go_first_then_who_is_nearest_to_a_full_hour() -> None:
    members = [
        member("newest-version", age=600, version="10"),
        member("nearest-to-the-hour", age=119, version="9"),
        member("oldest", age=2000, version="9"),
        member("attached", age=1, version=""),
    ]
    assert chosen(members, 4) == ["attached", "nearest-to-the-hour", "oldest", "newest-version"]


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        ("OldestInstance", "old"),
        ("NewestInstance", "new"),
        ("ClosestToNextInstanceHour", "near"),
        ("OldestLaunchTemplate", "near"),
        ("AllocationStrategy", "old"),
    ],
)
def test_other_policies_choose_otherwise(policy: str, first: str) -> None:
    members = [
        member("old", age=600, version="2"),
        member("near", age=59, version="1"),
        member("new", age=1, version="3"),
    ]
    assert chosen(members, 1, policy) == [first]


def test_launch_configurations_go_before_templates_or_by_their_age() -> None:
    made = {
        name: LaunchConfiguration(name, "", NOW - timedelta(days=days), {}, LaunchData("ami-1", "t3.micro"))
        for name, days in (("old", 9), ("new", 1))
    }
    members = [
        replace(member("template", age=600), launched_at=NOW),
        replace(member("of-new", version=""), configuration="new"),
        replace(member("of-old", version=""), configuration="old"),
        replace(member("of-gone", version=""), configuration="gone"),
    ]

    def order(source: Source, policy: str) -> list[str]:
        found = scale_in.choose(
            members,
            surplus=4,
            zones=ZONES,
            policies=[policy],
            situation=scale_in.Situation(source, NOW, made),
        )
        return [one.id for one in found]

    assert order(ConfigurationChoice("new"), "Default")[2:] == ["of-old", "of-new"]
    assert order(TEMPLATE, "Default")[-1] == "template"
    assert order(TEMPLATE, "OldestLaunchConfiguration") == ["of-gone", "of-old", "of-new", "template"]


def test_the_market_that_has_too_much_gives_first_then_the_fullest_zone() -> None:
    members = [
        *(replace(one, market="spot") for one in filled(a=2, b=1)),
        *(replace(one, id=f"on-{one.id}") for one in filled(b=3)),
    ]
    found = scale_in.choose(
        members,
        surplus=2,
        zones=ZONES,
        policies=["Default"],
        situation=scale_in.Situation(TEMPLATE, NOW),
        over={"spot": 1, "on-demand": -1},
    )
    assert [one.id for one in found] == ["b0", "on-b0"]


def test_what_the_allocation_strategy_likes_least_goes_first() -> None:
    members = [replace(member(name), instance_type=name) for name in ("m5.large", "c5.large", "old.large")]
    preference: dict[Pool, int] = {
        ("a", "m5.large", "on-demand"): 0,
        ("a", "c5.large", "on-demand"): 1,
    }
    for policy in ("Default", "AllocationStrategy"):
        found = scale_in.choose(
            members,
            surplus=3,
            zones=ZONES,
            policies=[policy],
            situation=scale_in.Situation(TEMPLATE, NOW, {}, preference),
        )
        assert [one.id for one in found] == ["old.large", "c5.large", "m5.large"]


def test_the_protected_are_never_chosen() -> None:
    assert chosen([member("a"), member("b", protected=True)], 2) == ["a"]


def test_failures_are_left_alone_for_twice_as_long_each_time_up_to_five_minutes() -> None:
    waited: list[float] = []
    now, found = NOW, None
    for _ in range(12):
        found = backoff.after_failure(found, now)
        assert backoff.waits(found, now)
        waited.append((found.until - now).total_seconds())
        now = found.until
    assert waited == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_failures_while_it_waits_already_count_once() -> None:
    first = backoff.after_failure(None, NOW)
    assert backoff.after_failure(first, NOW + timedelta(seconds=0.4)) is first


def test_what_ends_young_is_forgiven_once() -> None:
    first = backoff.after_early_end(None, NOW)
    assert first == backoff.after_early_end(first, NOW) == Backoff(0, NOW, NOW)
    assert not backoff.waits(first, NOW)
    assert backoff.waits(
        backoff.after_early_end(first, NOW + timedelta(seconds=1)), NOW + timedelta(seconds=1)
    )
