from __future__ import annotations

import pytest

from pavedroad.localcloud.state import State
from pavedroad.localcloud.watch import Watch


@pytest.mark.parametrize(
    ("taken", "rest"),
    [
        (0.0, 0.0),
        (0.001, 0.008),
        (0.01, 0.08),
        (0.03, 0.1),
        (0.05, 0.1),
        (0.1, 0.2),
        (1.0, 2.0),
        (60.0, 30.0),
    ],
)
def test_a_look_rests_the_longer_the_more_there_was_to_see_and_short_ones_most(
    taken: float, rest: float
) -> None:
    watch = Watch("looks", State(), lambda: None)
    assert watch.rest_after(taken) == pytest.approx(rest)


def test_a_look_rests_no_less_than_asked() -> None:
    watch = Watch("looks", State(), lambda: None, least_rest=0.2, rest_ratio=5)
    assert (watch.rest_after(0.0), watch.rest_after(1.0)) == (0.2, 5.0)
