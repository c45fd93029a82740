"""A layer is made of a root whose programs are not ours, and may run meanwhile."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pavedroad.localcloud.host.pack import pack


def _unpacked(layers: Path, digest: str) -> dict[str, bytes | str]:
    """By name: contents, where links lead, and for folders nothing."""
    plain = zstandard.ZstdDecompressor().stream_reader((layers / f"{digest}.tar.zst").read_bytes()).read()
    found: dict[str, bytes | str] = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            found[member.name] = file.read() if file else member.linkname
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("root/data", "layers", "ours"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "ours" / "token").write_text("secret")
    (tmp_path / "root" / "data" / "token").write_text("guest's")
    (tmp_path / "root" / "file").write_text("guest's")
    return tmp_path / "root"


def test_files_folders_and_links_are_in_it_and_pipes_and_sockets_are_not(root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to("/etc/hostname")
    os.mkfifo(root / "pipe")
    (root / "left" / "out").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"/proc/self/fd/{os.open(root, os.O_RDONLY)}/socket")
        digest = pack(root, tmp_path / "layers", frozenset({"left/out"}))
    assert _unpacked(tmp_path / "layers", digest) == {
        "data": "",
        "data/token": b"guest's",
        "file": b"guest's",
        "left": "",
        "link": "/etc/hostname",
    }


@pytest.mark.parametrize("name", ["file", "data"])
def test_what_a_guest_makes_a_link_while_it_is_read_leads_nowhere(
    root: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def swapped(path: Any, *arguments: Any, **named: Any) -> int:
        if path == name:
            (root / name).rename(tmp_path / "aside")
            (root / name).symlink_to(tmp_path / "ours" / ("" if name == "data" else "token"))
        return really(path, *arguments, **named)

    monkeypatch.setattr(os, "open", swapped)
    digest = pack(root, tmp_path / "layers", frozenset())
    assert b"secret" not in _unpacked(tmp_path / "layers", digest).values()
    assert name not in _unpacked(tmp_path / "layers", digest)


def test_a_disk_that_could_not_be_unpacked_again_is_not_packed(root: Path, tmp_path: Path) -> None:
    """Files with holes may say any size, and would be read for hours."""
    os.truncate(root / "file", 1 << 40)
    with pytest.raises(OSError, match="its files have more than 32 GiB"):
        pack(root, tmp_path / "layers", frozenset())
    assert not list((tmp_path / "layers").iterdir())
