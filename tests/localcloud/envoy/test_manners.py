"""What targets and clients get to see: headers, hosts, URLs, as a balancer's attributes and rules say."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from pavedroad.localcloud.wanted import Condition, FixedResponse, Front, Manners, Rule, Transform
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import Balancer, Heard, Service, front, pool, response, rule, to

_TRACE = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}")


async def _with(balancer: Balancer, service: Serve, manners: Manners) -> tuple[Service, Front]:
    target = await service("v1")
    group = pool("a", target.target())
    place = replace(front(rule(to(group))), manners=manners)
    return target, await balancer.serve([group], place)


def _last(target: Service) -> Heard:
    return [it for it in target.heard if "elb-healthchecker" not in it.headers.get("user-agent", "").lower()][
        -1
    ]


async def test_every_request_has_a_trace_and_those_that_came_with_one_keep_it(
    balancer: Balancer, service: Serve
) -> None:
    target, place = await _with(balancer, service, Manners())
    seen: set[str] = set()
    for _ in range(5):
        await balancer.get(place)
        trace = _last(target).headers["x-amzn-trace-id"]
        assert _TRACE.fullmatch(trace)
        seen.add(trace)
    assert len(seen) == 5
    await balancer.get(place, x_amzn_trace_id="Root=1-67891233-abcdef012345678912345678;k=v")
    trace = _last(target).headers["x-amzn-trace-id"]
    assert re.fullmatch(
        r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678;k=v", trace
    )


@pytest.mark.parametrize(
    ("manners", "given", "expected"),
    [
        (Manners(), "1.2.3.4", r"1\.2\.3\.4, ?127\.0\.0\.1"),
        (Manners(forwarded_for_port=True), "", r"127\.0\.0\.1:\d+"),
        (Manners(forwarded_for="preserve"), "1.2.3.4", r"1\.2\.3\.4"),
        (Manners(forwarded_for="remove"), "1.2.3.4", r""),
    ],
    ids=["append", "append with port", "preserve", "remove"],
)
async def test_who_a_request_is_forwarded_for_is_said_as_asked(
    balancer: Balancer, service: Serve, manners: Manners, given: str, expected: str
) -> None:
    target, place = await _with(balancer, service, manners)
    await balancer.get(place, **({"x_forwarded_for": given} if given else {}))
    assert re.fullmatch(expected, _last(target).headers.get("x-forwarded-for", ""))
    assert _last(target).headers["x-forwarded-proto"] == "http"
    assert _last(target).headers["x-forwarded-port"] == str(place.port)


@pytest.mark.parametrize("preserve", [False, True])
async def test_a_host_without_the_port_gets_it_unless_it_is_to_be_preserved(
    balancer: Balancer, service: Serve, preserve: bool
) -> None:
    target, place = await _with(balancer, service, Manners(preserve_host=preserve))
    await balancer.get(place, host="example.com")
    assert _last(target).headers["host"] == ("example.com" if preserve else f"example.com:{place.port}")


@pytest.mark.parametrize("drop", [False, True])
async def test_header_fields_that_are_not_valid_are_dropped_where_that_is_asked(
    balancer: Balancer, service: Serve, drop: bool
) -> None:
    target, place = await _with(balancer, service, Manners(drop_invalid_headers=drop))
    reader, writer = await asyncio.open_connection(place.address, place.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nX_Odd: 1\r\nX.Dot: 1\r\nX-Fine: 1\r\nConnection: close\r\n\r\n"
    )
    assert b"200 OK" in await reader.read()
    writer.close()
    heard = _last(target).headers
    assert ("x_odd" in heard, "x.dot" in heard, "x-fine" in heard) == (not drop, not drop, True)


async def test_answers_carry_the_headers_of_the_listener(balancer: Balancer, service: Serve) -> None:
    async def announce(_: Heard) -> bytes:
        return response("v1", "200 OK", "Server: mine")

    target = await service("v1", announce)
    group = pool("a", target.target())
    manners = Manners(server_header=False, response_headers={"strict-transport-security": "max-age=9"})
    fixed = rule(FixedResponse(200, "text/plain", "x"), Condition("path-pattern", ("/fixed",)))
    place = replace(front(fixed, rule(to(group), priority=2)), manners=manners)
    await balancer.serve([group], place)
    for path in ("/", "/fixed"):
        answer = await balancer.get(place, path)
        assert answer.headers["strict-transport-security"] == "max-age=9"
        assert "server" not in answer.headers


async def test_transforms_change_what_the_target_is_asked_for(balancer: Balancer, service: Serve) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    transforms = (
        Transform("host", r"^(.*)\.example\.com$", "$1.internal"),
        Transform("url", r"^/api/(.*)\?id=(\d+)$", "/v2/$2/$1?was=api"),
    )
    place = replace(front(Rule(1, (), to(group), transforms)), manners=Manners(preserve_host=True))
    await balancer.serve([group], place)
    await balancer.get(place, "/api/users?id=7", host="shop.example.com")
    heard = _last(target)
    assert heard.line == "GET /v2/7/users?was=api HTTP/1.1"
    assert heard.headers["host"] == "shop.internal"
    await balancer.get(place, "/else", host="other.test")
    assert (_last(target).line, _last(target).headers["host"]) == ("GET /else HTTP/1.1", "other.test")


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        (Condition("path-pattern", (), "", ("^/api/v[0-9]+$",)), ("/api/v12?x", "h"), ("/api/vx", "h")),
        (Condition("path-pattern", (), "", ("img",)), ("/a/img/b", "h"), ("/a?img", "h")),
        (
            Condition("host-header", (), "", (r"^www\.[a-z]+\.com$",)),
            ("/", "WWW.abc.com"),
            ("/", "www.a1.com"),
        ),
        (Condition("http-header", (), "x-kind", ("^(a|b)$",)), ("/", "h"), ("/", "other")),
    ],
)
async def test_conditions_may_be_regular_expressions(
    balancer: Balancer, condition: Condition, yes: tuple[str, str], no: tuple[str, str]
) -> None:
    matched, other = FixedResponse(200, "text/plain", "yes"), FixedResponse(200, "text/plain", "no")
    place = await balancer.serve([], front(rule(matched, condition), rule(other, priority=2)))
    for (path, host), expected in ((yes, "yes"), (no, "no")):
        headers = {"host": host, **({"x_kind": "b"} if host == "h" else {})}
        assert (await balancer.get(place, path, **headers)).text == expected
