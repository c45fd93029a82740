"""Health checks against real services, with AWS's words for how they end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pavedroad.localcloud.envoy.checks import check
from pavedroad.localcloud.envoy.health import Health, Outcome, matches
from pavedroad.localcloud.envoy.prober import Prober
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.wanted import Pool, Probe, Target
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import PORT, QUICK, Heard, Service, fresh_address, pool, response
from tests.waiting import eventually_async

BAD = Outcome("Target.FailedHealthChecks", "Health checks failed: connection refused", connected=False)


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober(lambda arn: None)
    yield prober
    prober.close()


def _health(prober: Prober, group: Pool, number: int = 0) -> Health:
    target = group.targets[number]
    health = prober.health((group.arn, target.id, target.port))
    assert health
    return health


async def _until(prober: Prober, group: Pool, state: str, within: float = 20) -> Health:
    async def reached() -> bool:
        return _health(prober, group).state == state

    await eventually_async(reached, within=within, every=0.01)
    return _health(prober, group)


async def test_a_check_asks_as_aws_asks(service: Serve) -> None:
    target = await service("v1")
    outcome = await check(replace(QUICK, path="/health?deep=1"), target.address, target.port)
    assert outcome.good
    heard = target.heard[0]
    assert heard.line == "GET /health?deep=1 HTTP/1.1"
    assert heard.headers["user-agent"] == "ELB-HealthChecker/2.0"
    assert heard.headers["host"] == f"{target.address}:{target.port}"


@pytest.mark.parametrize(
    ("answer", "reason", "description"),
    [
        (
            response("", "500 Oops"),
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [500]",
        ),
        (
            response("", "302 Found", "Location: /elsewhere"),
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [302]",
        ),
        (b"hello\r\n\r\n", "Target.FailedHealthChecks", "Health checks failed: the answer is not HTTP"),
        (None, "Target.FailedHealthChecks", "Health checks failed: connection closed without an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + response("ok"), "", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "", ""),
    ],
)
async def test_an_answer_is_judged_by_its_code(
    service: Serve, answer: bytes | None, reason: str, description: str
) -> None:
    async def give(heard: Heard) -> bytes:
        return answer or b""

    async def hang_up(heard: Heard) -> None:
        return None

    target = await service("v1", hang_up if answer is None else give)
    checked = asyncio.create_task(check(QUICK, target.address, target.port))
    if answer and b"until the end" in answer:
        while not target.heard:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await target.close_connections()
    outcome = await checked
    assert (outcome.reason, outcome.description) == (reason, description)


async def test_silence_is_a_timeout(service: Serve) -> None:
    async def silent(heard: Heard) -> bytes:
        await asyncio.Event().wait()
        return b""

    target = await service("v1", silent)
    outcome = await check(replace(QUICK, timeout_seconds=0.2), target.address, target.port)
    assert (outcome.reason, outcome.description) == ("Target.Timeout", "Request timed out")
    assert outcome.connected


async def test_nobody_there_is_a_refused_connection() -> None:
    outcome = await check(QUICK, fresh_address(), PORT)
    assert outcome == replace(BAD, refused=True)


async def test_a_tcp_check_needs_no_more_than_a_connection(service: Serve) -> None:
    target = await service("v1")
    assert (await check(replace(QUICK, protocol="TCP"), target.address, target.port)).good
    assert not target.heard


@pytest.mark.parametrize(
    ("matcher", "status", "fits"),
    [
        ("200", 200, True),
        ("200", 201, False),
        ("200,202", 202, True),
        ("200-399", 399, True),
        ("200-399", 400, False),
        ("200-299,404", 404, True),
    ],
)
def test_a_matcher_is_a_list_of_codes_and_ranges(matcher: str, status: int, fits: bool) -> None:
    assert matches(matcher, status) is fits


def test_a_new_target_needs_one_good_check_and_a_sick_one_its_threshold() -> None:
    probe = Probe("HTTP", "/", 5, 2, 3, 2, "200")
    health = Health().after(Outcome(), probe)
    assert health.state == "healthy"
    health = health.after(BAD, probe)
    assert health.state == "healthy"
    health = health.after(BAD, probe)
    assert (health.state, health.reason) == ("unhealthy", "Target.FailedHealthChecks")
    states: list[str] = []
    for _ in range(3):
        health = health.after(Outcome(), probe)
        states.append(health.state)
    assert states == ["unhealthy", "unhealthy", "healthy"]


def test_checks_between_the_beats_never_condemn_but_say_what_is_wrong() -> None:
    probe = Probe("HTTP", "/", 5, 2, 3, 2, "200")
    health = Health()
    for _ in range(10):
        health = health.after(BAD, probe, counts=False)
    assert (health.state, health.reason) == ("initial", "Elb.InitialHealthChecking")
    assert "connection refused" in health.description
    assert health.after(BAD, probe).after(BAD, probe).state == "unhealthy"


async def test_a_boot_is_noticed_long_before_the_next_interval(prober: Prober) -> None:
    target = Service("v1")
    group = pool("a", target.target(), probe=replace(QUICK, interval_seconds=30))
    prober.apply([group])

    async def asked_in_vain() -> bool:
        return "connection refused" in _health(prober, group).description

    await eventually_async(asked_in_vain)
    assert _health(prober, group).state == "initial"
    await target.start()
    began = time.monotonic()
    await _until(prober, group, "healthy")
    assert time.monotonic() - began < 5
    await target.stop()


async def test_thresholds_count_beats_of_the_interval(prober: Prober, service: Serve) -> None:
    answers = ["200 OK"]
    given: list[tuple[str, str]] = []

    async def by_turn(heard: Heard) -> bytes:
        given.append((answers[0], _health(prober, group).state))
        return response("", answers[0])

    target = await service("v1", by_turn)
    group = pool("a", target.target(), probe=replace(QUICK, unhealthy_threshold=3, healthy_threshold=2))
    prober.apply([group])
    await _until(prober, group, "healthy")
    answers[0] = "503 No"
    health = await _until(prober, group, "unhealthy")
    assert health.description == "Health checks failed with these codes: [503]"
    answers[0] = "200 OK"
    await _until(prober, group, "healthy")
    assert given.count(("503 No", "healthy")) == 3
    assert given.count(("200 OK", "unhealthy")) == 2


async def test_a_target_that_stays_keeps_its_health_and_one_that_moves_does_not(
    prober: Prober, service: Serve
) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    prober.apply([group])
    await _until(prober, group, "healthy")
    prober.apply([replace(group, probe=replace(QUICK, interval_seconds=9))])
    assert _health(prober, group).state == "healthy"
    moved = replace(group, targets=(replace(group.targets[0], address=fresh_address()),))
    prober.apply([moved])
    assert _health(prober, moved).state == "initial"
    prober.apply([])
    assert prober.health((group.arn, group.targets[0].id, PORT)) is None


async def test_a_draining_target_is_not_asked_and_starts_anew_when_it_comes_back(
    prober: Prober, service: Serve
) -> None:
    target, other = await service("v1"), await service("v2")
    group = pool("a", target.target(), other.target())
    prober.apply([group])
    await _until(prober, group, "healthy")
    prober.apply([pool("a", target.target(draining=True), other.target())])
    asked, of_other = len(target.heard), len(other.heard)

    async def other_goes_on() -> bool:
        return len(other.heard) - of_other >= 3

    await eventually_async(other_goes_on)
    assert len(target.heard) - asked <= 1
    prober.apply([group])
    assert _health(prober, group).state == "initial"


async def test_a_thousand_targets_are_cheap(prober: Prober, service: Serve) -> None:
    """Measured by the processor time that a second of them takes, of which the services take half."""
    one = await service("v1")
    targets = tuple(replace(one.target(), id=f"i-{number}") for number in range(1000))
    group = pool("a", *targets, probe=replace(QUICK, interval_seconds=10, timeout_seconds=9))
    prober.apply([group])

    async def all_healthy() -> bool:
        return all(_health(prober, group, number).state == "healthy" for number in range(1000))

    used = time.process_time()
    await eventually_async(all_healthy, within=30)
    assert time.process_time() - used < 6


async def _gives(answer: bytes) -> bytes:
    return answer


_METRICS = response("up 1", "200 OK", "Content-Type: text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("answer", "lonely", "asked", "said"),
    [
        (response("v1"), False, PORT + 1, f"port {PORT} and is well there"),
        (response("v1"), True, PORT + 1, f"port {PORT} of 127.0.0.1 alone and is well there"),
        (response("", "404 Not Found"), False, PORT + 1, f"port {PORT}"),
        (_METRICS, False, PORT + 1, f"port {PORT}"),
        (b"no HTTP\r\n\r\n", True, PORT + 1, f"port {PORT} of 127.0.0.1 alone"),
        (response("", "404 Not Found"), True, PORT, f"port {PORT} of 127.0.0.1 alone"),
    ],
)
async def test_who_is_refused_is_told_of_with_where_it_listens_and_whether_it_is_well_there(
    prober: Prober, service: Serve, answer: bytes, lonely: bool, asked: int, said: str
) -> None:
    other = await service("v1", lambda _: _gives(answer))
    held, address = {PORT: other.address}, fresh_address()

    def connect(host: str, port: int) -> socket.socket:
        return socket.create_connection((host, port))

    where = Elsewhere({}, held, connect) if lonely else Elsewhere(held, {}, connect)
    prober.elsewhere = lambda _: where
    group = pool("a", Target("i-1", address, asked, asked, "us-east-1a", draining=False))
    prober.apply([group])

    async def told() -> bool:
        return _health(prober, group).description.endswith(f"refused; the instance listens on {said}")

    await eventually_async(told, every=0.01)
