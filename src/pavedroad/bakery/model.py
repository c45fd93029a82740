"""What the bakery speaks of: frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pavedroad.clouds.model import Image

APPLICATION = "pavedroad:application"
COMMIT = "pavedroad:commit"
KEY = "pavedroad:key"
"""Tags of images: whose it is, of which revision, and over all that went into it. Those without a key are not
the bakery's."""

Kind = Literal["python", "node", "command", "files"]
BakeState = Literal["waiting", "running", "succeeded", "failed"]
FINISHED: frozenset[BakeState] = frozenset({"succeeded", "failed"})


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of an image's root, as its manifest lists it."""

    digest: str
    path: str
    shared: bool
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Built:
    """What a builder made: layers besides the application's own, and folders that hold programs.

    Both are relative to the root; the application's layer is what is left in the work folder.
    """

    layers: tuple[Layer, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """What of git a folder is: a commit, or one with changes, which are told apart by what they come to."""

    commit: str
    dirty: bool = False

    def name(self, key: str) -> str:
        """`3f2a91c`, or `3f2a91c+dirty.8a1b6f` of the image with this key."""
        return f"{self.commit}+dirty.{key[:6]}" if self.dirty else self.commit


@dataclass(frozen=True, slots=True)
class BakeResult:
    """An image that is there. `reused` when its key was known, so that nothing was baked."""

    image_id: str
    version: str
    key: str
    reused: bool
    seconds: float
    region: str


@dataclass(frozen=True, slots=True)
class ImageView:
    """An image of ours, with what its tags tell."""

    id: str
    name: str
    application: str
    version: str
    commit: str
    base: str
    baked_by: str
    baked_at: datetime
    key: str
    region: str


@dataclass(frozen=True, slots=True)
class BakeView:
    """A bake that was asked for; `error` is the one sentence of a failed one."""

    id: str
    application: str
    state: BakeState
    who: str
    started_at: datetime
    finished_at: datetime | None = None
    result: BakeResult | None = None
    error: str = ""
    code: str = ""
    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PruneView:
    """What pruning would take away, or has: images, and `objects` of so many `bytes` that only they were made
    of. `kept` counts the images that stay, by why; `reason` says why something could not go."""

    region: str
    keep: int
    done: bool
    images: tuple[ImageView, ...]
    objects: int
    bytes: int
    kept: dict[str, int]
    reason: str


def view_image(image: Image, region: str) -> ImageView:
    tags = image.tags
    return ImageView(
        id=image.id,
        name=image.name,
        application=tags.get(APPLICATION, ""),
        version=tags.get("pavedroad:version", ""),
        commit=tags.get(COMMIT, ""),
        base=tags.get("pavedroad:base", ""),
        baked_by=tags.get("pavedroad:baked-by", ""),
        baked_at=image.created_at,
        key=tags.get(KEY, ""),
        region=region,
    )
