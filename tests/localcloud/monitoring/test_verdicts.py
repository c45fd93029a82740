"""AWS's own tables of how alarms treat missing data: 0 is fine, X breaches, - is missing; newest last."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.monitoring.alarms.verdict import Criterion, Datapoint, judge

RETAIN = None
INSUFFICIENT = "INSUFFICIENT_DATA"


def judged(points: str, treatment: str, to_alarm: int) -> str | None:
    test = Criterion("GreaterThanThreshold", 0.5, 3, to_alarm, treatment)  # type: ignore[arg-type]
    signs = points.split()
    newest_first = [
        None if sign == "-" else Datapoint(60.0 * place, float(sign == "X"))
        for place, sign in reversed(list(enumerate(signs)))
    ]
    return judge(test, newest_first).state


@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", "OK", "OK", "OK", "OK"),
        ("- - - - 0", "OK", "OK", "OK", "OK"),
        ("- - - - -", INSUFFICIENT, RETAIN, "ALARM", "OK"),
        ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", "ALARM", RETAIN, "ALARM", "OK"),
    ],
)
def test_three_out_of_three(
    points: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    assert judged(points, "missing", 3) == missing
    assert judged(points, "ignore", 3) == ignore
    assert judged(points, "breaching", 3) == breaching
    assert judged(points, "notBreaching", 3) == not_breaching


@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 - X - -", "OK", "OK", "ALARM", "OK"),
        ("- - - - 0", "OK", "OK", "ALARM", "OK"),
        ("- - - X -", "ALARM", RETAIN, "ALARM", "OK"),
    ],
)
def test_two_out_of_three(
    points: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    assert judged(points, "missing", 2) == missing
    assert judged(points, "ignore", 2) == ignore
    assert judged(points, "breaching", 2) == breaching
    assert judged(points, "notBreaching", 2) == not_breaching


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_premature_alarm_is_avoided_while_the_next_datapoint_may_be_fine(points: str) -> None:
    assert judged(points, "missing", 3) is RETAIN
