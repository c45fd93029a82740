"""A node in each zone, cross-zone on and off, and what becomes of a zone without healthy targets."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from pavedroad.localcloud.wanted import Front, Least, Node, Pool
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import Balancer, fresh_address, front, pool, rule, to

_ZONES = ("us-east-1a", "us-east-1b")


def _front(group: Pool) -> Front:
    nodes = tuple(Node(zone, fresh_address()) for zone in _ZONES)
    return replace(front(rule(to(group))), nodes=nodes)


async def _labels(balancer: Balancer, place: Front, address: str, requests: int = 24) -> dict[str, int]:
    return await balancer.labels(replace(place, address=address), requests)


async def _zonal(service: Serve, *, cross_zone: bool) -> Pool:
    """One target in the first zone, three in the second."""
    targets = [
        replace((await service(f"{zone[-1]}{number}")).target(), zone=zone)
        for zone, count in zip(_ZONES, (1, 3), strict=True)
        for number in range(count)
    ]
    return replace(pool("z", *targets), cross_zone=cross_zone)


async def test_every_node_sends_to_every_zone_while_cross_zone_is_on(
    balancer: Balancer, service: Serve
) -> None:
    place = await balancer.serve([group := await _zonal(service, cross_zone=True)], _front(group))
    for address in (place.address, *(node.address for node in place.nodes)):
        assert set(await _labels(balancer, place, address)) == {"a0", "b0", "b1", "b2"}


async def test_a_node_keeps_to_its_zone_while_cross_zone_is_off(balancer: Balancer, service: Serve) -> None:
    place = await balancer.serve([group := await _zonal(service, cross_zone=False)], _front(group))
    first, second = place.nodes
    assert set(await _labels(balancer, place, first.address)) == {"a0"}
    assert set(await _labels(balancer, place, second.address)) == {"b0", "b1", "b2"}
    counts = await _labels(balancer, place, place.address, 200)
    assert 70 < counts["a0"] < 130, "the balancer's own address shares evenly among zones, not targets"


async def test_cross_zone_changes_while_it_serves(balancer: Balancer, service: Serve) -> None:
    place = await balancer.serve([group := await _zonal(service, cross_zone=True)], _front(group))
    node = place.nodes[0].address
    for cross_zone in (False, True):
        await balancer.apply([replace(group, cross_zone=cross_zone)], place)
        expected = {"a0", "b0", "b1", "b2"} if cross_zone else {"a0"}
        assert set(await _labels(balancer, place, node)) == expected


async def test_a_zone_that_goes_takes_its_node_along_and_the_others_serve_on(
    balancer: Balancer, service: Serve
) -> None:
    place = await balancer.serve([group := await _zonal(service, cross_zone=False)], _front(group))
    gone, stays = place.nodes
    left = replace(group, targets=tuple(it for it in group.targets if it.zone == stays.zone))
    await balancer.apply([left], replace(place, nodes=(stays,)))
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{gone.address}:{place.port}/")
    for address in (place.address, stays.address):
        assert set(await _labels(balancer, place, address)) == {"b0", "b1", "b2"}


async def test_a_zone_with_too_few_healthy_targets_is_left_out_by_the_balancers_own_address(
    balancer: Balancer, service: Serve
) -> None:
    group = replace(await _zonal(service, cross_zone=False), fail_over=Least(2))
    place = await balancer.serve([group], _front(group))
    assert set(await _labels(balancer, place, place.address)) == {"b0", "b1", "b2"}
    assert set(await _labels(balancer, place, place.nodes[0].address, 4)) == {"a0"}
    await balancer.apply([replace(group, fail_over=Least(9))], place)
    assert "a0" in await _labels(balancer, place, place.address, 40), "no zone has enough: all are used"
