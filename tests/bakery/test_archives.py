"""Archives: alike from like contents, and safe to unpack whoever sent them."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from pavedroad.bakery.archives import entries_below, pack
from pavedroad.bakery.packing import pack_folder
from pavedroad.bakery.unpacking import unpack
from pavedroad.core.errors import InvalidInput, TooLarge
from pavedroad.manifest.model import Manifest
from tests.bakery.kitchen import write

MANIFEST = Manifest(application="a", owner="b", command="c")


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


def test_the_same_files_make_the_same_archive_whenever_they_were_written(tmp_path: Path) -> None:
    digests: set[str] = set()
    for turn in ("one", "two"):
        folder = write(tmp_path / turn, {"b": "x", "a/c": "y"} if turn == "one" else {"a/c": "y", "b": "x"})
        os.utime(folder / "b", (len(digests), 7))
        digests.add(pack(entries_below(folder), tmp_path / f"{turn}.tar.zst").digest)
    assert len(digests) == 1


def test_a_changed_file_of_the_same_size_has_another_time(tmp_path: Path) -> None:
    times: set[int] = set()
    for text in ("v1", "v2"):
        pack(entries_below(write(tmp_path / text, {"index.html": text})), tmp_path / "packed")
        unpack(tmp_path / "packed", tmp_path / f"out-{text}")
        times.add(int((tmp_path / f"out-{text}/index.html").stat().st_mtime))
    assert len(times) == 2


def test_a_packed_folder_unpacks_as_it_was(tmp_path: Path) -> None:
    source = write(
        tmp_path / "source", {"paved.yaml": "m", "run": "#!/bin/sh\n", "sub/b": "x", "skip.log": ""}
    )
    (source / "run").chmod(0o755)
    (source / "link").symlink_to("sub/b")
    (source / ".gitignore").write_text("*.log\n")
    parcel = pack_folder(source, MANIFEST, tmp_path / "parcel")
    assert (parcel.files, parcel.packed_bytes) == (5, (tmp_path / "parcel").stat().st_size)
    unpack(tmp_path / "parcel", tmp_path / "out")
    assert sorted(place.name for place in (tmp_path / "out").rglob("*")) == [
        ".gitignore",
        "b",
        "link",
        "paved.yaml",
        "run",
        "sub",
    ]
    assert os.access(tmp_path / "out/run", os.X_OK)
    assert (tmp_path / "out/link").read_text() == "x"


def test_manifests_that_share_a_folder_make_the_same_files(tmp_path: Path) -> None:
    text = "application: site\nowner: me\ncommand: ./serve\n"
    files = {"paved.yaml": text, "dev.yaml": text, "prod.yml": text + "stack: prod\n", "conf.yaml": "a: 1\n"}
    folder = write(tmp_path / "source", files)
    for name, manifest in (("prod.yml", "stack: prod"), ("dev.yaml", "./serve"), (".", "./serve")):
        pack_folder(folder / name, MANIFEST, tmp_path / "parcel")
        unpack(tmp_path / "parcel", tmp_path / f"out-{name}")
        assert {place.name for place in (tmp_path / f"out-{name}").iterdir()} == {"conf.yaml", "paved.yaml"}
        assert (tmp_path / f"out-{name}/paved.yaml").read_text().strip().endswith(manifest)


def test_a_folder_without_manifest_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"There is no file .*paved\.yaml"):
        pack_folder(write(tmp_path / "source", {"a": ""}), MANIFEST, tmp_path / "parcel")


@pytest.mark.parametrize("compress", [zstandard.compress, gzip.compress, bytes])
def test_the_compression_is_told_by_the_first_bytes(tmp_path: Path, compress: type[bytes]) -> None:
    (tmp_path / "body").write_bytes(compress(tar_of((tarfile.TarInfo("a"), b"x"))))
    unpack(tmp_path / "body", tmp_path / "out")
    assert (tmp_path / "out/a").read_text() == "x"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}" * 5000,
        zstandard.compress(b"hello" * 999),
        b"\x28\xb5\x2f\xfdbroken",
        b"\x1f\x8bbroken",
    ],
)
def test_what_is_no_archive_is_refused_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "body").write_bytes(body)
    with pytest.raises(InvalidInput, match="not a tar archive"):
        unpack(tmp_path / "body", tmp_path / "out")


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    whole = zstandard.compress(tar_of((tarfile.TarInfo("a"), os.urandom(100_000))))
    (tmp_path / "body").write_bytes(whole[:50_000])
    with pytest.raises(InvalidInput, match="not a tar archive"):
        unpack(tmp_path / "body", tmp_path / "out")


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(zstandard.compress(tar_of((tarfile.TarInfo("a"), bytes(50_000_000)))))
    assert (tmp_path / "body").stat().st_size < 100_000
    with pytest.raises(TooLarge):
        unpack(tmp_path / "body", tmp_path / "out", largest=1_000_000)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_could_not_be_unpacked_again_is_not_packed(tmp_path: Path) -> None:
    """A file with holes may say any size, and would be read for hours."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").touch()
    os.truncate(tmp_path / "source" / "file", 1 << 40)
    with pytest.raises(TooLarge, match="an image may have"):
        pack(entries_below(tmp_path / "source"), tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_what_is_unpacked_is_ours_and_nobody_elses_to_write(tmp_path: Path) -> None:
    odd = tarfile.TarInfo("tool")
    odd.mode, odd.uid, odd.gid = 0o6777, 12345, 12345
    (tmp_path / "body").write_bytes(tar_of((odd, b"x")))
    unpack(tmp_path / "body", tmp_path / "whole")
    made = (tmp_path / "whole" / "tool").stat()
    assert (made.st_mode & 0o7777, made.st_uid) == (0o755, os.geteuid())
