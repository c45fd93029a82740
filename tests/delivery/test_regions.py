"""A region that does not answer, or a group that is tagged badly, is told of, and stops nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from pavedroad.clouds.aws.cloud import AwsCloud, AwsClouds
from pavedroad.clouds.memory import MemoryClouds
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import SystemClock
from pavedroad.core.errors import CloudFailed, Guarded, InvalidInput, NotFound, Unavailable
from pavedroad.delivery.model import DeployRequest, RegionView
from pavedroad.delivery.regions import Regions
from tests.clouds.contract import a_group, a_target_group
from tests.delivery.road import DEE, REGIONS, Road, WatchedClouds, manifest_of, open_road

_HERE, _SICK = REGIONS


def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="any", aws_secret_access_key="thing")


@pytest.fixture
def mute() -> Iterator[str]:
    """The URL of a socket that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class OneRegionMute(WatchedClouds):
    """While `is_mute`, the second region's calls go to a socket that never answers."""

    def __init__(self, there: AwsClouds) -> None:
        super().__init__()
        self.is_mute = False
        self._there = there

    def region(self, name: str) -> Any:
        return self._there.region(name) if self.is_mute and name == _SICK else super().region(name)


@pytest.fixture
async def clouds(mute: str) -> AsyncIterator[OneRegionMute]:
    there = AwsClouds(endpoint_url=mute, session=_session())
    yield OneRegionMute(there)
    there.close()


@pytest.fixture
async def road(tmp_path: Path, clouds: OneRegionMute) -> AsyncIterator[Road]:
    async with open_road(tmp_path, clouds=clouds, patience=1.0) as opened:
        yield opened


async def _with_clusters_in_both(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("1.0", application="far", region=_SICK)
    assert [view.reason for view in await road.delivery.clusters()] == ["", ""]


async def test_a_region_that_accepts_and_never_answers_stops_nothing_in_the_others(
    road: Road, clouds: OneRegionMute
) -> None:
    await _with_clusters_in_both(road)
    clouds.is_mute = True
    await road.shipped("2.0")
    assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v000"
    await road.shipped("1.0", application="fresh")
    far, fresh, hello = await road.delivery.clusters()
    assert (fresh.reason, hello.reason) == ("", "")
    assert far.reason.startswith(f"Not known: {_SICK} has not answered since ")
    assert far.reason.endswith(f"The region {_SICK} did not answer within 1 s.")
    assert far.as_of is not None
    assert hello.as_of is not None
    assert far.as_of < hello.as_of
    (group,) = far.server_groups
    assert (group.healthy, group.unknown, group.reason) == (0, 2, far.reason)
    assert {instance.health for instance in group.instances} == {"unavailable"}
    assert (await road.delivery.cluster("far")).reason == far.reason
    here, sick = road.delivery.regions()
    assert here == RegionView(_HERE, True, "", None)
    assert (sick.answers, sick.reason) == (False, f"The region {_SICK} did not answer within 1 s.")
    assert [view.clusters for view in await road.delivery.applications()] == [
        ("far",),
        ("fresh",),
        ("hello",),
    ]


async def test_what_lives_in_a_region_that_does_not_answer_is_not_called_gone(
    road: Road, clouds: OneRegionMute
) -> None:
    await _with_clusters_in_both(road)
    clouds.is_mute = True
    with pytest.raises(Unavailable, match=f"The region {_SICK} did not answer"):
        await road.delivery.rollback(DEE, "far")
    with pytest.raises(Unavailable, match=f"nowhere is in no region that answers, and {_SICK} does not"):
        await road.delivery.cluster("nowhere")
    with pytest.raises(Unavailable, match=f"i-0 is in no region that answers, and {_SICK} does not"):
        await road.delivery.console("i-0")
    with pytest.raises(Unavailable, match=f"far was last deployed to {_SICK}, which does not answer"):
        await road.begin("2.0", application="far")
    with pytest.raises(Unavailable, match=f"The region {_SICK} did not answer"):
        await road.delivery.deploy(DEE, DeployRequest(manifest_of(region=_SICK), "ami-0"))


async def test_a_region_that_answers_again_is_shown_as_it_is(road: Road, clouds: OneRegionMute) -> None:
    await _with_clusters_in_both(road)
    clouds.is_mute = True
    assert (await road.delivery.clusters())[0].reason
    clouds.is_mute = False
    assert [view.reason for view in await road.delivery.clusters()] == ["", ""]
    assert all(view.answers for view in road.delivery.regions())
    with pytest.raises(Guarded, match=f"far lives in {_SICK}"):
        await road.begin("2.0", application="far")


async def test_while_a_region_is_silent_it_is_asked_by_one_look_at_a_time(
    road: Road, clouds: OneRegionMute
) -> None:
    await _with_clusters_in_both(road)
    clouds.is_mute = True
    await road.delivery.clusters()
    views = await asyncio.gather(*(road.delivery.clusters() for _ in range(30)))
    assert {view[0].reason for view in views} == {views[0][0].reason}


async def test_a_region_that_refuses_is_quoted(road: Road, clouds: OneRegionMute) -> None:
    await _with_clusters_in_both(road)
    clouds.region(_SICK).refuse("server_groups", CloudFailed("The region is down."), times=1)
    far, hello = await road.delivery.clusters()
    assert (hello.reason, far.reason.endswith("The region is down.")) == ("", True)


async def test_one_cluster_that_cannot_be_read_is_a_row_with_its_reason(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("1.0", application="other")
    (target, *_) = (await road.cloud.balancer("hello")).listeners[0].weights
    reading = road.cloud.target_health

    async def broken(target_group_id: str) -> Any:
        if target_group_id == target:
            raise CloudFailed("This one is broken.")
        return await reading(target_group_id)

    road.cloud.target_health = broken  # type: ignore[method-assign]
    hello, other = await road.delivery.clusters()
    assert (other.reason, hello.reason) == ("", "This one is broken.")


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("odd", {"pavedroad:cluster": "hello"}),
        ("other-v001", {"pavedroad:cluster": "hello"}),
        ("hello-v1", {"pavedroad:cluster": "hello"}),
        ("odd-v000", {"pavedroad:cluster": "!!! no ~ name /"}),
        ("odd-v001", {"pavedroad:cluster": ""}),
        (
            "odd-v002",
            {"pavedroad:application": "", "pavedroad:server-group": "x"},
        ),
        ("odd-v003", {"pavedroad:cluster": "x-v001"}),
    ],
)
async def test_a_badly_tagged_group_breaks_no_overview_and_no_deployment(
    road: Road, name: str, tags: dict[str, str]
) -> None:
    await road.shipped("1.0")
    image = await road.cloud.image(await road.image("odd"))
    spec = a_group(image, await a_target_group(road.cloud), size=1)
    await road.cloud.create_server_group(replace(spec, name=name, tags=tags))
    view = next(view for view in await road.delivery.clusters() if view.name == "hello")
    odd = tags.get("pavedroad:cluster") == "hello"
    told = f"{name}: tagged as its server group, but not named as one; left out."
    assert (view.reason, [group.name for group in view.server_groups]) == (
        told if odd else "",
        ["hello-v000"],
    )
    await road.delivery.applications()
    await road.shipped("2.0")
    await road.delivery.rollback(DEE, "hello")
    await road.delivery.destroy_cluster(DEE, "hello")
    assert not (await road.cloud.server_group(name)).deleting


def test_only_regions_that_there_are_have_clients(mute: str) -> None:
    private = AwsClouds(endpoint_url=mute, session=_session(), regions=REGIONS)
    aws = AwsClouds(session=_session())
    for clouds, known in ((private, REGIONS), (aws, ("eu-central-1", "us-gov-west-1")), (MemoryClouds(), ())):
        for name in ("anything", "", "us-east-1a", "x" * 10_000, "../us-east-1"):
            with pytest.raises(InvalidInput, match="There is no region") as refusal:
                clouds.region(name)
            assert "us-east-1" in (refusal.value.next_step or "")
            assert len(refusal.value.sentence) < 200
        for name in known:
            assert isinstance(clouds.region(name), AwsCloud)
    private.close()
    aws.close()


async def test_what_is_nowhere_is_not_found_when_all_regions_answer(road: Road) -> None:
    with pytest.raises(NotFound, match="no cluster 'nowhere'"):
        await road.delivery.cluster("nowhere")


async def test_a_region_whose_answer_makes_no_sense_stops_nothing_in_the_others() -> None:
    regions = Regions(MemoryClouds(), REGIONS, SystemClock())

    async def work(cloud: Cloud) -> str:
        if cloud.region == _SICK:
            raise KeyError("what the cloud never says")
        return cloud.region

    answers, silent = await regions.all(work)
    assert answers == [_HERE]
    assert [view.name for view in silent] == [_SICK]
    assert "KeyError" in silent[0].reason
    assert await regions.silence(_SICK) is None
