"""From a folder to an image: packed here, baked by the platform, its lines shown as they come."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from pavedroad.bakery import git
from pavedroad.bakery.packing import pack_folder
from pavedroad.bakery.sizes import counted, spoken
from pavedroad.cli import interrupting
from pavedroad.cli.client import Client, CutOff, segment
from pavedroad.cli.failures import told
from pavedroad.cli.screen import note
from pavedroad.cli.story import Story
from pavedroad.core.errors import BakeFailed, PavedError
from pavedroad.manifest.loading import find
from pavedroad.manifest.model import Manifest

_STOP_SECONDS = 10.0


def bake_folder(
    client: Client,
    source: Path,
    manifest: Manifest,
    story: Story,
    *,
    version: str | None = None,
    rebake: bool = False,
) -> dict[str, Any]:
    """Bake a folder, or that of a manifest's file; gives what came of it, or raises why nothing did."""
    with tempfile.TemporaryDirectory(prefix="paved-pack-") as temporary:
        parcel = pack_folder(source, manifest, Path(temporary) / "source.tar.zst")
        story.moving(f"sending {counted(parcel.files, 'file')}, {spoken(parcel.packed_bytes)}")
        standing = git.standing(find(source).folder, parcel.source)
        query = {
            "version": version,
            "commit": standing.commit if standing else None,
            "dirty": "true" if standing and standing.dirty else None,
            "rebake": "true" if rebake else None,
            "chosen": "true",
        }
        try:
            ended = _bake(client, parcel.place, query, story)
        except CutOff:
            story.line("The platform has ended in the middle of the bake; asking for it again")
            ended = _bake(client, parcel.place, query, story)
    if ended["state"] != "succeeded":
        raise told(ended["code"] or BakeFailed.code, ended["error"], None)
    return ended["result"]


def _bake(client: Client, parcel: Path, query: dict[str, str | None], story: Story) -> dict[str, Any]:
    """The bake as it ended. Raises CutOff where the platform ended first: it knows nothing of it then."""
    with parcel.open("rb") as archive:
        begun = client.upload("/v1/bakes", archive, **query)
    try:
        return _follow(client, begun["id"], story)
    except KeyboardInterrupt:
        interrupting.ignore()
        with suppress(PavedError):
            client.delete(f"/v1/bakes/{segment(begun['id'])}", within=_STOP_SECONDS)
            note("The bake was stopped; nothing has changed.")
        raise


def _follow(client: Client, bake: str, story: Story) -> dict[str, Any]:
    for event in client.follow(f"/v1/bakes/{segment(bake)}/events"):
        if event.name == "finished":
            return event.data
        story.line(event.data["line"])
    return client.get(f"/v1/bakes/{segment(bake)}")
