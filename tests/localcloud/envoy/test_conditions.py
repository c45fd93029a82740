"""Rules choose by what a request says, as on AWS."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.wanted import Condition, FixedResponse
from tests.localcloud.envoy.services import Balancer, front, rule

YES = FixedResponse(200, "text/plain", "yes")
NO = FixedResponse(200, "text/plain", "no")

PATH, HOST, HEADER, METHOD, QUERY, SOURCE = (
    "path-pattern",
    "host-header",
    "http-header",
    "http-request-method",
    "query-string",
    "source-ip",
)


async def _chosen(
    balancer: Balancer, conditions: list[Condition], path: str = "/", headers: dict[str, str] | None = None
) -> bool:
    place = await balancer.serve([], front(rule(YES, *conditions), rule(NO, priority=99999)))
    answer = await balancer.client.get(
        f"http://{place.address}:{place.port}{path}", headers=headers, follow_redirects=False
    )
    assert answer.status_code == 200
    return answer.text == "yes"


@pytest.mark.parametrize(
    ("pattern", "path", "chosen"),
    [
        ("/img/*", "/img/a/b.png", True),
        ("/img/*", "/IMG/a.png", False),
        ("/img/*", "/imgs/a.png", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("*.php", "/x/index.php?y=1", True),
        ("*y=1", "/index?y=1", False),
        ("/a.b", "/aXb", False),
        ("/", "/", True),
        ("/", "/?q", True),
    ],
)
async def test_a_path_pattern_sees_the_path_alone_and_its_case(
    balancer: Balancer, pattern: str, path: str, chosen: bool
) -> None:
    assert await _chosen(balancer, [Condition(PATH, (pattern,))], path) is chosen


@pytest.mark.parametrize(
    ("pattern", "host", "chosen"),
    [
        ("*.example.com", "www.EXAMPLE.com", True),
        ("*.example.com", "example.com", False),
        ("www.example.com", "www.example.com:8080", True),
        ("www.example.com", "wwwxexample.com", False),
        ("w??.example.com", "www.example.com", True),
    ],
)
async def test_a_host_pattern_ignores_case_and_port(
    balancer: Balancer, pattern: str, host: str, chosen: bool
) -> None:
    assert await _chosen(balancer, [Condition(HOST, (pattern,))], headers={"Host": host}) is chosen


@pytest.mark.parametrize(
    ("patterns", "value", "chosen"),
    [
        (("*Chrome*", "*Safari*"), "Mozilla chrome/1", True),
        (("*Chrome*", "*Safari*"), "Mozilla", False),
        (("a\\*",), "a*", True),
        (("a\\*",), "ab", False),
    ],
)
async def test_a_header_pattern_ignores_case(
    balancer: Balancer, patterns: tuple[str, ...], value: str, chosen: bool
) -> None:
    condition = Condition(HEADER, patterns, name="X-Browser")
    assert await _chosen(balancer, [condition], headers={"x-browser": value}) is chosen


async def test_a_missing_header_does_not_match_even_any_pattern(balancer: Balancer) -> None:
    assert not await _chosen(balancer, [Condition(HEADER, ("*",), name="X-Absent")])


async def test_a_method_is_one_of_those_named(balancer: Balancer) -> None:
    place = await balancer.serve(
        [], front(rule(YES, Condition(METHOD, ("POST", "PURGE"))), rule(NO, priority=2))
    )
    for method, expected in {"POST": "yes", "PURGE": "yes", "GET": "no", "PUT": "no"}.items():
        answer = await balancer.client.request(method, f"http://{place.address}:{place.port}/")
        assert answer.text == expected, method


@pytest.mark.parametrize(
    ("pattern", "query", "chosen"),
    [
        ("version=v1", "?version=v1", True),
        ("version=v1", "?a=b&VERSION=V1&c=d", True),
        ("version=v1", "?version=v12", False),
        ("version=v1", "?oldversion=v1", False),
        ("version=v*", "?version=v2", True),
        ("version=v*", "?version=x&y=v", False),
        ("*beta*", "?anything=a-beta-b", True),
        ("*beta*", "?beta=1", False),
        ("version=v1", "", False),
    ],
)
async def test_a_query_pattern_sees_whole_pairs(
    balancer: Balancer, pattern: str, query: str, chosen: bool
) -> None:
    assert await _chosen(balancer, [Condition(QUERY, (pattern,))], f"/p{query}") is chosen


async def test_a_source_is_the_connections_own_address_whatever_headers_say(balancer: Balancer) -> None:
    faked = {"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3", "X-Envoy-External-Address": "10.1.2.3"}
    assert await _chosen(balancer, [Condition(SOURCE, ("10.0.0.0/8", "127.0.0.0/8"))])
    assert not await _chosen(balancer, [Condition(SOURCE, ("10.0.0.0/8",))], headers=faked)
    assert not await _chosen(balancer, [Condition(SOURCE, ("127.0.0.2/32", "2001:db8::/32"))])


async def test_all_conditions_of_a_rule_must_hold(balancer: Balancer) -> None:
    both = [Condition(PATH, ("/a/*",)), Condition(HEADER, ("1",), name="x-one"), Condition(QUERY, ("q=1",))]
    assert await _chosen(balancer, both, "/a/b?q=1", {"X-One": "1"})
    assert not await _chosen(balancer, both, "/a/b?q=1", {"X-One": "2"})
    assert not await _chosen(balancer, both, "/a/b", {"X-One": "1"})


async def test_rules_are_asked_by_priority_whatever_their_order(balancer: Balancer) -> None:
    def say(text: str) -> FixedResponse:
        return FixedResponse(200, "text/plain", text)

    place = await balancer.serve(
        [],
        front(
            rule(say("default"), priority=0),
            rule(say("second"), Condition(PATH, ("/*",)), priority=20),
            rule(say("first"), Condition(PATH, ("/a*",)), priority=3),
        ),
    )
    assert (await balancer.get(place, "/a")).text == "first"
    assert (await balancer.get(place, "/b")).text == "second"


async def test_the_longest_patterns_that_aws_allows_are_taken(balancer: Balancer) -> None:
    patterns = tuple(f"/{letter * 100}*?*?*" for letter in "abcde")
    assert await _chosen(balancer, [Condition(PATH, patterns)], "/" + "c" * 120)


async def test_a_rule_that_is_not_understood_takes_no_request(balancer: Balancer) -> None:
    assert not await _chosen(balancer, [Condition("phase-of-the-moon", ("full",))])
