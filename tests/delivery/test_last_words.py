"""What waiting will not mend ends a deployment within a few checks; what may be booting has its time."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.clouds.model import HealthCheck, TargetGroup, TargetHealth
from pavedroad.delivery.evidence import Repeated, final, last_word, patience
from pavedroad.delivery.model import DeploymentView
from tests.delivery.road import DEE, Road
from tests.waiting import eventually_async

_QUICK = {"path": "/healthz", "interval": "1s", "timeout": "1s"}
_PATIENT = {"kind": "red-black", "boot_timeout": "10m"}
_CODES = "Health checks failed with these codes: [{}]"
_REFUSED = "Health checks failed: connection refused"
_GROUP = TargetGroup("arn", "web", 7001, HealthCheck(path="/healthz", interval_seconds=2), {})


async def _fails(road: Road, reason: str, **manifest: Any) -> DeploymentView:
    await road.shipped("1.0")
    road.cloud.faults[await road.image("2.0")] = Fault("unhealthy", reason)
    view = await road.deploy("2.0", **{"strategy": _PATIENT, "health": _QUICK, **manifest})
    assert view.phase == "failed"
    assert await road.weights() == {"hello-v000": 100}
    return view


async def test_a_404_ends_it_long_before_the_boot_timeout_and_is_named(road: Road) -> None:
    view = await _fails(road, _CODES.format(404))
    assert ":8080/healthz answered 404, 5 times, as did 1 other; health.path in paved.yaml" in view.error
    waits = [line for line in view.progress if line.phase == "waiting"]
    assert all(line.until is not None for line in waits)
    booting, answering = waits[0], waits[-1]
    assert booting.until
    assert answering.until
    assert (booting.until - booting.at).total_seconds() > 500
    assert (answering.until - answering.at).total_seconds() < 10


async def test_what_boots_still_is_told_of_the_boot_timeout_when_its_time_is_up(road: Road) -> None:
    view = await _fails(road, _CODES.format(503), strategy={"kind": "red-black", "boot_timeout": "7s"})
    assert "was not healthy within 7 s: 0 of 2 healthy: status 503" in view.error
    assert "longer strategy.boot_timeout" in view.error


class _Tell(dict[str, str]):
    """Consoles of instances that end as soon as they have begun."""

    def get(self, key: str, default: Any = None, /) -> Any:
        return f"booting\nKeyError: {key}\n"


async def test_a_crash_is_told_by_the_first_with_its_status_and_last_line(road: Road) -> None:
    road.cloud.consoles = _Tell()
    road.cloud.faults[await road.image("2.0")] = Fault("crashes", "exited with status 3")
    view = await road.deploy("2.0", capacity=1)
    said = r"end while they boot \(2 so far\): (i-\w+) exited with status 3\. It wrote last: KeyError: \1$"
    assert re.search(said, view.error), view.error


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (_CODES.format(404), "answered 404"),
        (_CODES.format(500), "answered 500"),
        (_CODES.format(401), "answered 401"),
        (f"Initial health checks in progress; the last one: {_CODES.format(301)}", "answered 301"),
        (f"{_REFUSED}; the instance listens on port 8080 and is well there", "refused the connection"),
        (f"{_REFUSED}; the instance listens on port 7001 of 127.0.0.1 alone", "refused the connection"),
        ("Health checks failed: the answer is not HTTP", "did not answer in HTTP"),
        *((_CODES.format(code), None) for code in (502, 503, 504, 429)),
        (_REFUSED, None),
        (f"{_REFUSED}; the instance listens on port 9090", None),
        (f"{_REFUSED}; the instance listens on ports 7002, 9090", None),
        (f"{_REFUSED}; the instance listens on port 9090 of 127.0.0.1 alone", None),
        ("Request timed out", None),
        ("Initial health checks in progress", None),
        ("Target registration is in progress", None),
    ],
)
def test_which_answers_are_final(reason: str, said: str | None) -> None:
    answer = final(reason, 7001)
    assert (answer.told if answer else None) == said


def test_who_listens_elsewhere_is_told_where_and_what_to_do() -> None:
    elsewhere = final(f"{_REFUSED}; the instance listens on port 8080 and is well there", 7001)
    alone = final(f"{_REFUSED}; the instance listens on port 7001 of 127.0.0.1 alone", 7001)
    both = final(f"{_REFUSED}; the instance listens on port 5000 of 127.0.0.1 alone and is well there", 7001)
    assert elsewhere
    assert elsewhere.advice.startswith("the service listens on port 8080: let it use $PORT, which is 7001")
    assert alone
    assert alone.advice.endswith("of 127.0.0.1 alone: let it listen at $HOST or 0.0.0.0")
    assert both
    assert both.advice.endswith("alone: let it listen at $HOST or 0.0.0.0, and use $PORT, which is 7001")


def _health(**reasons: str) -> dict[str, TargetHealth]:
    return {
        name: TargetHealth(name, "unhealthy" if reason else "healthy", reason)
        for name, reason in reasons.items()
    }


def test_only_the_same_answers_of_all_instances_count() -> None:
    watched, bad = Repeated(), _CODES.format(404)
    assert watched.look(_health(a=bad, b=_REFUSED), ["a", "b"], _GROUP, 0) is None
    assert watched.look(_health(a=bad, b=bad), ["a", "b"], _GROUP, 10) == 0
    assert watched.look(_health(a=bad, b=bad), ["a", "b"], _GROUP, 18) == 8
    assert watched.look(_health(a=bad, b=""), ["a", "b"], _GROUP, 20) == 0  # it makes progress
    assert watched.look(_health(a=bad, b=_CODES.format(500)), ["a", "b"], _GROUP, 22) == 0
    assert watched.look(_health(a=bad), ["a", "b"], _GROUP, 30) is None
    assert watched.first == ("a", final(bad, 7001))
    assert patience(_GROUP.health_check) == 10


def test_the_verdict_names_the_first_and_counts_the_others() -> None:
    answers = {name: answer for name in "abc" if (answer := final(_CODES.format(500), 7001))}
    assert last_word(_GROUP, {"a": "10.0.1.7"}, answers).startswith(
        "10.0.1.7:7001/healthz answered 500, 5 times, as did 2 others; it is up and fails"
    )


async def test_the_group_that_loses_the_traffic_may_grow_while_the_other_boots(road: Road) -> None:
    await road.shipped("1.0")
    image = await road.image("2.0")
    road.cloud.faults[image] = Fault("unhealthy", "Initial health checks in progress")
    begun = await road.begin("2.0")

    async def waiting() -> bool:
        return (await road.delivery.deployment(begun.id)).phase == "waiting"

    await eventually_async(waiting)
    await road.delivery.resize(DEE, "hello-v000", 2, 5, 5)
    del road.cloud.faults[image]
    assert (await road.end(begun.id)).phase == "succeeded"
    new = await road.delivery.server_group("hello-v001")
    assert (new.healthy, new.desired, new.weight) == (5, 5, 100)
