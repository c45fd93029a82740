"""Pruning: what nothing names goes, and what something names stays, with all that it is made of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pavedroad.access.audit import Audit
from pavedroad.access.model import AuditQuery, Principal, Role
from pavedroad.access.service import Access
from pavedroad.bakery.model import BakeResult
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.memory import MemoryCloud, MemoryClouds
from pavedroad.clouds.model import ImageSpec
from pavedroad.core.clock import SystemClock
from pavedroad.core.errors import CloudFailed, Conflict, Forbidden, InvalidInput
from pavedroad.core.places import Places
from tests.bakery.kitchen import WHO, Kitchen, write
from tests.clouds.contract import MINE, a_group, a_target_group

MANIFEST = """
    application: {application}
    owner: team-road
    command: ./serve
"""


class Pantry:
    """Bakes that are quick, and what is stored of them."""

    def __init__(self, kitchen: Kitchen, folder: Path) -> None:
        self.kitchen = kitchen
        self.cloud: MemoryCloud = kitchen.cloud
        self.pruning = kitchen.bakery.pruning
        self.wanted: set[str] = set()
        self._folder = folder

    async def bake(self, text: str, application: str = "site") -> BakeResult:
        files = {"paved.yaml": MANIFEST.format(application=application), "serve": text}
        return await self.kitchen.bake(write(self._folder / application, files))

    async def keys(self) -> set[str]:
        return {one.key for prefix in ("images/", "layers/") for one in await self.cloud.objects(prefix)}

    async def parts(self, result: BakeResult) -> set[str]:
        """What an image is made of."""
        manifest = await self.kitchen.image_manifest(result)
        name = (await self.cloud.image(result.image_id)).name
        return {f"images/{name}.json", *(layer["key"] for layer in manifest["layers"])}

    async def ids(self) -> set[str]:
        return {image.id for image in await self.cloud.images()}


@pytest.fixture
def pantry(places: Places, access: Access, tmp_path: Path) -> Pantry:
    clouds, wanted = MemoryClouds(), set[str]()

    async def about_to_be_used() -> set[str]:
        return wanted

    bakery = Bakery(clouds, places, SystemClock(), access, wanted_images=about_to_be_used)
    made = Pantry(Kitchen(bakery, clouds.region("us-east-1"), tmp_path), tmp_path)
    made.wanted = wanted
    return made


async def test_a_plan_says_what_would_go_and_takes_nothing(pantry: Pantry) -> None:
    old, *newer = [await pantry.bake(str(number)) for number in range(3)]
    other = await pantry.bake("x", "other")
    before, size = await pantry.keys(), sum(one.size for one in await pantry.cloud.objects(""))
    plan = await pantry.pruning.plan(keep=2)
    assert ([image.id for image in plan.images], plan.done) == ([old.image_id], False)
    assert (plan.objects, plan.kept, plan.reason) == (2, {"among the newest": 3}, "")
    assert 0 < plan.bytes < size
    assert await pantry.ids() == {old.image_id, other.image_id, *(image.image_id for image in newer)}
    assert await pantry.keys() == before


async def test_pruning_leaves_the_newest_of_each_application_whole(pantry: Pantry, audit: Audit) -> None:
    bakes = [await pantry.bake(str(number)) for number in range(4)]
    other = await pantry.bake("x", "other")
    gone = [await pantry.parts(bake) for bake in bakes[:2]]
    stay = set[str]().union(*[await pantry.parts(bake) for bake in [*bakes[2:], other]])
    done = await pantry.pruning.prune(WHO, keep=2)
    assert {image.id for image in done.images} == {bake.image_id for bake in bakes[:2]}
    assert done.objects == len(gone[0] | gone[1])
    assert await pantry.keys() == stay
    assert await pantry.ids() == {bakes[2].image_id, bakes[3].image_id, other.image_id}
    entry, begun = await audit.entries(AuditQuery(action="prune-images"))
    assert begun.outcome == "begun"
    assert (entry.principal, entry.outcome, entry.detail["objects"]) == ("ada", "done", 4)
    again = await pantry.bake("0")
    assert not again.reused
    assert await pantry.parts(again) <= await pantry.keys()


async def test_a_layer_that_a_staying_image_shares_stays(pantry: Pantry) -> None:
    first = await pantry.bake("same")
    layers = {key for key in await pantry.parts(first) if key.startswith("layers/")}
    files = {"paved.yaml": MANIFEST.format(application="site") + "    port: 9000\n", "serve": "same"}
    second = await pantry.kitchen.bake(write(pantry.kitchen.home / "again", files))
    assert layers <= await pantry.parts(second)
    await pantry.pruning.prune(WHO, keep=1)
    assert await pantry.keys() == await pantry.parts(second)


async def test_what_a_group_an_instance_or_a_deployment_has_stays(pantry: Pantry) -> None:
    grouped, wanted, leftover, _ = [await pantry.bake(str(number)) for number in range(4)]
    cloud = pantry.cloud
    spec = a_group(await cloud.image(grouped.image_id), await a_target_group(cloud))
    await cloud.create_server_group(spec)
    pantry.wanted.add(wanted.image_id)
    stay = await pantry.parts(grouped) | await pantry.parts(wanted)
    done = await pantry.pruning.prune(WHO, keep=0)
    assert leftover.image_id in {image.id for image in done.images}
    assert done.kept == {"in use": 2}
    assert await pantry.ids() == {grouped.image_id, wanted.image_id}
    assert await pantry.keys() == stay
    with pytest.raises(Conflict, match="is used by an instance, a template or a deployment"):
        await pantry.kitchen.bakery.forget(WHO, wanted.image_id)
    pantry.wanted.clear()
    await cloud.delete_server_group(spec.name, known_by=MINE)
    while await cloud.server_groups():
        pass
    await pantry.pruning.prune(WHO, keep=0)
    assert (await pantry.ids(), await pantry.keys()) == (set(), set())


async def test_strangers_images_and_copies_keep_what_they_are_made_of(pantry: Pantry) -> None:
    result = await pantry.bake("one")
    parts = await pantry.parts(result)
    image = await pantry.cloud.image(result.image_id)
    spec = ImageSpec("a copy of it", image.location, "", {"whose": "theirs"})
    copy = await pantry.cloud.register_image(spec)
    done = await pantry.pruning.prune(WHO, keep=0)
    assert [image.id for image in done.images] == [result.image_id]
    assert (await pantry.ids(), await pantry.keys()) == ({copy.id}, parts)


async def test_what_comes_into_use_meanwhile_stays(pantry: Pantry) -> None:
    bakes = [await pantry.bake(str(number)) for number in range(12)]
    deregister = pantry.cloud.deregister_image

    async def and_someone_deploys(image_id: str) -> None:
        await deregister(image_id)
        pantry.wanted.add(bakes[0].image_id)

    pantry.cloud.deregister_image = and_someone_deploys
    done = await pantry.pruning.prune(WHO, keep=0)
    assert len(done.images) == 11
    assert await pantry.ids() == {bakes[0].image_id}
    assert await pantry.keys() == await pantry.parts(bakes[0])


async def test_what_a_bake_under_way_relies_on_stays(pantry: Pantry) -> None:
    """It finds the layer of an image that goes just then, and is registered after that."""
    old = await pantry.bake("same")
    register, reached, go = pantry.cloud.register_image, asyncio.Event(), asyncio.Event()

    async def when_told(spec: ImageSpec) -> Any:
        reached.set()
        await go.wait()
        return await register(spec)

    pantry.cloud.register_image = when_told
    files = {"paved.yaml": MANIFEST.format(application="site") + "    port: 9000\n", "serve": "same"}
    bake = asyncio.create_task(pantry.kitchen.bake(write(pantry.kitchen.home / "again", files)))
    await reached.wait()
    done = await pantry.pruning.prune(WHO, keep=0)
    assert [image.id for image in done.images] == [old.image_id]
    go.set()
    result = await bake
    assert await pantry.keys() == await pantry.parts(result)


async def test_layers_stay_where_it_is_not_known_what_an_image_is_made_of(pantry: Pantry) -> None:
    old, new = await pantry.bake("old"), await pantry.bake("new")
    layers = {key for key in await pantry.parts(old) | await pantry.parts(new) if key.startswith("layers/")}
    image = await pantry.cloud.image(new.image_id)
    await pantry.cloud.put_object(f"images/{image.name}.json", b"{")
    done = await pantry.pruning.prune(WHO, keep=1)
    assert [gone.id for gone in done.images] == [old.image_id]
    assert "No layer goes, since what an image is made of cannot be read" in done.reason
    assert layers <= await pantry.keys()


@pytest.mark.parametrize("operation", ["objects", "server_groups", "images_in_use", "images"])
async def test_nothing_goes_where_the_cloud_does_not_say_what_is_used(pantry: Pantry, operation: str) -> None:
    await pantry.bake("one")
    before = await pantry.keys()
    pantry.cloud.refuse(operation, CloudFailed("not now"))
    with pytest.raises(CloudFailed, match="not now"):
        await pantry.pruning.prune(WHO, keep=0)
    assert len(await pantry.ids()) == 1
    assert await pantry.keys() == before


@pytest.mark.parametrize("keep", [-1, 1001])
async def test_a_number_that_makes_no_sense_is_refused(pantry: Pantry, keep: int) -> None:
    with pytest.raises(InvalidInput, match="can be kept"):
        await pantry.pruning.plan(keep=keep)


async def test_records_and_trees_of_layers_go_with_them(pantry: Pantry, places: Places) -> None:
    files = {
        "paved.yaml": MANIFEST.format(application="api")
        + "    build: {kind: python, packages: [six==1.17.0]}\n",
        "serve": "",
    }
    folder = write(pantry.kitchen.home / "api", files)
    first = await pantry.kitchen.bake(folder)
    assert len([key for key in await pantry.keys() if key.startswith("layers/by-key/")]) == 1
    assert len(list((places.builds / "trees").iterdir())) == 1
    await pantry.pruning.prune(WHO, keep=1)
    assert len(await pantry.keys()) == 4
    await pantry.pruning.prune(WHO, keep=0)
    assert await pantry.keys() == set()
    assert list((places.builds / "trees").iterdir()) == []
    again = await pantry.kitchen.bake(folder)
    made = await pantry.kitchen.image_manifest(again)
    assert (again.image_id != first.image_id, len(made["layers"])) == (True, 2)


async def test_the_service_itself_refuses_who_may_only_look(pantry: Pantry, audit: Audit) -> None:
    looker = Principal("vera", frozenset({Role.VIEWER}))
    bakery, made = pantry.kitchen.bakery, await pantry.bake("1")
    refused = [
        bakery.pruning.prune(looker, keep=0),
        bakery.cancel(looker, "any"),
        bakery.forget(looker, made.image_id),
    ]
    for it in refused:
        with pytest.raises(Forbidden, match="vera may not"):
            await it
    assert await pantry.ids() == {made.image_id}
    entries = await audit.entries(AuditQuery(principal="vera"))
    assert [entry.outcome for entry in entries] == ["refused"] * 3
