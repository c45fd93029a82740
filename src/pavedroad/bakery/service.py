"""The bakery: images from folders, each baked once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.bakery import archives, sources
from pavedroad.bakery.builders import command as command_builder
from pavedroad.bakery.builders import node as node_builder
from pavedroad.bakery.builders import python as python_builder
from pavedroad.bakery.builders.bench import Bench
from pavedroad.bakery.interpreters import Interpreters, Node, Python
from pavedroad.bakery.jobs import Jobs
from pavedroad.bakery.layers import DamagedLayer, Layers
from pavedroad.bakery.model import (
    APPLICATION,
    COMMIT,
    KEY,
    BakeResult,
    BakeView,
    Built,
    ImageView,
    Kind,
    Revision,
    view_image,
)
from pavedroad.bakery.packing import LARGEST_BYTES
from pavedroad.bakery.pruning import Pruning, Wanted
from pavedroad.bakery.queueing import Line
from pavedroad.bakery.recipe import Recipe, image_name, kind_of, within_tags
from pavedroad.bakery.requirements import PythonNeeds, python_needs
from pavedroad.bakery.rooms import Rooms
from pavedroad.bakery.running import Report, Runner
from pavedroad.bakery.scratch import scratch, sweep
from pavedroad.bakery.sizes import counted, spoken
from pavedroad.bakery.sources import SourceFile
from pavedroad.bakery.turns import Turns
from pavedroad.clouds.model import Image, ImageSpec
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.errors import BakeFailed, CloudFailed, Conflict, InvalidInput, NotFound
from pavedroad.core.names import is_application
from pavedroad.core.places import Places
from pavedroad.manifest.model import Manifest

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}")
_STEP_SECONDS = 900.0
_REFUSED_LAYERS = "InvalidManifest"
"""The cloud's word for an image whose layers are not there, or are not what their digests say."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for, and by whom."""

    principal: Principal
    manifest: Manifest
    version: str | None
    revision: Revision | None
    rebake: bool
    chosen: bool
    report: Report


@dataclass(frozen=True, slots=True)
class _Base:
    """What the kind of build needs, found: an interpreter, and what is to be installed."""

    name: str
    version: str
    python: tuple[PythonNeeds, Python] | None = None
    node: Node | None = None


class Bakery:
    """Bakes into the manifest's region; `images` and `forget` ask one region."""

    def __init__(
        self,
        clouds: CloudProvider,
        places: Places,
        clock: Clock,
        access: Access,
        *,
        step_seconds: float = _STEP_SECONDS,
        largest_bytes: int = LARGEST_BYTES,
        line: Line | None = None,
        wanted_images: Wanted | None = None,
    ) -> None:
        """`wanted_images` gives those that are about to be deployed."""
        self.largest_bytes = largest_bytes
        self.line = line or Line()
        self.jobs = Jobs(clock, self.line)
        self._clouds = clouds
        self._home = places.builds
        self._clock = clock
        self._access = access
        self._rooms = Rooms(self._home, step_seconds)
        self._turns = Turns()
        self._interpreters = Interpreters()
        self._layers: dict[str, Layers] = {}
        self.pruning = Pruning(clouds, self._layers_of, access, wanted_images or _none_wanted)
        self._swept = False

    async def bake(
        self,
        principal: Principal,
        manifest: Manifest,
        source: Path,
        *,
        version: str | None = None,
        revision: Revision | None = None,
        rebake: bool = False,
        chosen: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> BakeResult:
        """An image of the folder `source`; the known one, unless `rebake`, where nothing has changed. Of a
        `chosen` folder all files count, whatever its ignore files say."""
        self.check_version(version)
        started = self._clock.monotonic()
        order = _Order(principal, manifest, version, revision, rebake, chosen, report)
        async with self._access.acting(principal, "bake", str(manifest.cluster)) as told:
            try:
                image, reused = await self._baked(order, source)
            except OSError as error:
                raise BakeFailed(f"The bakery could not write: {error.strerror or error}.") from error
            result = BakeResult(
                image_id=image.id,
                version=image.tags.get("pavedroad:version", ""),
                key=image.tags.get(KEY, ""),
                reused=reused,
                seconds=round(self._clock.monotonic() - started, 3),
                region=manifest.region,
            )
            told.update(image=result.image_id, version=result.version, reused=reused)
            return result

    @property
    def confinement(self) -> str:
        """How builds are walled in, a sentence."""
        return self._rooms.said

    def check_version(self, version: str | None) -> None:
        """Nothing, or InvalidInput."""
        if version is not None and not _VERSION.fullmatch(version):
            raise InvalidInput(
                f"'{version}' is no version: at most 64 letters, digits, '.', '_', '+', '~' and '-'."
            )

    @asynccontextmanager
    async def scratch(self) -> AsyncGenerator[Path]:
        """A folder to receive a source in, gone afterwards."""
        await asyncio.to_thread(self._prepare)
        async with scratch(self._home) as folder:
            yield folder

    async def cancel(self, principal: Principal, bake_id: str) -> BakeView:
        async with self._access.acting(principal, "cancel-bake", bake_id):
            return self.jobs.cancel(bake_id, principal.name)

    async def start(self) -> None:
        """Sweeps up what a killed one has left."""
        await asyncio.to_thread(self._prepare)

    async def close(self) -> None:
        await self.jobs.close()

    async def images(self, application: str | None = None, *, region: str = "us-east-1") -> list[ImageView]:
        """Those that were baked here, newest first; none for what no application can be called."""
        if application and not is_application(application):
            return []
        tags = {APPLICATION: application} if application else {}
        found = await self._clouds.region(region).images(tags)
        return [view_image(image, region) for image in found if KEY in image.tags]

    async def forget(self, principal: Principal, image_id: str, *, region: str = "us-east-1") -> None:
        """Deregister an image; refused while a server group is made of it."""
        async with self._access.acting(principal, "forget-image", image_id):
            cloud = self._clouds.region(region)
            image = await cloud.image(image_id)
            if KEY not in image.tags:
                raise NotFound(f"{image_id} is not an image of the bakery.")
            groups = [group.name for group in await cloud.server_groups() if group.image_id == image_id]
            if groups:
                raise Conflict(
                    f"The image {image_id} is used by {', '.join(groups)}.",
                    next_step=f"Destroy it first: paved destroy {groups[0]}.",
                )
            if image_id in await self.pruning.used(cloud):
                raise Conflict(f"The image {image_id} is used by an instance, a template or a deployment.")
            await cloud.deregister_image(image_id)

    async def _baked(self, order: _Order, source: Path) -> tuple[Image, bool]:
        try:
            return await self._baked_once(order, source)
        except CloudFailed as error:
            if not (isinstance(error, DamagedLayer) or error.aws_code == _REFUSED_LAYERS):
                raise
            order.report(f"{error.sentence} All layers are made again.")
            return await self._baked_once(replace(order, rebake=True), source)

    async def _baked_once(self, order: _Order, source: Path) -> tuple[Image, bool]:
        await asyncio.to_thread(self._prepare)
        cloud = self._clouds.region(order.manifest.region)
        with self._layers_of(cloud).under_way():
            return await self._baked_in(cloud, order, source)

    async def _baked_in(self, cloud: Cloud, order: _Order, source: Path) -> tuple[Image, bool]:
        build = order.manifest.build
        files = await asyncio.to_thread(
            lambda: sources.files_sent(
                source, chosen=order.chosen, include=build.include, exclude=build.exclude
            )
        )
        digest = await asyncio.to_thread(sources.digest_of, files)
        async with scratch(self._home) as folder:
            work = folder / "work"
            await asyncio.to_thread(sources.copy_to, work, files)
            _say_source(order.report, files)
            make = self._rooms.runners
            runners = await asyncio.to_thread(make, order.manifest.application, folder, order.report)
            kind = kind_of(order.manifest, work)
            base = await _find_base(self._interpreters, order.manifest, runners.at_large, kind)
            recipe = Recipe(order.manifest, kind, base.name, base.version, digest)
            async with self._turns.of(f"image {cloud.region} {recipe.key}"):
                if not order.rebake and (known := await self._known(cloud, order, recipe.key)):
                    order.report(f"Nothing has changed: {known.id} is used again")
                    return known, True
                bench = Bench(work, build, digest, runners, self._layers_of(cloud), order.rebake)
                return await self._build(order, cloud, recipe, bench, base), False

    async def _build(self, order: _Order, cloud: Cloud, recipe: Recipe, bench: Bench, base: _Base) -> Image:
        if base.python is not None:
            built = await python_builder.build(bench, *base.python)
        elif base.node is not None:
            built = await node_builder.build(bench, base.node)
        else:
            built = await command_builder.build(bench)
        entries = await asyncio.to_thread(lambda: list(archives.entries_below(bench.work)))
        application = await bench.layers.put(entries, path=".", shared=False, anew=bench.anew)
        order.report(f"Application: {spoken(application.size)}, packed")
        image = await self._register(
            order, cloud, recipe, Built((application, *built.layers), built.programs)
        )
        order.report(f"Registered {image.id} as {image.name}")
        return image

    async def _register(self, order: _Order, cloud: Cloud, recipe: Recipe, built: Built) -> Image:
        now = self._clock.now()
        stamp = now.strftime("%Y%m%d%H%M%S")
        manifest = order.manifest
        revision = order.revision.name(recipe.key) if order.revision else ""
        version = order.version or revision or stamp
        text = json.dumps(recipe.image_manifest(built.layers, built.programs), indent=1)
        name = image_name(manifest.application, version, recipe.key, f"{stamp}{now.microsecond // 1000:03d}")
        location = await self._layers_of(cloud).put_manifest(name, text)
        commit = f"-h0.{revision}" if revision else ""
        tags = {
            "appversion": f"{manifest.application}-{version}{commit}",
            APPLICATION: manifest.application,
            "pavedroad:owner": manifest.owner,
            "pavedroad:version": version,
            COMMIT: revision,
            "pavedroad:base": recipe.base,
            "pavedroad:baked-by": order.principal.name,
            "pavedroad:baked-at": now.isoformat(timespec="milliseconds"),
            "pavedroad:manifest-digest": manifest.digest,
            KEY: recipe.key,
        }
        description = f"{manifest.application} {version}, baked by Pavedroad"
        return await cloud.register_image(ImageSpec(name, location, description, within_tags(tags)))

    async def _known(self, cloud: Cloud, order: _Order, key: str) -> Image | None:
        """The newest image of this key; of the revision and the version too, where they were told."""
        told = {
            KEY: key,
            COMMIT: order.revision.name(key) if order.revision else "",
            "pavedroad:version": order.version or "",
        }
        found = await cloud.images({name: value for name, value in told.items() if value})
        return next((image for image in found if image.state == "available"), None)

    def _layers_of(self, cloud: Cloud) -> Layers:
        if cloud.region not in self._layers:
            self._layers[cloud.region] = Layers(cloud, self._home, self._turns)
        return self._layers[cloud.region]

    def _prepare(self) -> None:
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            sweep(self._home)


async def _none_wanted() -> set[str]:
    return set()


async def _find_base(interpreters: Interpreters, manifest: Manifest, runner: Runner, kind: Kind) -> _Base:
    build = manifest.build
    if kind == "python":
        needs = await asyncio.to_thread(python_needs, runner.folder, build.packages)
        python = await interpreters.python(build.base, needs.requires_python, runner)
        return _Base(python.base, python.version, python=(needs, python))
    if kind == "node":
        node = await interpreters.node(build.base, runner)
        return _Base(node.base, node.version, node=node)
    if build.base is not None:
        raise InvalidInput(f"build.base: found '{build.base}'; allowed with kind python or node only.")
    return _Base("", "")


def _say_source(report: Report, files: list[SourceFile]) -> None:
    size = sum(file.size for file in files)
    report(f"Source: {counted(len(files), 'file')}, {spoken(size)}")
