"""A new server group takes over from the old: red/black, highlander, or beside it."""

from __future__ import annotations

import asyncio

import pytest
from dbos import DBOS

from pavedroad.clouds.model import ImageSpec
from pavedroad.core.errors import Forbidden, Guarded, InvalidInput, NotFound
from pavedroad.delivery.model import DeployRequest
from tests.delivery.road import DEE, VIC, Road, manifest_of
from tests.waiting import eventually_async


async def test_the_first_deployment_makes_the_cluster_with_its_address(road: Road) -> None:
    view = await road.shipped("1.0")
    cluster = await road.delivery.cluster("hello")
    (group,) = cluster.server_groups
    assert (group.name, group.version, group.weight, group.healthy) == ("hello-v000", "1.0", 100, 2)
    assert (cluster.url, cluster.owner, cluster.reason) == (view.url, "team-road", "")
    assert view.server_group == "hello-v000"


async def test_red_black_moves_the_traffic_in_one_call_and_keeps_the_old_group_warm(road: Road) -> None:
    await road.shipped("1.0")
    road.cloud.flips.clear()
    await road.shipped("2.0")
    assert road.cloud.flips == [
        {"hello-v000": 100, "hello-v001": 0},
        {"hello-v000": 0, "hello-v001": 100},
    ]
    old = await road.delivery.server_group("hello-v000")
    assert (old.healthy, old.desired, old.enabled) == (2, 2, False)


async def test_the_story_says_what_it_waits_for_and_ends_with_the_share(road: Road) -> None:
    view = await road.shipped("1.0")
    told = [line.sentence for line in view.progress]
    assert told[0] == "Creating hello-v000."
    assert any("0 of 2 healthy: " in sentence for sentence in told)
    assert told[-1] == "hello-v000 takes 100 % of the traffic."
    assert [line.number for line in view.progress] == list(range(1, len(told) + 1))


async def test_highlander_destroys_all_the_others_after_the_flip(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.shipped("3.0", strategy={"kind": "highlander", "drain": 0})

    async def alone() -> bool:
        return await road.weights() == {"hello-v002": 100}

    await eventually_async(alone)
    await eventually_async(lambda: road.is_swept("hello-v000"))
    await eventually_async(lambda: road.is_swept("hello-v001"))


async def test_strategy_none_shares_the_traffic_by_capacity(road: Road) -> None:
    await road.shipped("1.0", capacity=3)
    await road.shipped("2.0", capacity=1, strategy="none")
    assert await road.weights() == {"hello-v000": 75, "hello-v001": 25}


async def test_the_whole_manifest_reaches_the_cloud(road: Road) -> None:
    await road.shipped(
        "1.0",
        stack="prod",
        detail="eu",
        capacity={"minimum": 1, "desired": 2, "maximum": 4},
        zones=["us-east-1b"],
        port=9000,
        health={"path": "/healthz", "interval": "3s", "timeout": "2s", "matcher": "200"},
    )
    group = await road.cloud.server_group("hello-prod-eu-v000")
    target = await road.cloud.target_group("hello-prod-eu-v000")
    assert (group.minimum, group.desired, group.maximum, group.zones) == (1, 2, 4, ("us-east-1b",))
    assert (target.port, target.health_check.path, target.health_check.matcher) == (9000, "/healthz", "200")
    assert target.health_check.interval_seconds == 3
    assert group.tags["pavedroad:cluster"] == "hello-prod-eu"
    assert group.tags["pavedroad:version"] == "1.0"


async def test_clusters_are_deployed_side_by_side(road: Road) -> None:
    views = await asyncio.gather(*(road.deploy("1.0", stack=f"s{n}") for n in range(4)))
    assert {view.phase for view in views} == {"succeeded"}
    assert len(await road.delivery.clusters()) == 4
    (application,) = await road.delivery.applications()
    assert application.clusters == tuple(f"hello-s{n}" for n in range(4))


async def test_groups_being_deleted_do_not_lend_their_names(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.destroy(DEE, "hello-v000")
    view = await road.shipped("3.0")
    assert view.server_group == "hello-v002"


async def test_an_image_that_is_not_there_is_refused_before_anything_is_made(road: Road) -> None:
    with pytest.raises(NotFound, match="ami-none"):
        await road.delivery.deploy(DEE, DeployRequest(manifest_of(), "ami-none"))
    assert await road.delivery.deployments() == []
    assert await road.cloud.balancers() == []


@pytest.mark.parametrize(
    ("tags", "whose"),
    [
        ({"pavedroad:application": "shop"}, "of the application shop"),
        ({"pavedroad:version": "1"}, "of no application"),
    ],
)
async def test_another_applications_image_is_deployed_only_where_that_is_said(
    road: Road, tags: dict[str, str], whose: str
) -> None:
    image = (await road.cloud.register_image(ImageSpec("theirs", "b/k", "", tags))).id
    why = f"The image {image} is {whose}, and the manifest is hello's"
    with pytest.raises(Guarded, match=why) as refused:
        await road.delivery.deploy(DEE, DeployRequest(manifest_of(), image))
    assert "--foreign-image" in (refused.value.next_step or "")
    assert await road.delivery.deployments() == []
    await road.shipped("1.0")
    with pytest.raises(Guarded):
        await road.delivery.redeploy(DEE, "hello", image)
    begun = await road.delivery.redeploy(DEE, "hello", image, foreign_image=True)
    assert (await road.end(begun.id)).image_id == image
    begun = await road.delivery.deploy(DEE, DeployRequest(manifest_of(), image, foreign_image=True))
    assert (await road.end(begun.id)).image_id == image
    entries = await road.audited(subject="hello")
    told = [entry.detail.get("foreign_image") for entry in entries if entry.action == "request-deploy"]
    assert told == [True, True, None, None, None]


async def test_a_manifest_that_is_wrong_is_refused_by_field(road: Road) -> None:
    with pytest.raises(InvalidInput, match="capacity"):
        await road.begin("1.0", capacity="many")


async def test_a_cluster_lives_in_one_region(road: Road) -> None:
    await road.shipped("1.0")
    with pytest.raises(Guarded, match="lives in us-east-1"):
        await road.begin("2.0", region="eu-west-1")


async def test_a_viewer_may_not_deploy_and_the_log_says_that_one_tried(road: Road) -> None:
    with pytest.raises(Forbidden):
        await road.delivery.deploy(VIC, DeployRequest(manifest_of(), await road.image("1.0")))
    (entry,) = await road.audited(principal="vic")
    assert (entry.action, entry.subject, entry.outcome) == ("request-deploy", "hello", "refused")


async def test_a_deployment_is_in_the_log_from_request_to_end(road: Road) -> None:
    view = await road.shipped("1.0")
    entries = await road.audited(subject="hello")
    assert [(e.principal, e.action, e.outcome) for e in entries] == [
        ("dee", "deploy", "done"),
        ("dee", "request-deploy", "done"),
    ]
    assert entries[0].detail["deployment"] == view.id


async def test_redeploying_uses_the_last_manifest_with_another_image(road: Road) -> None:
    await road.shipped("1.0", port=9100)
    begun = await road.delivery.redeploy(DEE, "hello", await road.image("2.0"))
    view = await road.end(begun.id)
    assert view.version == "2.0"
    assert (await road.cloud.target_group("hello-v001")).port == 9100


async def test_the_address_of_a_cluster_does_not_change_with_a_version(road: Road) -> None:
    await road.shipped("1.0")
    view = await road.deploy("2.0", listen=9080)
    assert (view.phase, view.server_group) == ("failed", "")
    assert "listens on port 80; the manifest says listen: 9080" in view.error
    assert await road.weights() == {"hello-v000": 100}


async def test_what_cannot_be_begun_does_not_keep_its_turn(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(DBOS, "start_workflow_async", _broken)
        with pytest.raises(RuntimeError):
            await road.begin("1.0")
    (view,) = await road.delivery.deployments()
    assert view.phase == "failed"
    await road.shipped("1.0")


async def _broken(*_args: object) -> None:
    raise RuntimeError("no workflows today")
