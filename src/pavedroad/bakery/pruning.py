"""Images that nothing uses, and what only they were made of: found, told, and taken away, by reference."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.bakery.layers import BY_KEY, IMAGES, LAYERS, Layers
from pavedroad.bakery.model import APPLICATION, KEY, PruneView, view_image
from pavedroad.clouds.model import Image, StoredObject
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.errors import CloudFailed, InvalidInput, NotFound

KEEP = 5
_MOST_KEPT = 1000
_LAYER = re.compile(rf"{LAYERS}[0-9a-f]{{64}}\.tar\.zst")
_AT_ONCE = 10

Wanted = Callable[[], Awaitable[set[str]]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What would go, and why the rest stays."""

    images: tuple[Image, ...]
    objects: tuple[StoredObject, ...]
    kept: Counter[str]
    reason: str

    def view(self, region: str, keep: int, *, done: bool) -> PruneView:
        return PruneView(
            region=region,
            keep=keep,
            done=done,
            images=tuple(view_image(image, region) for image in self.images),
            objects=len(self.objects),
            bytes=sum(one.size for one in self.objects),
            kept=dict(self.kept),
            reason=self.reason,
        )


class Pruning:
    """An image stays while an instance is of it, a group or a launch template names it, or a deployment is
    about to, and so do the newest of each application. What is not of the bakery is left alone."""

    def __init__(
        self, clouds: CloudProvider, layers: Callable[[Cloud], Layers], access: Access, wanted: Wanted
    ) -> None:
        """`wanted` gives the images that are about to be used."""
        self._clouds = clouds
        self._layers = layers
        self._access = access
        self._wanted = wanted

    async def plan(self, *, keep: int = KEEP, region: str = "us-east-1") -> PruneView:
        """What `prune` would take away now."""
        found = await self._plan(self._clouds.region(region), _checked(keep))
        return found.view(region, keep, done=False)

    async def prune(self, principal: Principal, *, keep: int = KEEP, region: str = "us-east-1") -> PruneView:
        """Do it; what has come into use since it was planned stays."""
        async with self._access.acting(principal, "prune-images", region, {"keep": keep}) as told:
            cloud = self._clouds.region(region)
            plan = await self._plan(cloud, _checked(keep))
            gone: list[Image] = []
            told["images"] = told_gone = list[str]()
            async for image in self._deregistered(cloud, plan.images):
                gone.append(image)
                told_gone.append(image.id)
            stored = await self._stored(cloud)
            unnamed, reason = await self._unnamed(cloud, stored, await cloud.images())
            removed = [one for one in unnamed if await self._layers(cloud).remove(one.key)]
            told["objects"] = len(removed)
            done = _Plan(tuple(gone), tuple(removed), plan.kept, reason)
            return done.view(region, keep, done=True)

    async def used(self, cloud: Cloud) -> set[str]:
        """The images that may not go."""
        groups, in_use, wanted = await asyncio.gather(
            cloud.server_groups(), cloud.images_in_use(), self._wanted()
        )
        return in_use | wanted | {group.image_id for group in groups}

    async def _deregistered(self, cloud: Cloud, images: Sequence[Image]) -> AsyncIterator[Image]:
        """A few at a time: whether they are used is asked again before each few."""
        for start in range(0, len(images), _AT_ONCE):
            used = await self.used(cloud)
            for image in images[start : start + _AT_ONCE]:
                if image.id not in used:
                    await cloud.deregister_image(image.id)
                    yield image

    async def _plan(self, cloud: Cloud, keep: int) -> _Plan:
        stored, used, images = await self._stored(cloud), await self.used(cloud), await cloud.images()
        going, kept, newest = list[Image](), Counter[str](), Counter[str]()
        for image in images:  # newest first
            if KEY not in image.tags:
                continue
            application = image.tags.get(APPLICATION, "")
            newest[application] += 1
            if image.id in used:
                kept["in use"] += 1
            elif newest[application] <= keep:
                kept["among the newest"] += 1
            else:
                going.append(image)
        staying = [image for image in images if image not in going]
        objects, reason = await self._unnamed(cloud, stored, staying)
        return _Plan(tuple(going), tuple(objects), kept, reason)

    async def _stored(self, cloud: Cloud) -> list[StoredObject]:
        """To be asked before what names them: what is put later is then no part of it."""
        return [*await cloud.objects(IMAGES), *await cloud.objects(LAYERS)]

    async def _unnamed(
        self, cloud: Cloud, stored: Sequence[StoredObject], staying: Sequence[Image]
    ) -> tuple[list[StoredObject], str]:
        """The objects that no image that stays is made of; of layers only where all is known."""
        held = self._layers(cloud).held
        manifests = {_manifest_key(image) for image in staying}
        manifests |= {f"{IMAGES}{image.name}.json" for image in staying}
        there = {one.key for one in stored}
        unnamed = [one for one in stored if one.key.startswith(IMAGES) and one.key not in manifests | held]
        try:
            layers = held | await self._layers_of(cloud, sorted(manifests & there))
        except (CloudFailed, NotFound, ValueError, KeyError, TypeError) as error:
            why = str(error).rstrip(".") or type(error).__name__
            return unnamed, f"No layer goes, since what an image is made of cannot be read: {why}."
        going = {key for key in there if _LAYER.fullmatch(key) and key not in layers}
        for one in stored:
            lost = one.key.startswith(BY_KEY) and not await self._leads_to(cloud, one.key, there - going)
            if lost or one.key in going:
                unnamed.append(one)
        return unnamed, ""

    async def _layers_of(self, cloud: Cloud, manifests: Sequence[str]) -> set[str]:
        read = [json.loads(await cloud.get_object(key)) for key in manifests]
        return {str(layer["key"]) for manifest in read for layer in manifest["layers"]}

    async def _leads_to(self, cloud: Cloud, record: str, keys: set[str]) -> bool:
        """Whether the layer that a record tells of is among these."""
        try:
            read = cast("dict[str, Any]", json.loads(await cloud.get_object(record)))
            return read["key"] in keys
        except (NotFound, ValueError, KeyError, TypeError):
            return False


def _manifest_key(image: Image) -> str:
    """Where the cloud has it from; a copy of an image has the manifest of the first."""
    return image.location.partition("/")[2]


def _checked(keep: int) -> int:
    if not 0 <= keep <= _MOST_KEPT:
        raise InvalidInput(f"Of each application 0 to {_MOST_KEPT} images can be kept, not {keep}.")
    return keep
