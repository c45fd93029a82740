"""Layers: packed once, uploaded once, and found again by what they were made from."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path

from pavedroad.bakery import archives, unpacking
from pavedroad.bakery.archives import Entry
from pavedroad.bakery.model import Layer
from pavedroad.bakery.scratch import scratch
from pavedroad.bakery.turns import Turns
from pavedroad.clouds.model import StoredObject
from pavedroad.clouds.ports import Objects
from pavedroad.core import seclusion
from pavedroad.core.errors import CloudFailed, NotFound

IMAGES, LAYERS, BY_KEY = "images/", "layers/", "layers/by-key/"
"""Where manifests, layers and records of what layers were made from are, below a bucket."""
_TREE_OF = re.compile(rf"{LAYERS}([0-9a-f]{{64}})\.tar\.zst")
_MOST_TREES = 30


def key_of(*parts: object) -> str:
    """A name for what a layer is made from."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class DamagedLayer(CloudFailed):
    """What the cloud keeps is not what was put there: it must be made again."""


class Layers:
    """The layers of one cloud. `trees/` below `home` keeps some unpacked, for builds that look into them."""

    def __init__(self, objects: Objects, home: Path, turns: Turns) -> None:
        self._objects = objects
        self._home = home
        self._turns = turns
        self._known: dict[str, Layer] = {}
        self._bakes = 0
        self.held: set[str] = set()
        """Objects that the bakes under way rely on: they are not to be removed."""

    @contextmanager
    def under_way(self) -> Generator[None]:
        """A bake: what it puts or finds is held until it, and those beside it, have ended."""
        self._bakes += 1
        try:
            yield
        finally:
            self._bakes -= 1
            if not self._bakes:
                self.held.clear()

    async def put(self, entries: Iterable[Entry], *, path: str, shared: bool, anew: bool = False) -> Layer:
        """Pack and upload, unless a layer of the same contents is there; `anew` also then."""
        async with scratch(self._home) as folder:
            packed = await asyncio.to_thread(archives.pack, entries, folder / "layer.tar.zst")
            key = f"{LAYERS}{packed.digest.removeprefix('sha256:')}.tar.zst"
            async with self._holding(key):
                if anew or not await self._has(key, packed.size):
                    await self._objects.put_file(key, packed.place)
        return Layer(packed.digest, path, shared, key, packed.size)

    async def made_from(
        self, key: str, *, path: str, make: Callable[[Path], Awaitable[None]], anew: bool = False
    ) -> Layer:
        """The shared layer of this key; `make` fills a folder with it where there is none, or `anew`."""
        async with self._turns.of(f"layer {key}"):
            known = None if anew else await self._recall(key)
            if known is not None:
                return known
            async with scratch(self._home, key[:24]) as folder:  # compiled modules remember their path
                await make(folder)
                entries = await asyncio.to_thread(lambda: list(archives.entries_below(folder)))
                layer = await self.put(entries, path=path, shared=True, anew=anew)
                await asyncio.to_thread(self._keep, folder, layer)
            await self._objects.put_object(f"{BY_KEY}{key}.json", json.dumps(asdict(layer)).encode())
            self._known[key] = layer
            return layer

    async def put_manifest(self, name: str, text: str) -> str:
        """Of an image that is about to be registered; its location."""
        async with self._holding(f"{IMAGES}{name}.json"):
            return await self._objects.put_object(f"{IMAGES}{name}.json", text.encode())

    async def remove(self, key: str) -> bool:
        """An object that nothing names, with what is kept of it here; False while a bake relies on it."""
        async with self._turns.of(f"object {key}"):
            if key in self.held:
                return False
            await self._objects.delete_object(key)
        self._known.pop(key.removeprefix(BY_KEY).removesuffix(".json"), None)
        if tree := _TREE_OF.fullmatch(key):
            place = self._home / "trees" / tree[1]
            async with self._turns.of(f"tree sha256:{tree[1]}"):
                await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        return True

    async def tree(self, layer: Layer) -> Path:
        """The layer's files, unpacked: to look at, not to change."""
        place = self._place(layer)
        async with self._turns.of(f"tree {layer.digest}"):
            if await asyncio.to_thread(place.is_dir):
                return place
            async with scratch(self._home) as folder:
                archive = folder / "layer.tar.zst"
                await self._objects.get_file(layer.key, archive)
                if await asyncio.to_thread(archives.digest_of, archive) != layer.digest:
                    raise DamagedLayer(f"The layer {layer.key} is not what it was when it was made.")
                await asyncio.to_thread(unpacking.unpack_layer, archive, folder / "tree")
                await asyncio.to_thread(self._keep, folder / "tree", layer)
        return place

    async def _recall(self, key: str) -> Layer | None:
        if key not in self._known:
            try:
                record = json.loads(await self._objects.get_object(f"{BY_KEY}{key}.json"))
                self._known[key] = Layer(**record)
            except (NotFound, ValueError, TypeError):  # or it is garbled, and the layer is made again
                return None
        layer = self._known[key]
        async with self._holding(layer.key):
            return layer if await self._has(layer.key, layer.size) else None

    @asynccontextmanager
    async def _holding(self, key: str) -> AsyncGenerator[None]:
        """It is looked at, put or removed by one at a time."""
        async with self._turns.of(f"object {key}"):
            if self._bakes:
                self.held.add(key)
            yield

    async def _has(self, key: str, size: int) -> bool:
        """Whole, as far as its size tells."""
        return StoredObject(key, size) in await self._objects.objects(key)

    def _keep(self, folder: Path, layer: Layer) -> None:
        place = self._place(layer)
        place.parent.mkdir(exist_ok=True)
        if os.geteuid() == 0:  # made by a build that was a user of its own; read by others
            seclusion.hand_over(str(folder), 0)
            folder.chmod(0o755)
        if not place.exists():
            folder.rename(place)
        trees = sorted(place.parent.iterdir(), key=lambda tree: tree.stat().st_mtime, reverse=True)
        for old in trees[_MOST_TREES:]:
            shutil.rmtree(old, ignore_errors=True)

    def _place(self, layer: Layer) -> Path:
        return self._home / "trees" / layer.digest.removeprefix("sha256:")
