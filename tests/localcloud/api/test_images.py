from __future__ import annotations

import hashlib
import json
import time
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from pavedroad.localcloud.api.ec2 import layers
from pavedroad.localcloud.api.ec2.images import read_manifest
from pavedroad.localcloud.api.ec2.layers import LayerStore, LayerUpkeep, Registered
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Layer

CONTENT = b"a layer"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
GOOD: dict[str, Any] = {
    "schema": 1,
    "command": "./serve",
    "environment": {"A": "b"},
    "stop_seconds": 5,
    "port": 8080,
    "layers": [{"digest": DIGEST, "path": ".", "shared": True, "key": "layers/one"}],
}


class Shelf:
    """Objects by bucket/key."""

    def __init__(self, **objects: bytes) -> None:
        self._objects = {name.replace("__", "/"): content for name, content in objects.items()}

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
        content = self._objects.get(f"{bucket}/{key}")
        return None if content is None else BytesIO(content)


def shelf(manifest: object = GOOD) -> Shelf:
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return Shelf(images__app=text, images__layers__one=CONTENT)


def test_a_manifest_says_what_a_guest_boots() -> None:
    image = read_manifest(shelf(), "1", "images/app").guest_image("ami-1")
    assert image.command == "./serve"
    assert image.environment == {"A": "b", "PORT": "8080"}
    assert image.stop_seconds == 5
    assert image.layers == (Layer(DIGEST, ".", True),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema is 2"),
        ({"command": 5}, "command is not a text"),
        ({"environment": ["A"]}, "environment is not an object of texts"),
        ({"stop_seconds": -1}, "stop_seconds is not a whole number from 0 to 3600"),
        ({"port": 70000}, "port is not a whole number from 1 to 65535"),
        ({"layers": {}}, "layers is not an array"),
        ({"layers": [{"digest": "sha256:1", "path": ".", "key": "k"}]}, "not sha256:<64 hex digits>"),
        ({"layers": [{"digest": DIGEST, "path": "../up", "key": "k"}]}, "leads out of the root"),
        ({"layers": [{"digest": DIGEST, "path": ".", "shared": 1, "key": "k"}]}, "shared is neither"),
        ({"layers": [{"digest": DIGEST, "path": "."}]}, "key is not a text"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_with_what_is_wrong(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceError) as refused:
        read_manifest(shelf({**GOOD, **change}), "1", "images/app")
    assert refused.value.code == "InvalidManifest"
    assert said in refused.value.message


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b" " * (2**20 + 1)])
def test_what_is_no_manifest_at_all_is_refused(text: bytes) -> None:
    with pytest.raises(ServiceError, match="InvalidManifest"):
        read_manifest(shelf(text), "1", "images/app")


@pytest.mark.parametrize("location", ["", "images", "images/", "images/none", "none/app"])
def test_a_manifest_that_is_not_there_is_refused(location: str) -> None:
    with pytest.raises(ServiceError, match="There is no manifest"):
        read_manifest(shelf(), "1", location)


def test_layers_are_kept_under_their_digest(tmp_path: Path) -> None:
    objects = shelf()
    LayerStore(tmp_path).fetch(objects, "1", read_manifest(objects, "1", "images/app"))
    assert [path.name for path in tmp_path.iterdir()] == [f"{DIGEST.removeprefix('sha256:')}.tar.zst"]
    assert next(tmp_path.iterdir()).read_bytes() == CONTENT


def test_a_layer_that_is_not_what_its_digest_says_leaves_nothing(tmp_path: Path) -> None:
    manifest = read_manifest(shelf(), "1", "images/app")
    with pytest.raises(ServiceError, match="has the digest"):
        LayerStore(tmp_path).fetch(Shelf(images__layers__one=b"another"), "1", manifest)
    assert list(tmp_path.iterdir()) == []


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    manifest = read_manifest(shelf(), "1", "images/app")
    with pytest.raises(ServiceError, match="There is no layer at 'images/layers/one'"):
        LayerStore(tmp_path).fetch(Shelf(), "1", manifest)


def name_of(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')}.tar.zst"


@pytest.mark.parametrize("found", [b"", CONTENT[:-1], CONTENT + b"x", b"X layer"])
def test_a_layer_that_is_not_whole_is_fetched_again(tmp_path: Path, found: bytes) -> None:
    (tmp_path / name_of(DIGEST)).write_bytes(found)
    objects = shelf()
    store = LayerStore(tmp_path)
    store.fetch(objects, "1", read_manifest(objects, "1", "images/app"))
    assert (tmp_path / name_of(DIGEST)).read_bytes() == CONTENT
    (tmp_path / name_of(DIGEST)).write_bytes(found)
    store.fetch(objects, "1", read_manifest(objects, "1", "images/app"))
    assert (tmp_path / name_of(DIGEST)).read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == [name_of(DIGEST)]


class Breaking(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(3)


def test_a_layer_whose_coming_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    class Cut(Shelf):
        def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
            return Breaking(CONTENT)

    (tmp_path / ".coming-of-a-process-that-was-killed").write_bytes(b"half")
    store = LayerStore(tmp_path)
    with pytest.raises(ServiceError, match="could not be kept: Input/output error"):
        store.fetch(Cut(), "1", read_manifest(shelf(), "1", "images/app"))
    assert list(tmp_path.iterdir()) == []


def upkeep(
    store: LayerStore, registered: list[Registered], in_use: set[str] | None, *, saved: int = 0
) -> LayerUpkeep:
    return LayerUpkeep(
        State(), store, shelf(), registered=lambda: registered, in_use=lambda: in_use, saved=lambda: saved
    )


def test_a_layer_that_was_set_aside_comes_back_while_its_image_is_registered(tmp_path: Path) -> None:
    store = LayerStore(tmp_path)
    (tmp_path / f".damaged-{name_of(DIGEST)}").write_bytes(b"half")
    upkeep(store, [Registered("1", "images/app", (DIGEST,))], set()).step()
    assert [file.name for file in tmp_path.iterdir()] == [name_of(DIGEST)]
    assert (tmp_path / name_of(DIGEST)).read_bytes() == CONTENT


def test_a_layer_that_could_not_come_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, things, whole = LayerStore(tmp_path), shelf(), shelf()
    monkeypatch.setattr(things, "open", lambda *_: None)
    keeper = LayerUpkeep(
        State(),
        store,
        things,
        registered=lambda: [Registered("1", "images/app", (DIGEST,))],
        in_use=set,
        saved=lambda: 0,
    )
    keeper.step()
    monkeypatch.setattr(things, "open", whole.open)
    keeper.step()
    assert not store.has(DIGEST)  # not at once
    later = time.monotonic() + 3600
    monkeypatch.setattr(layers.time, "monotonic", lambda: later)
    keeper.step()
    assert store.has(DIGEST)


def test_layers_that_nothing_names_are_removed_with_what_was_damaged_of_them(tmp_path: Path) -> None:
    store = LayerStore(tmp_path)
    image, machine, gone = (f"sha256:{digit * 64}" for digit in "123")
    for digest in (image, machine, gone):
        (tmp_path / name_of(digest)).write_bytes(b"x")
    (tmp_path / f".damaged-{name_of(gone)}").write_bytes(b"x")
    (tmp_path / "anything-else").write_bytes(b"x")
    registered = [Registered("1", "images/none", (image,))]
    upkeep(store, registered, None).step()
    assert len(list(tmp_path.iterdir())) == 5, "while an image is made of an instance nothing goes"
    upkeep(store, registered, {machine}, saved=-1).step()
    assert len(list(tmp_path.iterdir())) == 5, "what is on disk may still name them"
    upkeep(store, registered, {machine}).step()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["anything-else", name_of(image), name_of(machine)]
    )


def test_layers_of_an_image_that_is_being_registered_stay(tmp_path: Path) -> None:
    store, objects = LayerStore(tmp_path), shelf()
    manifest = read_manifest(objects, "1", "images/app")
    with store.holding(manifest), store.holding(manifest):
        store.fetch(objects, "1", manifest)
        upkeep(store, [], set()).step()
        assert store.has(DIGEST)
    with store.holding(manifest):
        upkeep(store, [], set()).step()
        assert store.has(DIGEST)
    upkeep(store, [], set()).step()
    assert not store.has(DIGEST)
