"""Clients that stay with their target, or with their target group, by cookies as AWS gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest

from pavedroad.localcloud.wanted import Forward, Front, Stickiness
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import Balancer, Heard, front, pool, response, rule, to

_BY_BALANCER = Stickiness("lb_cookie", 100)


async def _get(
    balancer: Balancer, place: Front, cookies: Mapping[str, str] | None = None, path: str = "/"
) -> httpx.Response:
    """As a client that has these cookies and no others."""
    balancer.client.cookies.clear()
    cookie = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return await balancer.get(place, path, **({"cookie": cookie} if cookie else {}))


async def test_a_client_that_shows_its_cookie_stays_with_its_target(
    balancer: Balancer, service: Serve
) -> None:
    services = [await service(f"v{number}") for number in range(4)]
    group = replace(pool("a", *(it.target() for it in services)), stickiness=_BY_BALANCER)
    place = await balancer.serve([group], front(rule(to(group))))
    first = await _get(balancer, place)
    assert set(first.cookies) == {"AWSALB", "AWSALBCORS"}
    given = first.headers.get_list("set-cookie")
    assert "; Path=/" in given[0]
    assert "SameSite=None" in given[1]
    assert "x-pavedroad-target" not in first.headers
    for name in ("AWSALB", "AWSALBCORS"):
        for _ in range(10):
            again = await _get(balancer, place, {name: first.cookies[name]})
            assert again.text == first.text
            assert again.cookies["AWSALB"] != first.cookies["AWSALB"], "each answer brings a fresh one"
    without = {(await _get(balancer, place)).text for _ in range(20)}
    assert len(without) == 4


@pytest.mark.parametrize("cookie", ["", "x", "0" * 48, "zz" * 24, "0" * 4000])
async def test_a_cookie_that_is_none_of_ours_is_passed_over(
    balancer: Balancer, service: Serve, cookie: str
) -> None:
    group = replace(pool("a", (await service("v1")).target()), stickiness=_BY_BALANCER)
    place = await balancer.serve([group], front(rule(to(group))))
    assert (await _get(balancer, place, {"AWSALB": cookie})).text == "v1"


async def test_a_stale_cookie_is_passed_over_and_another_listeners_too(
    balancer: Balancer, service: Serve
) -> None:
    services = [await service(f"v{number}") for number in range(4)]
    group = replace(pool("a", *(it.target() for it in services)), stickiness=Stickiness("lb_cookie", -5))
    kept = replace(group, stickiness=_BY_BALANCER)
    here, there = front(rule(to(group))), front(rule(to(group)))
    await balancer.serve([group], here, there)
    stale = (await _get(balancer, here)).headers["set-cookie"].partition(";")[0].removeprefix("AWSALB=")
    assert len({(await _get(balancer, here, {"AWSALB": stale})).text for _ in range(20)}) == 4
    await balancer.serve([kept], here, there)
    foreign = (await _get(balancer, here)).cookies["AWSALB"]
    assert len({(await _get(balancer, there, {"AWSALB": foreign})).text for _ in range(20)}) == 4


async def test_the_clients_of_a_target_that_drains_or_fails_move_once(
    balancer: Balancer, service: Serve
) -> None:
    services = [await service(f"v{number}") for number in range(3)]
    group = replace(pool("a", *(it.target() for it in services)), stickiness=_BY_BALANCER)
    place = await balancer.serve([group], front(rule(to(group))))
    first = await _get(balancer, place)
    leaving = next(it for it in services if it.label == first.text)
    targets = tuple(it.target(draining=it is leaving) for it in services)
    await balancer.apply([replace(group, targets=targets)], place)
    moved = await _get(balancer, place, dict(first.cookies))
    assert moved.text != first.text
    for _ in range(5):
        assert (await _get(balancer, place, dict(moved.cookies))).text == moved.text

    failing = next(it for it in services if it.label == moved.text)

    async def broken(_: Heard) -> bytes:
        return response("broken", "500 Internal Server Error")

    failing.behave = broken
    await balancer.until(lambda statuses: any(it.state == "unhealthy" for it in statuses))
    assert (await _get(balancer, place, dict(moved.cookies))).text not in ("broken", first.text)


async def test_an_applications_cookie_makes_its_client_stay_while_it_lasts(
    balancer: Balancer, service: Serve
) -> None:
    async def login(heard: Heard) -> bytes:
        label = heard.headers["host"].partition(".")[0]
        return response(label, "200 OK", *(["Set-Cookie: session=1"] if "/login" in heard.line else []))

    services = [await service(f"v{number}", login) for number in range(4)]
    group = replace(
        pool("a", *(it.target() for it in services)), stickiness=Stickiness("app_cookie", 100, "session")
    )
    place = await balancer.serve([group], front(rule(to(group))))
    assert not (await _get(balancer, place)).cookies
    before = [len(it.heard) for it in services]
    first = await _get(balancer, place, path="/login")
    assert set(first.cookies) == {"session", "AWSALBAPP-0"}, first.headers
    for _ in range(8):
        await _get(balancer, place, dict(first.cookies))
    served = [
        sum("GET /" in heard.line and "cookie" in heard.headers for heard in it.heard[count:])
        for it, count in zip(services, before, strict=True)
    ]
    assert sorted(served) == [0, 0, 0, 8]
    del first.cookies["session"]
    for _ in range(20):
        await _get(balancer, place, dict(first.cookies))
    without = [sum("cookie" in heard.headers for heard in it.heard) for it in services]
    assert all(count > 0 for count in without), "without the application's cookie nobody stays"


async def test_a_client_stays_with_its_target_group(balancer: Balancer, service: Serve) -> None:
    a, b = pool("a", (await service("a")).target()), pool("b", (await service("b")).target())
    action = Forward({a.arn: 1, b.arn: 1}, sticky_seconds=60)
    place = await balancer.serve([a, b], front(rule(action)))
    first = await _get(balancer, place)
    for _ in range(6):
        first = await _get(balancer, place)
        assert set(first.cookies) == {"AWSALBTG", "AWSALBTGCORS"}
        again = {(await _get(balancer, place, dict(first.cookies))).text for _ in range(8)}
        assert again == {first.text}
    seen = {(await _get(balancer, place)).text for _ in range(40)}
    assert seen == {"a", "b"}
    only_b = front(rule(Forward({a.arn: 0, b.arn: 1}, sticky_seconds=60)), address=place.address)
    await balancer.serve([a, b], only_b)
    assert {(await _get(balancer, only_b, dict(first.cookies))).text for _ in range(5)} == {"b"}
