"""What the host last said, whichever way it said it."""

from __future__ import annotations

from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.wanted import Actual

FINE: dict[str, str] = {}
TROUBLE = {"listener": "Envoy refused the rules"}


def _report(routed: int, impaired: dict[str, str], epoch: str = "a") -> Actual:
    return Actual(epoch, 1, routed, (), (), {}, impaired)


def test_a_report_on_its_way_does_not_undo_a_newer_answer() -> None:
    view = ActualView()
    view.replace(_report(4, FINE))
    view.trouble({}, TROUBLE, 5)
    view.replace(_report(4, FINE))
    assert view.troubles() == TROUBLE
    view.replace(_report(5, FINE))
    assert view.troubles() == FINE


def test_another_host_is_believed_at_once() -> None:
    view = ActualView()
    view.replace(_report(4, FINE))
    view.trouble({}, TROUBLE, 5)
    view.replace(_report(0, FINE, "b"))
    assert view.troubles() == FINE
    view.replace(_report(0, TROUBLE, "b"))
    assert view.troubles() == TROUBLE
