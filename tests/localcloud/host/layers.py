"""Layers for tests: made as the bakery makes them, put where the API process puts them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import zstandard

from pavedroad.localcloud.wanted import Layer


def put_layer(
    home: Path, files: dict[str, bytes | tarfile.TarInfo], *, path: str = ".", shared: bool = False
) -> Layer:
    """A layer in the image store: contents by name, executable, or members as they are."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    packed = zstandard.ZstdCompressor().compress(plain.getvalue())
    digest = hashlib.sha256(packed).hexdigest()
    folder = home / "images" / "layers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.tar.zst").write_bytes(packed)
    return Layer(f"sha256:{digest}", path, shared)
