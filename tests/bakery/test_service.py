"""Images: baked once, named and tagged, forgotten when nobody needs them."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from pavedroad.access.audit import Audit
from pavedroad.access.model import AuditQuery
from pavedroad.bakery.model import Revision
from pavedroad.core.errors import BakeFailed, CloudFailed, Conflict, InvalidInput, NotFound
from pavedroad.core.places import Places
from tests.bakery.kitchen import WHO, Kitchen, left_in, read, write
from tests.clouds.contract import a_group, a_target_group
from tests.waiting import eventually_async

MANIFEST = """
    application: site
    owner: team-road
    command: exec python3 -m http.server $PORT --bind $HOST --directory public
"""


def source(folder: Path, text: str = "one", more: str = "") -> Path:
    return write(folder, {"paved.yaml": MANIFEST + more, "public/index.html": text})


async def test_files_are_shipped_as_they_are(kitchen: Kitchen, tmp_path: Path) -> None:
    result = await kitchen.bake(source(tmp_path / "site"))
    with kitchen.booted(await kitchen.root(result), await kitchen.image_manifest(result)) as url:
        assert read(url) == "one"


async def test_a_build_command_ships_what_it_leaves(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(tmp_path / "site", more="    build: mkdir -p public && echo built > public/made.txt\n")
    (folder / ".gitignore").write_text("made.txt\n")
    result = await kitchen.bake(folder)
    assert (await kitchen.root(result) / "public/made.txt").read_text() == "built\n"
    assert not (folder / "public/made.txt").exists()


async def test_an_unchanged_folder_is_not_baked_again_unless_told(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(tmp_path / "site")
    first = await kitchen.bake(folder)
    again = await kitchen.bake(folder)
    assert (again.image_id, again.version, again.reused) == (first.image_id, first.version, True)
    anew = await kitchen.bake(folder, rebake=True)
    assert not anew.reused
    assert anew.image_id != first.image_id


@pytest.mark.parametrize(
    ("more", "changes"),
    [
        ("    capacity: 7\n", False),
        ("    health: /healthz\n", False),
        ("    environment: {A: x}\n", True),
        ("    port: 9000\n", True),
        ("    stop: 1s\n", True),
        ("    build: 'true'\n", True),
    ],
)
async def test_only_what_goes_into_an_image_changes_its_key(
    kitchen: Kitchen, tmp_path: Path, more: str, changes: bool
) -> None:
    first = await kitchen.bake(source(tmp_path / "site"))
    second = await kitchen.bake(source(tmp_path / "site", more=more))
    assert (second.key != first.key) == changes


async def test_another_version_of_the_same_files_is_another_image(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(tmp_path / "site")
    one = await kitchen.bake(folder, version="1.0")
    two = await kitchen.bake(folder, version="2.0")
    assert one.image_id != two.image_id
    assert (await kitchen.bake(folder, version="1.0")).image_id == one.image_id


async def test_an_image_says_what_it_is(kitchen: Kitchen, tmp_path: Path) -> None:
    result = await kitchen.bake(source(tmp_path / "site"), version="1.2.3", revision=Revision("abc123"))
    image = await kitchen.cloud.image(result.image_id)
    assert image.tags["appversion"] == "site-1.2.3-h0.abc123"
    assert image.tags["pavedroad:application"] == "site"
    assert image.tags["pavedroad:owner"] == "team-road"
    assert image.tags["pavedroad:baked-by"] == "ada"
    assert image.tags["pavedroad:key"] == result.key
    assert image.name.startswith(f"site-1.2.3-{result.key[:12]}-20")
    (view,) = await kitchen.bakery.images("site")
    assert (view.id, view.version, view.commit, view.baked_by) == (image.id, "1.2.3", "abc123", "ada")
    assert await kitchen.bakery.images("other") == []
    assert await kitchen.bakery.images("w\x07×") == []


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        (None, r"\d{14}"),
        (Revision("3f2a91c"), "3f2a91c"),
        (Revision("3f2a91c", dirty=True), r"3f2a91c\+dirty\.[0-9a-f]{6}"),
    ],
)
async def test_without_a_version_the_revision_or_the_time_is_one(
    kitchen: Kitchen, tmp_path: Path, revision: Revision | None, version: str
) -> None:
    result = await kitchen.bake(source(tmp_path / "site"), revision=revision)
    assert re.fullmatch(version, result.version)


async def test_an_image_baked_of_changes_is_not_that_of_a_commit(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(tmp_path / "site")
    clean = await kitchen.bake(folder, revision=Revision("3f2a91c"))
    (folder / "public/index.html").write_text("changed")
    dirty = await kitchen.bake(folder, revision=Revision("3f2a91c", dirty=True))
    again = await kitchen.bake(folder, revision=Revision("3f2a91c", dirty=True))
    committed = await kitchen.bake(folder, revision=Revision("77b01ee"))
    assert len({clean.image_id, dirty.image_id, committed.image_id}) == 3
    assert (again.image_id, again.reused) == (dirty.image_id, True)
    assert (clean.version, committed.version) == ("3f2a91c", "77b01ee")
    (folder / "public/index.html").write_text("changed again")
    other = await kitchen.bake(folder, revision=Revision("3f2a91c", dirty=True))
    assert other.version != dirty.version
    assert "3f2a91c_dirty." in (await kitchen.cloud.image(dirty.image_id)).name


async def test_bakes_of_the_same_folder_at_once_build_once(
    kitchen: Kitchen, tmp_path: Path, places: Places
) -> None:
    folder = source(tmp_path / "site", more="    build: echo x >> ~/built; sleep 0.3\n")
    results = await asyncio.gather(*(kitchen.bake(folder) for _ in range(4)))
    assert len({result.image_id for result in results}) == 1
    assert [result.reused for result in results].count(False) == 1
    assert (places.builds / "homes/site/built").read_text() == "x\n"


async def test_a_failed_build_says_why_and_leaves_nothing(
    kitchen: Kitchen, tmp_path: Path, places: Places, audit: Audit
) -> None:
    with pytest.raises(BakeFailed, match=r"(?s)`echo broken; exit 3` failed: it ended with status 3.*broken"):
        await kitchen.bake(source(tmp_path / "site", more="    build: echo broken; exit 3\n"))
    assert await kitchen.bakery.images() == []
    assert left_in(places.builds) == []
    (entry,) = await audit.entries(AuditQuery(action="bake"))
    assert (entry.principal, entry.subject, entry.outcome) == ("ada", "site", "refused")


async def test_a_cancelled_bake_leaves_nothing(kitchen: Kitchen, tmp_path: Path, places: Places) -> None:
    bake = asyncio.create_task(kitchen.bake(source(tmp_path / "site", more="    build: echo on; sleep 60\n")))

    async def begun() -> bool:
        return "on" in kitchen.lines

    await eventually_async(begun)
    bake.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bake
    assert left_in(places.builds) == []


async def test_what_a_killed_bakery_left_is_swept(kitchen: Kitchen, tmp_path: Path, places: Places) -> None:
    write(places.builds / "work-left-behind", {"a": "x"})
    await kitchen.bake(source(tmp_path / "site"))
    assert left_in(places.builds) == []


async def test_a_cloud_that_refuses_is_told_and_the_next_bake_succeeds(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.cloud.refuse("register_image", CloudFailed("no more images"))
    with pytest.raises(CloudFailed, match="no more images"):
        await kitchen.bake(source(tmp_path / "site"))
    assert not (await kitchen.bake(source(tmp_path / "site"))).reused


PYTHON = {
    "paved.yaml": """
        application: site
        owner: team-road
        command: python -m http.server $PORT --bind $HOST --directory public
        build: {kind: python, command: python -c 'import six'}
    """,
    "requirements.txt": "six==1.17.0\n",
    "public/index.html": "one",
}


@pytest.mark.parametrize("cut", [0, 700, -1])
async def test_a_layer_that_was_cut_short_in_the_cloud_is_made_again(
    kitchen: Kitchen, tmp_path: Path, cut: int
) -> None:
    folder = write(tmp_path / "site", PYTHON)
    first = await kitchen.image_manifest(await kitchen.bake(folder))
    for layer in first["layers"]:
        whole = await kitchen.cloud.get_object(layer["key"])
        await kitchen.cloud.put_object(layer["key"], whole[:cut])
    (folder / "public/index.html").write_text("two")
    result = await kitchen.bake(folder)
    second = await kitchen.image_manifest(result)
    assert second["layers"][1] == first["layers"][1]
    with kitchen.booted(await kitchen.root(result), second) as url:
        assert read(url) == "two"


async def test_a_layer_of_other_bytes_is_made_again(kitchen: Kitchen, tmp_path: Path, places: Places) -> None:
    """Found when a build looks into it, or when the cloud refuses it."""
    folder = write(tmp_path / "site", PYTHON)
    first = await kitchen.image_manifest(await kitchen.bake(folder))
    dependencies = first["layers"][1]
    whole = await kitchen.cloud.get_object(dependencies["key"])
    await kitchen.cloud.put_object(dependencies["key"], bytes(len(whole)))
    shutil.rmtree(places.builds / "trees")
    (folder / "public/index.html").write_text("two")
    await kitchen.bake(folder)
    assert await kitchen.cloud.get_object(dependencies["key"]) == whole
    assert any("is not what it was when it was made. All layers" in line for line in kitchen.lines)

    await kitchen.cloud.put_object(dependencies["key"], bytes(len(whole)))
    (folder / "public/index.html").write_text("three")
    kitchen.cloud.refuse("register_image", CloudFailed("another digest", aws_code="InvalidManifest"))
    await kitchen.bake(folder)
    assert await kitchen.cloud.get_object(dependencies["key"]) == whole


@pytest.mark.parametrize("version", ["", "a b", "x" * 65, "../up", "-v"])
async def test_a_version_that_is_none_is_refused(kitchen: Kitchen, tmp_path: Path, version: str) -> None:
    with pytest.raises(InvalidInput, match="is no version"):
        await kitchen.bake(source(tmp_path / "site"), version=version)


async def test_an_image_in_use_is_not_forgotten(kitchen: Kitchen, tmp_path: Path) -> None:
    result = await kitchen.bake(source(tmp_path / "site"))
    cloud = kitchen.cloud
    spec = a_group(await cloud.image(result.image_id), await a_target_group(cloud))
    await cloud.create_server_group(spec)
    with pytest.raises(Conflict, match=f"is used by {spec.name}"):
        await kitchen.bakery.forget(WHO, result.image_id)
    await cloud.delete_server_group(spec.name, known_by=spec.known_by)
    while await cloud.server_groups():
        pass
    await kitchen.bakery.forget(WHO, result.image_id)
    with pytest.raises(NotFound):
        await kitchen.bakery.forget(WHO, result.image_id)
