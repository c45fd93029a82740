"""The image store: layers, unpacked once, however many guests start at once."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.host.nursery.messages import Part
from pavedroad.localcloud.host.unpack import ASIDE, UNFINISHED
from pavedroad.localcloud.wanted import GuestImage, Layer

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_AT_ONCE = 2
_LEAVING = ".leaving-"
_LOOKS, _LOOK_EVERY = 60, 0.1
"""For a damaged layer to be brought again."""
_SPARE = 8
"""Unpacked layers that no guest uses, but the next may."""


class ImageFailed(Unavailable):
    """An image cannot be had; the sentence says why."""

    code = "image-failed"


class ImageStore:
    """`layers/<hex>.tar.zst` as they come, `unpacked/<hex>/` as they are used."""

    def __init__(self, home: Path) -> None:
        self._layers = home / "layers"
        self._unpacked = home / "unpacked"
        self._under_way: dict[str, asyncio.Task[Path]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        for folder in (self._layers, self._unpacked):
            folder.mkdir(parents=True, exist_ok=True)
        for left in [*self._unpacked.glob(f"{UNFINISHED}*"), *self._unpacked.glob(f"{_LEAVING}*")]:
            shutil.rmtree(left, ignore_errors=True)

    async def parts(self, image: GuestImage) -> list[Part]:
        """The image's layers, unpacked. Raises `ImageFailed`."""
        folders = await asyncio.gather(*(self._folder(layer) for layer in image.layers))
        return [
            Part(str(folder), _inside(layer, image), layer.shared)
            for layer, folder in zip(image.layers, folders, strict=True)
        ]

    async def _folder(self, layer: Layer) -> Path:
        match = _DIGEST.fullmatch(layer.digest)
        if match is None:
            raise ImageFailed(f"'{layer.digest}' is not a layer's digest.")
        name = match[1]
        folder = self._unpacked / name
        with suppress(FileNotFoundError):
            os.utime(folder)  # when it was last of use
            return folder
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self._unpack(name))
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return await asyncio.shield(task)

    async def _unpack(self, name: str) -> Path:
        """In a process of its own: it takes seconds of computing, and the loop must not wait for any."""
        source, folder = self._layers / f"{name}.tar.zst", self._unpacked / name
        if not await self._brought_again(source):
            raise ImageFailed(f"The image's layer {name[:12]} is not in the image store.")
        known = _identity(source)
        why = await self._unpack_now(source, folder)
        if why and _identity(source) != known and await self._brought_again(source):
            why = await self._unpack_now(source, folder)
        if why:
            raise ImageFailed(f"The image's layer {name[:12]} could not be unpacked: {why}")
        return folder

    async def _brought_again(self, source: Path) -> bool:
        """Whether it is there; one that was set aside comes soon from whoever has it whole."""
        for _ in range(_LOOKS):
            if not _is_coming(source):
                break
            await asyncio.sleep(_LOOK_EVERY)
        return _is_there(source)

    async def _unpack_now(self, source: Path, folder: Path) -> str:
        """Why it could not be; empty when it could."""
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "pavedroad.localcloud.host.unpack", str(source), str(folder)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return (last or "it ended without a word.") if process.returncode != 0 else ""

    async def collect(self, used: Callable[[], set[str]]) -> None:
        """Remove what no guest uses: all that has no layer any more, and of the rest the longest unused.
        `used` gives the names of those that guests use."""
        there = [folder for folder in self._unpacked.iterdir() if _DIGEST.fullmatch(folder.name)]
        whole = {folder for folder in there if (self._layers / f"{folder.name}.tar.zst").is_file()}
        if len(there) <= _SPARE and len(whole) == len(there):
            return
        kept = used() | self._under_way.keys()
        idle = [folder for folder in there if folder.name not in kept]
        idle.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        spare = [folder for folder in idle if folder in whole][:_SPARE]
        # Moved aside at once: whoever boots meanwhile unpacks it anew.
        gone = [folder for folder in idle if folder not in spare]
        for folder in [folder.rename(folder.with_name(f"{_LEAVING}{folder.name}")) for folder in gone]:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def pack(self, root: Path, image: GuestImage) -> str:
        """A new layer of a guest's root, without those of its image that are only linked in; its digest."""
        shared = [_inside(layer, image) for layer in image.layers if layer.shared]
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-P",
                    "-m",
                    "pavedroad.localcloud.host.pack",
                    str(root),
                    str(self._layers),
                    *shared,
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        last = output.decode(errors="replace").strip().rpartition("\n")[2]
        if process.returncode != 0:
            raise ImageFailed(f"The disk could not be made a layer: {last.rstrip('.')}.")
        return last


def _is_there(layer: Path) -> bool:
    return layer.is_file()


def _identity(layer: Path) -> int:
    """Another one for another file in its place; 0 for none."""
    try:
        return layer.stat().st_ino
    except FileNotFoundError:
        return 0


def _is_coming(layer: Path) -> bool:
    return not layer.is_file() and layer.with_name(f"{ASIDE}{layer.name}").exists()


def _inside(layer: Layer, image: GuestImage) -> str:
    """The layer's place, which must lie below the root."""
    path = Path(layer.path)
    if path.is_absolute() or ".." in path.parts:
        raise ImageFailed(f"Image {image.id} puts a layer at '{layer.path}', outside its root.")
    if layer.shared and not path.parts:
        raise ImageFailed(f"Image {image.id} shares a layer as its whole root, which guests write to.")
    return str(path)
