"""Images: layers unpacked once, roots made of them, and every way that can go wrong."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from pavedroad.localcloud.host.images import ImageStore
from pavedroad.localcloud.host.nursery.messages import Part
from pavedroad.localcloud.host.nursery.root import prepare
from pavedroad.localcloud.wanted import GuestImage, Layer
from tests.localcloud.host.layers import put_layer
from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually


def test_a_guest_runs_from_its_layers(machine: Machine) -> None:
    shared = put_layer(
        machine.home, {"bin/greet": b"#!/bin/sh\necho greetings from $0\n"}, path=".venv", shared=True
    )
    own = put_layer(machine.home, {"serve": b"#!/bin/sh\n.venv/bin/greet\npwd\nsleep 1000\n", "data/x": b"1"})
    it = guest("./serve", layers=(shared, own))
    machine.want(it)
    root = machine.home / "instances" / it.id / "root"
    machine.printed(it, str(root))
    assert "greetings from .venv/bin/greet" in machine.console(it)
    assert (root / ".venv").is_symlink()
    assert (root / "data" / "x").read_bytes() == b"1"


def test_programs_of_the_image_are_found_by_their_names(machine: Machine) -> None:
    greet = put_layer(machine.home, {"bin/greet": b"#!/bin/sh\necho $1 $HOST\n"}, path=".venv", shared=True)
    it = guest("greet hello", layers=(greet,))
    machine.want(it)
    assert machine.ended(it).reason == "exited with status 0"
    assert f"hello {it.address}" in machine.console(it)


def test_guests_that_start_at_once_unpack_a_layer_once_and_do_not_share_copies(machine: Machine) -> None:
    layer = put_layer(machine.home, {f"file{number}": b"x" * 1000 for number in range(200)})
    guests = [guest("echo $HOST > file0; sleep 1000", layers=(layer,)) for _ in range(8)]
    machine.want(*guests)
    for it in guests:
        machine.running(it)
    for it in guests:
        file = machine.home / "instances" / it.id / "root" / "file0"
        eventually(lambda file=file, it=it: file.read_text().strip() == it.address)
    unpacked = machine.home / "images" / "unpacked"
    assert (unpacked / layer.digest.removeprefix("sha256:") / "file0").read_bytes() == b"x" * 1000
    assert not list(unpacked.glob(".unpacking-*"))
    assert "fork() handlers" not in machine.log(), "gRPC has no part in what the host forks"


def _link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def _device(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.CHRTYPE
    return member


@pytest.mark.parametrize(
    "files",
    [
        {"../escaped": b"x"},
        {"out": _link("out", "/tmp", tarfile.SYMTYPE), "out/escaped": b"x"},
        {"hard": _link("hard", "../../../host.lock", tarfile.LNKTYPE)},
        {"null": _device("null")},
    ],
    ids=["parent folder", "through a link", "hard link", "device"],
)
def test_a_layer_that_reaches_out_of_its_folder_is_refused(
    machine: Machine, files: dict[str, bytes | tarfile.TarInfo]
) -> None:
    it = guest("true", layers=(put_layer(machine.home, files),))
    machine.want(it)
    ended = machine.ended(it)
    assert ended.state == "failed"
    assert "could not be unpacked" in ended.reason
    assert not Path("/tmp/escaped").exists()
    assert not (machine.home / "images" / "unpacked" / "escaped").exists()


def test_a_layer_that_is_not_there_is_told(machine: Machine) -> None:
    it = guest("true", layers=(Layer(f"sha256:{'0' * 64}", ".", False),))
    machine.want(it)
    ended = machine.ended(it)
    assert ended.state == "failed"
    assert ended.reason == "could not start: The image's layer 000000000000 is not in the image store."


def test_a_damaged_layer_is_told_and_a_whole_one_in_its_place_boots(machine: Machine) -> None:
    layer = put_layer(machine.home, {"serve": b"#!/bin/sh\nsleep 1000\n"})
    file = machine.home / "images" / "layers" / f"{layer.digest.removeprefix('sha256:')}.tar.zst"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    it = guest("./serve", layers=(layer,))
    machine.want(it)
    assert "its bytes are not those that its digest names; it is set aside" in machine.ended(it).reason
    assert not file.exists()
    file.write_bytes(whole)
    again = guest("./serve", layers=(layer,))
    machine.want(again)
    machine.running(again)


def test_a_guest_waits_for_a_damaged_layer_to_be_brought_again(machine: Machine) -> None:
    layer = put_layer(machine.home, {"serve": b"#!/bin/sh\nsleep 1001\n"})
    file = machine.home / "images" / "layers" / f"{layer.digest.removeprefix('sha256:')}.tar.zst"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    it = guest("./serve", layers=(layer,))
    machine.want(it)
    eventually(lambda: not file.exists())
    file.with_suffix(".coming").write_bytes(whole)
    file.with_suffix(".coming").rename(file)
    machine.running(it)


async def test_of_unpacked_layers_that_no_guest_uses_few_stay(
    tmp_path: Path,
) -> None:
    store = ImageStore(tmp_path / "images")
    unpacked = tmp_path / "images" / "unpacked"
    layers = [put_layer(tmp_path, {"x": b"%d" % number}) for number in range(12)]
    names = [layer.digest.removeprefix("sha256:") for layer in layers]
    for number, layer in enumerate(layers):
        await store.parts(GuestImage("ami-1", (layer,)))
        os.utime(unpacked / names[number], (number, number))
    await store.parts(GuestImage("ami-1", (layers[1],)))  # of use again
    (tmp_path / "images" / "layers" / f"{names[11]}.tar.zst").unlink()
    await store.collect(lambda: {names[0]})
    left = {folder.name for folder in unpacked.iterdir()}
    assert left == {names[0], names[1], *names[4:11]}
    await store.parts(GuestImage("ami-1", (layers[2],)))
    assert (unpacked / names[2] / "x").read_bytes() == b"2"


def test_a_layer_is_not_put_where_a_link_of_another_leads(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("theirs")
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "etc").symlink_to(outside)
    (first / "passwd").symlink_to(outside / "passwd")
    (second / "etc").mkdir(parents=True)
    for file in (second / "etc" / "passwd", second / "passwd"):
        file.write_text("ours")
    lower = Part(str(first), ".", False)
    root = Path(prepare(str(tmp_path / "guest"), [lower, Part(str(second), ".", False)]))
    other = Path(prepare(str(tmp_path / "other"), [lower, Part(str(second), "etc/more", False)]))
    assert [path.read_text() for path in (root / "etc/passwd", root / "passwd")] == ["ours", "ours"]
    assert (other / "etc/more/passwd").read_text() == "ours"
    assert [file.name for file in outside.iterdir()] == ["passwd"]
    assert (outside / "passwd").read_text() == "theirs"


@pytest.mark.parametrize(("path", "shared"), [("../up", False), ("/etc", False), (".", True)])
def test_a_layer_placed_outside_the_root_is_refused(machine: Machine, path: str, shared: bool) -> None:
    it = guest("true", layers=(put_layer(machine.home, {"x": b"x"}, path=path, shared=shared),))
    machine.want(it)
    assert machine.ended(it).state == "failed"
