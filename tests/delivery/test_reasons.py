"""Why instances are not healthy, as people read it."""

from __future__ import annotations

import pytest

from pavedroad.delivery.reasons import short, shortfall

REFUSED = "Health checks failed: connection refused"
FIRST_REFUSED = f"Initial health checks in progress; the last one: {REFUSED}"
LAUNCHING = "instances are being launched"


@pytest.mark.parametrize(
    ("long", "said"),
    [
        (REFUSED, "connection refused on the health check"),
        (
            f"Initial health checks in progress; the last one: {REFUSED}",
            "connection refused on the health check",
        ),
        ("Initial health checks in progress", "the first health checks are under way"),
        ("Health checks failed with these codes: [503]", "status 503 on the health check"),
        ("Health checks failed: the instance's process has ended", "the instance's process has ended"),
        ("Target registration is in progress.", "Target registration is in progress"),
    ],
)
def test_a_reason_keeps_what_it_says_and_loses_the_rest(long: str, said: str) -> None:
    assert short(long) == said


def test_what_all_have_in_common_is_said_once() -> None:
    said = shortfall(0, 3, {"i-1": REFUSED, "i-2": FIRST_REFUSED, "i-3": REFUSED}, otherwise=LAUNCHING)
    assert said == "0 of 3 healthy: connection refused on the health check."


def test_those_that_differ_are_named() -> None:
    one = shortfall(2, 3, {"i-3": REFUSED}, otherwise=LAUNCHING)
    assert one == "2 of 3 healthy; i-3: connection refused on the health check."
    two = shortfall(0, 3, {"i-1": "slow", "i-2": REFUSED, "i-3": "slow"}, otherwise=LAUNCHING)
    assert two == "0 of 3 healthy; i-1, i-3: slow; i-2: connection refused on the health check."


def test_many_are_counted() -> None:
    alike = shortfall(1, 9, {f"i-{n}": "slow" for n in range(8)}, otherwise=LAUNCHING)
    assert alike == "1 of 9 healthy; i-0, i-1, i-2 and 5 more: slow."
    unlike = shortfall(1, 9, {f"i-{n}": f"reason {n}" for n in range(8)}, otherwise=LAUNCHING)
    assert unlike == "1 of 9 healthy; i-0: reason 0; i-1: reason 1; i-2: reason 2 and 5 more."


def test_with_no_instance_there_is_still_a_reason() -> None:
    assert shortfall(0, 3, {}, otherwise=LAUNCHING) == f"0 of 3 healthy: {LAUNCHING}."
