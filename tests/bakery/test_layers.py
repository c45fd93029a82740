"""Layers found again by what they were made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pavedroad.bakery.layers import BY_KEY, Layers
from pavedroad.bakery.turns import Turns
from pavedroad.clouds.memory import MemoryClouds


@pytest.mark.parametrize("record", [b"", b"[]", b'{"digest": "sha256:0"}'])
async def test_a_layer_is_made_again_where_its_record_is_garbled(tmp_path: Path, record: bytes) -> None:
    cloud, made = MemoryClouds().region("us-east-1"), list[Path]()

    async def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("content")

    async def layer() -> str:
        return (await Layers(cloud, tmp_path, Turns()).made_from("key", path="lib", make=make)).digest

    first = await layer()
    assert (await layer(), len(made)) == (first, 1)
    await cloud.put_object(f"{BY_KEY}key.json", record)
    assert (await layer(), len(made)) == (first, 2)
    assert (await layer(), len(made)) == (first, 2)
