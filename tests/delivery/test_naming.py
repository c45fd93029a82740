"""Names in the cloud: valid, stable, never two things under one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pavedroad.clouds.model import ServerGroup
from pavedroad.delivery.cluster import newest_first, shares_by_capacity
from pavedroad.delivery.naming import balancing_name
from pavedroad.delivery.plan import next_name
from pavedroad.manifest.model import Manifest
from tests.delivery.road import manifest_of

_NAMES = st.from_regex(r"[a-zA-Z0-9._]{1,20}(-[a-zA-Z0-9._~^-]{1,60})?", fullmatch=True)
_MANIFEST = Manifest.model_validate(manifest_of())


def _group(name: str, minutes: int) -> ServerGroup:
    made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    return ServerGroup(name, "ami-1", "t3.micro", (), 1, 1, 1, (), (), (), made, False, {})


@given(_NAMES)
def test_any_name_becomes_one_that_a_balancer_may_have(name: str) -> None:
    made = balancing_name(name)
    assert re.fullmatch(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?", made), made
    assert not made.startswith("internal-")


@given(_NAMES, _NAMES)
def test_two_names_never_become_one(one: str, other: str) -> None:
    assert (balancing_name(one) == balancing_name(other)) == (one == other)


def test_a_plain_name_stays_as_it_is() -> None:
    assert balancing_name("hello-prod-v012") == "hello-prod-v012"


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ([], "hello-v000"),
        (["hello-v000"], "hello-v001"),
        (["hello-v004", "hello-v009"], "hello-v010"),
        (["hello-v998", "hello-v999"], "hello-v000"),
        (["hello-v001", "hello-v998", "hello-v999", "hello-v000"], "hello-v002"),
    ],
)
def test_the_next_group_follows_the_newest_and_takes_no_name_twice(names: list[str], wanted: str) -> None:
    groups = newest_first([_group(name, minutes) for minutes, name in enumerate(names)])
    assert next_name(_MANIFEST, groups) == wanted


def test_groups_being_deleted_count_for_the_next_name() -> None:
    groups = [_group("hello-v000", 0), replace(_group("hello-v001", 1), deleting=True)]
    assert next_name(_MANIFEST, newest_first(groups)) == "hello-v002"


@pytest.mark.parametrize(
    ("capacity", "shares"),
    [
        ({}, {}),
        ({"a": 0}, {"a": 100}),
        ({"a": 7}, {"a": 100}),
        ({"a": 3, "b": 1}, {"a": 100, "b": 33}),
        ({"a": 1000, "b": 1}, {"a": 100, "b": 1}),
    ],
)
def test_shares_follow_capacity(capacity: dict[str, int], shares: dict[str, int]) -> None:
    assert shares_by_capacity(capacity) == shares
