"""What every cloud promises, asked of whichever cloud the `cloud` fixture gives."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import zstandard

from pavedroad.clouds.model import (
    HealthCheck,
    Image,
    ImageSpec,
    ServerGroupSpec,
    StoredObject,
    TargetGroup,
    TargetGroupSpec,
)
from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import CloudFailed, Conflict, NotFound
from tests.waiting import eventually_async

_SERVE = """#!/bin/sh
echo serving on "$HOST"
exec python3 -m http.server "$PORT" --bind "$HOST"
"""


MINE = {"work": "contract"}
"""What all that is made here is known by."""


def unique(prefix: str) -> str:
    return f"{prefix}{uuid4().hex[:8]}"


async def a_service_image(cloud: Cloud, **tags: str) -> Image:
    """An image whose instances serve their folder over HTTP on port 8080."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as layer:
        entry = tarfile.TarInfo("serve")
        entry.size, entry.mode = len(_SERVE), 0o755
        layer.addfile(entry, io.BytesIO(_SERVE.encode()))
    packed = zstandard.compress(body.getvalue())
    digest = hashlib.sha256(packed).hexdigest()
    key = f"layers/{digest}.tar.zst"
    await cloud.put_object(key, packed)
    manifest = {
        "schema": 1,
        "command": "./serve",
        "environment": {"PORT": "8080"},
        "stop_seconds": 2,
        "port": 8080,
        "layers": [
            {"digest": f"sha256:{digest}", "path": ".", "shared": False, "key": key, "size": len(packed)}
        ],
    }
    name = unique("service-")
    location = await cloud.put_object(f"images/{name}.json", json.dumps(manifest).encode())
    return await cloud.register_image(ImageSpec(name, location, "a service for the contract", {**tags}))


async def a_target_group(cloud: Cloud, **tags: str) -> TargetGroup:
    check = HealthCheck(
        "/", interval_seconds=5, timeout_seconds=2, healthy_threshold=2, unhealthy_threshold=2
    )
    spec = TargetGroupSpec(unique("targets-"), 8080, check, 1, {**MINE, **tags}, MINE)
    return await cloud.ensure_target_group(spec)


def a_group(image: Image, targets: TargetGroup, *, size: int = 2, **tags: str) -> ServerGroupSpec:
    return ServerGroupSpec(
        name=f"{unique('app')}-v000",
        image_id=image.id,
        instance_type="t3.micro",
        zones=(),
        minimum=0,
        maximum=4,
        desired=size,
        target_group_ids=(targets.id,),
        health_grace_seconds=30,
        user_data="",
        tags={**MINE, **tags},
        known_by=MINE,
    )


async def _has_members(cloud: Cloud, group: str) -> bool:
    return bool((await cloud.server_group(group)).members)


class CloudContract:
    """Inherit, and give a `cloud` fixture."""

    async def test_it_says_where_it_is(self, cloud: Cloud) -> None:
        assert await cloud.reachable()
        assert cloud.region == "us-east-1"
        assert len(cloud.account) == 12
        assert await cloud.zones() == ["us-east-1a", "us-east-1b", "us-east-1c"]

    async def test_an_object_is_kept_until_it_is_deleted(self, cloud: Cloud, tmp_path: Path) -> None:
        key = f"contract/{unique('')}"
        location = await cloud.put_object(key, b"first")
        assert location.endswith(f"/{key}")
        assert await cloud.objects(key)
        (tmp_path / "second").write_bytes(b"second")
        assert await cloud.put_file(key, tmp_path / "second") == location
        assert await cloud.get_object(key) == b"second"
        await cloud.get_file(key, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_bytes() == b"second"
        assert await cloud.objects(key) == [StoredObject(key, 6)]
        await cloud.delete_object(key)
        await cloud.delete_object(key)
        assert not await cloud.objects(key)
        assert await cloud.objects(key) == []
        with pytest.raises(NotFound):
            await cloud.get_object(key)
        with pytest.raises(NotFound):
            await cloud.get_file(key, tmp_path / "fetched")

    async def test_an_image_is_found_by_its_tags_newest_first(self, cloud: Cloud) -> None:
        mark = unique("")
        old = await a_service_image(cloud, mark=mark, turn="old")
        new = await a_service_image(cloud, mark=mark, turn="new")
        assert {image.id for image in await cloud.images({"mark": mark})} == {old.id, new.id}
        assert [image.id for image in await cloud.images({"mark": mark, "turn": "old"})] == [old.id]
        assert await cloud.images({"mark": unique("")}) == []
        seen = await cloud.image(new.id)
        assert (seen.name, seen.state, seen.tags["turn"]) == (new.name, "available", "new")
        assert seen.location.endswith(f"/images/{new.name}.json")

    async def test_an_image_registered_twice_is_one_image(self, cloud: Cloud) -> None:
        image = await a_service_image(cloud)
        location = f"{cloud.account}/{image.name}"
        again = await cloud.register_image(ImageSpec(image.name, location, "again", {}))
        assert again.id == image.id

    async def test_an_image_is_in_use_while_a_group_or_an_instance_is_of_it(self, cloud: Cloud) -> None:
        image = await a_service_image(cloud)
        assert image.id not in await cloud.images_in_use()
        spec = a_group(image, await a_target_group(cloud), size=0)
        await cloud.create_server_group(spec)
        assert image.id in await cloud.images_in_use()
        await cloud.resize_server_group(spec.name, minimum=0, maximum=1, desired=1)
        await eventually_async(lambda: _has_members(cloud, spec.name))
        await cloud.delete_server_group(spec.name, known_by=MINE)

        async def unused() -> bool:
            await cloud.server_groups()  # a look moves the cloud in memory on
            return image.id not in await cloud.images_in_use()

        await eventually_async(unused)

    async def test_a_deregistered_image_is_gone(self, cloud: Cloud) -> None:
        image = await a_service_image(cloud)
        await cloud.deregister_image(image.id)
        await cloud.deregister_image(image.id)
        with pytest.raises(NotFound):
            await cloud.image(image.id)

    async def test_a_balancer_ensured_twice_is_one_with_one_listener(self, cloud: Cloud) -> None:
        name, mark = unique("balancer-"), unique("")
        first = await cloud.ensure_balancer(name, port=80, tags={**MINE, "mark": mark}, known_by=MINE)
        again = await cloud.ensure_balancer(name, port=80, tags={**MINE, "mark": mark}, known_by=MINE)
        assert again == first == await cloud.balancer(name)
        assert [(listener.port, listener.weights) for listener in first.listeners] == [(80, {})]
        assert first.url.startswith("http://")
        assert [balancer.name for balancer in await cloud.balancers({"mark": mark})] == [name]
        assert name in {balancer.name for balancer in await cloud.balancers()}
        await cloud.delete_balancer(name, known_by=MINE)
        await cloud.delete_balancer(name, known_by=MINE)
        with pytest.raises(NotFound):
            await cloud.balancer(name)

    async def test_weights_are_set_in_one_step_and_read_back(self, cloud: Cloud) -> None:
        name = unique("balancer-")
        old, new = await a_target_group(cloud), await a_target_group(cloud)
        (listener,) = (await cloud.ensure_balancer(name, port=80, tags=MINE, known_by=MINE)).listeners
        for weights in ({old.id: 100}, {old.id: 0, new.id: 100}, {old.id: 0}, {}):
            await cloud.set_weights(listener, weights)
            assert (await cloud.balancer(name)).listeners[0].weights == weights
        await cloud.delete_balancer(name, known_by=MINE)
        await cloud.delete_target_group(old.name, known_by=MINE)
        await cloud.delete_target_group(new.name, known_by=MINE)

    async def test_a_target_group_ensured_twice_is_one(self, cloud: Cloud) -> None:
        check = HealthCheck("/healthz", 5, 2, 3, 4, "200-299")
        spec = TargetGroupSpec(unique("targets-"), 8080, check, 5, {**MINE, "mark": "x"}, MINE)
        first = await cloud.ensure_target_group(spec)
        assert await cloud.ensure_target_group(spec) == first == await cloud.target_group(spec.name)
        assert (first.name, first.port, first.health_check, first.tags["mark"]) == (
            spec.name,
            8080,
            check,
            "x",
        )
        assert await cloud.target_health(first.id) == []
        await cloud.delete_target_group(spec.name, known_by=MINE)
        await cloud.delete_target_group(spec.name, known_by=MINE)
        with pytest.raises(NotFound):
            await cloud.target_group(spec.name)

    async def test_a_target_group_in_use_is_not_deleted(self, cloud: Cloud) -> None:
        name, targets = unique("balancer-"), await a_target_group(cloud)
        (listener,) = (await cloud.ensure_balancer(name, port=80, tags=MINE, known_by=MINE)).listeners
        await cloud.set_weights(listener, {targets.id: 1})
        with pytest.raises(CloudFailed, match="in use"):
            await cloud.delete_target_group(targets.name, known_by=MINE)
        await cloud.delete_balancer(name, known_by=MINE)
        await cloud.delete_target_group(targets.name, known_by=MINE)

    async def test_a_server_group_made_twice_is_one_and_fills_up_over_the_zones(self, cloud: Cloud) -> None:
        mark = unique("")
        image, targets = await a_service_image(cloud), await a_target_group(cloud)
        spec = a_group(image, targets, size=2, mark=mark)
        await cloud.create_server_group(spec)
        await cloud.create_server_group(spec)

        async def full() -> bool:
            return len((await cloud.server_group(spec.name)).members) == 2

        await eventually_async(full)
        (group,) = await cloud.server_groups({"mark": mark})
        assert (group.name, group.image_id, group.instance_type) == (spec.name, image.id, "t3.micro")
        assert (group.minimum, group.desired, group.maximum) == (0, 2, 4)
        assert group.target_group_ids == (targets.id,)
        assert not group.deleting
        assert len({member.zone for member in group.members}) == 2
        instances = await cloud.instances([member.instance_id for member in group.members])
        assert {instance.tags["mark"] for instance in instances} == {mark}
        assert all(instance.address and instance.image_id == image.id for instance in instances)
        assert await cloud.activities(spec.name)
        await self._remove(cloud, spec, targets)

    async def test_a_server_group_follows_its_size(self, cloud: Cloud) -> None:
        image, targets = await a_service_image(cloud), await a_target_group(cloud)
        spec = a_group(image, targets, size=1)
        await cloud.create_server_group(spec)
        await cloud.resize_server_group(spec.name, minimum=0, maximum=2, desired=2)

        async def has(size: int) -> bool:
            group = await cloud.server_group(spec.name)
            return len([member for member in group.members if member.lifecycle == "InService"]) == size

        await eventually_async(lambda: has(2))
        await cloud.resize_server_group(spec.name, minimum=0, maximum=0, desired=0)
        await eventually_async(lambda: has(0))
        with pytest.raises(CloudFailed):
            await cloud.resize_server_group(spec.name, minimum=2, maximum=3, desired=1)
        await self._remove(cloud, spec, targets)

    async def test_what_is_not_there_is_not_found(self, cloud: Cloud) -> None:
        with pytest.raises(NotFound):
            await cloud.server_group("nothing-v000")
        with pytest.raises(NotFound):
            await cloud.resize_server_group("nothing-v000", minimum=0, maximum=1, desired=1)
        with pytest.raises(NotFound):
            await cloud.console("i-0123456789abcdef0")
        with pytest.raises(NotFound):
            await cloud.image("ami-0123456789abcdef0")
        assert await cloud.instances(["i-0123456789abcdef0"]) == []
        assert await cloud.instances([]) == []
        await cloud.delete_server_group("nothing-v000", known_by=MINE)

    async def test_a_group_of_an_unknown_image_is_refused(self, cloud: Cloud) -> None:
        targets = await a_target_group(cloud)
        ghost = Image(
            "ami-0123456789abcdef0", "ghost", "available", (await a_service_image(cloud)).created_at, {}
        )
        spec = a_group(ghost, targets)
        with pytest.raises((CloudFailed, NotFound), match="ami-0123456789abcdef0"):
            await cloud.create_server_group(spec)
        await self._remove(cloud, spec, targets)

    async def test_what_another_made_is_a_conflict_and_stays_as_it_is(self, cloud: Cloud) -> None:
        name, others = unique("others-"), {"work": "another"}
        image, targets = await a_service_image(cloud), await a_target_group(cloud)
        spec = a_group(image, targets, size=0)
        balancer = await cloud.ensure_balancer(name, port=80, tags=MINE, known_by=MINE)
        await cloud.create_server_group(spec)
        group = await cloud.server_group(spec.name)
        check = HealthCheck("/other", 30, 5, 3, 3, "200")
        stranger = TargetGroupSpec(targets.name, 9090, check, 99, others, others)
        for refused in (
            cloud.ensure_balancer(name, port=8080, tags=others, known_by=others),
            cloud.ensure_target_group(stranger),
            cloud.create_server_group(replace(spec, tags=others, known_by=others)),
        ):
            with pytest.raises(Conflict, match="is there already, made by something else"):
                await refused
        for known_by in (others, {}, {**MINE, "more": "x"}):
            await cloud.delete_balancer(name, known_by=known_by)
            await cloud.delete_target_group(targets.name, known_by=known_by)
            await cloud.delete_server_group(spec.name, known_by=known_by)
        assert await cloud.balancer(name) == balancer
        assert await cloud.target_group(targets.name) == targets
        assert await cloud.server_group(spec.name) == group
        assert all(MINE.items() <= tags.items() for tags in await cloud.in_the_way(spec.name))
        assert await cloud.in_the_way(unique("free-")) == []
        await cloud.delete_balancer(name, known_by=MINE)
        await self._remove(cloud, spec, targets)

    async def test_a_twin_of_an_image_that_is_tagged_otherwise_is_a_conflict(self, cloud: Cloud) -> None:
        image = await a_service_image(cloud)
        with pytest.raises(Conflict, match=image.name):
            await cloud.register_image(ImageSpec(image.name, f"{cloud.account}/x", "", {"by": "another"}))

    async def _remove(self, cloud: Cloud, spec: ServerGroupSpec, targets: TargetGroup) -> None:
        await cloud.delete_server_group(spec.name, known_by=MINE)
        await cloud.delete_server_group(spec.name, known_by=MINE)

        async def gone() -> bool:
            try:
                return not (await cloud.server_group(spec.name)).name
            except NotFound:
                return True

        await eventually_async(gone, within=40)
        await cloud.delete_target_group(targets.name, known_by=MINE)


class LivingCloudContract(CloudContract):
    """For clouds whose instances live: they become healthy, end, and are replaced."""

    async def test_instances_become_healthy_and_the_ended_are_replaced(self, cloud: Cloud) -> None:
        name = unique("balancer-")
        image, targets = await a_service_image(cloud), await a_target_group(cloud)
        (listener,) = (await cloud.ensure_balancer(name, port=80, tags=MINE, known_by=MINE)).listeners
        await cloud.set_weights(listener, {targets.id: 0})
        spec = a_group(image, targets, size=2)
        await cloud.create_server_group(spec)

        async def healthy() -> set[str]:
            health = await cloud.target_health(targets.id)
            well = {target.instance_id for target in health if target.state == "healthy"}
            return well if len(well) == 2 else set()

        first = await eventually_async(healthy, within=60)
        lost = min(first)
        await cloud.terminate_instance(lost)

        async def healthy_again() -> bool:
            well = await healthy()
            return bool(well) and lost not in well

        await eventually_async(healthy_again, within=90)
        await cloud.delete_balancer(name, known_by=MINE)
        await self._remove(cloud, spec, targets)

    async def test_a_target_outside_every_listener_is_unused_and_says_so(self, cloud: Cloud) -> None:
        image, targets = await a_service_image(cloud), await a_target_group(cloud)
        spec = a_group(image, targets, size=1)
        await cloud.create_server_group(spec)

        async def unused() -> bool:
            health = await cloud.target_health(targets.id)
            return bool(health) and all(target.state == "unused" and target.reason for target in health)

        await eventually_async(unused, within=40)
        await self._remove(cloud, spec, targets)
