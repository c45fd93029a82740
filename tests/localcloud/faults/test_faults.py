from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pavedroad.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.faults import clocks
from pavedroad.localcloud.faults.kinds import KINDS
from pavedroad.localcloud.wanted import Affliction
from tests.localcloud.faults.bench import ONE, SPOT, STOPPED, FaultBench


def test_a_fault_lasts_ten_minutes_where_nothing_else_is_said(bench: FaultBench) -> None:
    fault = bench.client.start("zone-down", "us-east-1a")
    assert (fault["started_at"], fault["ends_at"]) == ("2026-03-01T12:00:00.000Z", "2026-03-01T12:10:00.000Z")
    bench.pass_time(599)
    assert bench.faults.zone_is_down("us-east-1a")
    bench.pass_time(1)
    assert not bench.faults.zone_is_down("us-east-1a")
    assert bench.client.get(fault["id"])["ended_because"] == "its time was over"


def test_ending_twice_is_ending_once(bench: FaultBench) -> None:
    fault = bench.client.start("zone-down", "us-east-1a")
    ended = bench.client.end(fault["id"])
    bench.clock.advance(5)
    assert bench.client.end(fault["id"]) == ended
    assert bench.client.end_all() == []


def test_starts_and_ends_are_written_down_once_each(bench: FaultBench) -> None:
    fault = bench.client.start("zone-down", "us-east-1a", seconds=5)
    bench.client.end(fault["id"])
    bench.pass_time(10)
    lines = [json.loads(line) for line in (bench.home / "faults.log").read_text().splitlines()]
    assert [(line["event"], line["id"]) for line in lines] == [
        ("started", fault["id"]),
        ("ended", fault["id"]),
    ]


def test_those_that_last_are_kept_and_end_in_time_after_a_restart(bench: FaultBench) -> None:
    long = bench.client.start("zone-down", "us-east-1a", seconds=600)
    short = bench.client.start("zone-down", "us-east-1b", seconds=60)
    after = FaultBench(bench.home)
    after.clock.advance(120)
    after.faults.load(bench.faults.dump())
    after.faults.step()
    assert (after.client.get(long["id"])["state"], after.client.get(short["id"])["state"]) == (
        "active",
        "ended",
    )
    assert after.faults.zone_is_down("us-east-1a")
    assert not after.faults.zone_is_down("us-east-1b")


def test_a_zone_that_is_down_refuses_launches_and_fails_its_machines(bench: FaultBench) -> None:
    bench.client.start("zone-down", "us-east-1a")
    refusal = bench.faults.launch_refusal("us-east-1a", "t3.micro")
    assert isinstance(refusal, ServiceError)
    assert refusal.code == "InsufficientInstanceCapacity"
    assert bench.faults.launch_refusal("us-east-1b", "t3.micro") is None
    assert "us-east-1a" in bench.faults.failure("us-east-1a")
    assert bench.faults.afflictions(ONE, "us-east-1b") == ()


def test_a_zone_out_of_reach_keeps_its_machines_and_cuts_them_off(bench: FaultBench) -> None:
    bench.client.start("zone-down", "us-east-1a", unreachable=True)
    assert bench.faults.failure("us-east-1a") == ""
    assert bench.faults.is_impaired(ONE, "us-east-1a")
    [cut] = bench.faults.afflictions(ONE, "us-east-1a")
    assert (cut.ailment, cut.numbers["cut"], cut.numbers["at_once"]) == ("network", 1, 1)


def test_a_dead_zone_stays_dead_whatever_else_lasts(bench: FaultBench) -> None:
    bench.client.start("zone-down", "us-east-1a")
    bench.client.start("region-down", "us-east-1", unreachable=True)
    assert bench.faults.failure("us-east-1a")
    assert not bench.faults.failure("us-east-1b")
    assert bench.faults.zone_is_down("us-east-1b")


def test_capacity_of_one_type_is_gone_for_that_type(bench: FaultBench) -> None:
    bench.client.start("capacity", "us-east-1a", instance_type="m5.large")
    assert bench.faults.launch_refusal("us-east-1a", "m5.large")
    assert bench.faults.launch_refusal("us-east-1a", "t3.micro") is None
    bench.client.start("capacity", "us-east-1a")
    assert bench.faults.launch_refusal("us-east-1a", "t3.micro")


def test_who_waits_for_a_zone_hears_of_its_return(bench: FaultBench) -> None:
    returned: list[str] = []
    bench.faults.zone_returned.append(returned.append)
    first = bench.client.start("zone-down", "us-east-1a", seconds=60)
    bench.client.start("capacity", "us-east-1a", seconds=120)
    bench.client.end(first["id"])
    assert returned == []
    bench.pass_time(120)
    assert returned == ["us-east-1a"]


def test_troubles_of_an_instance_are_told_with_their_numbers(bench: FaultBench) -> None:
    fault = bench.client.start("instance-memory", ONE, percent=50)
    assert fault["parameters"]["megabytes"] == 512
    assert bench.faults.afflictions(ONE, "us-east-1a") == (
        Affliction(fault["id"], "memory", {"percent": 50.0, "megabytes": 512.0}),
    )
    bench.client.start("instance-hung", ONE)
    assert bench.faults.is_impaired(ONE, "us-east-1a")
    assert not bench.faults.is_impaired(SPOT, "us-east-1b")


def test_a_killed_instance_fails_at_once_and_the_fault_is_over(bench: FaultBench) -> None:
    fault = bench.client.start("instance-kill", ONE)
    assert bench.instances.failed == {ONE: "the machine under it has failed"}
    assert (fault["state"], fault["ended_because"]) == ("ended", "it has happened")


def test_the_fault_of_an_instance_ends_with_it(bench: FaultBench) -> None:
    fault = bench.client.start("instance-hung", ONE)
    del bench.instances.all[ONE]
    bench.faults.step()
    assert bench.client.get(fault["id"])["ended_because"] == "its instance is gone"


def test_a_clock_is_off_only_where_that_can_be_done(
    bench: FaultBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "library", lambda: None)
    with pytest.raises(Unavailable, match="libfaketime"):
        bench.client.start("clock-skew", ONE, offset_seconds=60)
    monkeypatch.setattr(clocks, "library", lambda: Path("/usr/lib/libfaketime"))
    fault = bench.faults.start_fault("clock-skew", ONE, {"offset_seconds": -5})
    assert bench.faults.afflictions(ONE, "us-east-1a") == (
        Affliction(fault.id, "clock", {"offset_seconds": -5.0}),
    )


def test_the_same_fault_does_not_last_twice(bench: FaultBench) -> None:
    fault = bench.client.start("instance-hung", ONE)
    with pytest.raises(Conflict, match=fault["id"]):
        bench.client.start("instance-hung", ONE)
    bench.client.start("api", "ec2")
    bench.client.start("api", "ec2", error="none", delay_ms=5)


def test_calls_are_throttled_at_their_rate(bench: FaultBench) -> None:
    bench.client.start("api", "ec2:RunInstances", rate=0.25)
    refused = sum(bench.call("ec2", "RunInstances") is not None for _ in range(2000))
    assert 400 < refused < 600
    assert bench.call("ec2", "DescribeInstances") is None
    assert bench.call("autoscaling", "RunInstances") is None


def test_delays_add_up_and_the_first_refusal_counts(bench: FaultBench) -> None:
    bench.client.start("api", "ec2", error="none", delay_ms=100)
    bench.client.start("api", "ec2", error="failing", delay_ms=50)
    bench.client.start("api", "ec2", error="unavailable")
    found = bench.call("ec2", "DescribeVpcs")
    assert (round(found.delay_seconds, 3), found.refusal.code) == (0.15, "InternalError")


def test_a_limit_lets_its_rate_through_and_keeps_its_count(bench: FaultBench) -> None:
    bench.client.start("api-limit", "ec2", per_second=2, burst=3)
    assert [bench.call("ec2", "DescribeVpcs") is None for _ in range(5)] == [True] * 3 + [False] * 2
    bench.client.start("zone-down", "us-east-1c")
    assert bench.call("ec2", "DescribeVpcs") is not None
    bench.clock.advance(1)
    assert [bench.call("ec2", "DescribeVpcs") is None for _ in range(3)] == [True, True, False]


def test_a_region_that_is_down_answers_nothing_there(bench: FaultBench) -> None:
    bench.client.start("region-down", "eu-west-1")
    assert bench.call("sqs", "ListQueues", "eu-west-1").refusal.status == 503
    assert bench.call("sqs", "ListQueues", "us-east-1") is None


def test_a_service_may_be_called_as_clients_call_it(bench: FaultBench) -> None:
    assert bench.client.start("api", "elbv2:CreateRule")["target"] == "elasticloadbalancing:CreateRule"
    assert bench.call("elasticloadbalancing", "CreateRule").refusal.code == "Throttling"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "no such kind"),
        ({"kind": "flood", "target": "us-east-1a"}, "zone-down"),
        ({"kind": ["zone-down"], "target": "us-east-1a"}, "no such kind"),
        ({"kind": "zone-down"}, "has a target"),
        ({"kind": "zone-down", "target": "us-east-1d"}, "us-east-1a"),
        ({"kind": "region-down", "target": "us-east-1a"}, "us-east-1"),
        ({"kind": "instance-hung", "target": "i-1"}, "no instance id"),
        ({"kind": "zone-down", "target": "us-east-1a", "seconds": 0}, "24 hours"),
        ({"kind": "zone-down", "target": "us-east-1a", "seconds": 86401}, "24 hours"),
        ({"kind": "zone-down", "target": "us-east-1a", "seconds": "1"}, "24 hours"),
        ({"kind": "zone-down", "target": "us-east-1a", "seconds": True}, "24 hours"),
        ({"kind": "zone-down", "target": "us-east-1a", "parameters": []}, "object"),
        ({"kind": "zone-down", "target": "us-east-1a", "parameters": {"x": 1}}, "has no parameter 'x'"),
        ({"kind": "zone-down", "target": "us-east-1a", "parameters": {"unreachable": 1}}, "true or false"),
        ({"kind": "zone-down", "target": "us-east-1a", "for": 1}, "has no 'for'"),
        ({"kind": "network", "target": ONE}, "say which"),
        ({"kind": "network", "target": ONE, "parameters": {"loss_percent": 101}}, "0 to 100"),
        ({"kind": "api", "target": "ec2", "parameters": {"rate": 2}}, "0 to 1"),
        ({"kind": "api", "target": "ec2", "parameters": {"error": "none"}}, "delay"),
        ({"kind": "api", "target": "ec2", "parameters": {"error": "sulking"}}, "throttling"),
        ({"kind": "api", "target": "s3:GetObject"}, "all of its operations"),
        ({"kind": "api", "target": "EC2 Run"}, "ec2:RunInstances"),
        ({"kind": "api", "target": "lambda"}, "no service 'lambda'"),
        ({"kind": "api-limit", "target": "ec2:RunInstance"}, "no operation 'RunInstance'"),
        ({"kind": "api-limit", "target": "ec2"}, "needs the parameter 'per_second'"),
        ({"kind": "spot-interruption", "target": ONE}, "not a spot instance"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    bench: FaultBench, asked: dict[str, Any], why: str
) -> None:
    answer = bench.answer(httpx.Request("POST", "http://localhost/_pavedroad/faults", json=asked))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (400, "invalid-input", 400)
    assert why in f"{problem['detail']} {problem.get('next_step', '')}"
    assert bench.client.all() == []


def test_what_is_not_there_or_does_not_run_is_said_so(bench: FaultBench) -> None:
    with pytest.raises(NotFound):
        bench.client.start("instance-hung", "i-0123456789abcdeff")
    with pytest.raises(Conflict, match="stopped"):
        bench.client.start("instance-hung", STOPPED)
    with pytest.raises(NotFound):
        bench.client.end("fault-00000000")
    with pytest.raises(InvalidInput):
        bench.client.start("zone-down", "mars-1a")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kind": NaN}', b"[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_refused(bench: FaultBench, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    url = "http://localhost/_pavedroad/faults"
    answer = bench.answer(httpx.Request("POST", url, content=body, headers=headers))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("PATCH", "/fault-1"), ("POST", "/fault-1")])
def test_other_methods_are_not_allowed(bench: FaultBench, method: str, path: str) -> None:
    answer = bench.answer(httpx.Request(method, f"http://localhost/_pavedroad/faults{path}"))
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([*KINDS, "other"]),
    target=st.sampled_from([ONE, SPOT, STOPPED, "us-east-1a", "us-east-1", "ec2", "s3:Get"]) | _ANY,
    parameters=st.dictionaries(
        st.sampled_from(sorted({it.name for kind in KINDS.values() for it in kind.parameters})), _ANY
    )
    | _ANY,
    seconds=st.just(60) | _ANY,
)
def test_whatever_is_asked_is_done_or_refused_and_never_breaks(
    bench: FaultBench, kind: str, target: Any, parameters: Any, seconds: Any
) -> None:
    asked = {"kind": kind, "target": target, "parameters": parameters, "seconds": seconds}
    headers = {"content-type": "application/json"}
    url = "http://localhost/_pavedroad/faults"
    answer = bench.answer(httpx.Request("POST", url, content=json.dumps(asked), headers=headers))
    assert answer.status_code in (201, 400, 404, 409, 503)
    bench.call("ec2", "RunInstances")
    bench.client.end_all()
