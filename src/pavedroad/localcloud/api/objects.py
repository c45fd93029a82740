"""The bytes of S3's objects, in files named by their content, so that snapshots of state stay small."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_INLINE = 16 * 1024
_YOUNG_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Blob:
    """Small contents are here, others in the file that the digest names."""

    size: int
    digest: str
    inline: bytes | None


class BlobStore:
    """`<folder>/<2 hex>/<62 hex>`. Contents are written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes) -> Blob:
        digest = hashlib.sha256(content).hexdigest()
        if len(content) <= _INLINE:
            return Blob(len(content), digest, content)
        path = self._path(digest)
        if path.exists():
            os.utime(path)
            return Blob(len(content), digest, None)
        path.parent.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".coming-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        return Blob(len(content), digest, None)

    def get(self, blob: Blob) -> bytes:
        return self._path(blob.digest).read_bytes() if blob.inline is None else blob.inline

    def open(self, blob: Blob) -> BinaryIO:
        return self._path(blob.digest).open("rb") if blob.inline is None else BytesIO(blob.inline)

    def keep_only(self, digests: set[str]) -> None:
        """Delete what no object holds any more, but for what has just come."""
        oldest = time.time() - _YOUNG_SECONDS
        for folder in self._folder.iterdir():
            for path in folder.iterdir():
                if folder.name + path.name not in digests and path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]
