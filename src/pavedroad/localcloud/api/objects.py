"""The bytes of S3's objects, in files named by their content, so that snapshots of state stay small."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pavedroad.core.files import sync
from pavedroad.localcloud.api.drafts import Drafts
from pavedroad.localcloud.api.integrity import Damage, DamagedContents, Integrity

_INLINE = 16 * 1024
_YOUNG_SECONDS = 120.0
_COMING = ".coming"
_PIECE = 1 << 20
_COUNTED_FIRST = 8 << 20
"""Contents up to this size are counted before anything of them is given out."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Small contents are here, others in the file that the digest names."""

    size: int
    digest: str
    inline: bytes | None


class BlobStore:
    """`<folder>/<2 hex>/<62 hex>`. Contents are written once and never changed: whoever has opened one reads
    it to its end. All that `put` gives is on the disk. What is damaged there is given out to nobody as whole:
    `DamagedContents` says so before, or at the latest before the last piece."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settling = threading.Lock()
        self._integrity = Integrity()
        (folder / _COMING).mkdir(parents=True, exist_ok=True)
        self.drafts = Drafts(folder / _COMING)

    @property
    def failure(self) -> str:
        """Why contents were not saved in the last minute, if none were since; else empty."""
        return self.drafts.failure

    def put(self, content: bytes) -> Blob:
        return self.put_pieces([content])

    def put_pieces(self, pieces: Iterable[bytes]) -> Blob:
        """What they are together; of large contents never all in memory. If they raise, nothing stays.
        A `ServiceError` where the disk does not take them."""
        first = bytearray()
        coming = iter(pieces)
        for piece in coming:
            first += piece
            if len(first) > _INLINE:
                break
        else:
            return Blob(len(first), hashlib.sha256(first).hexdigest(), bytes(first))
        try:
            blob = self._on_disk(first, coming)
        except OSError as error:
            raise self.drafts.refused(error) from error
        self.drafts.kept()
        return blob

    def _on_disk(self, first: bytes | bytearray, coming: Iterator[bytes]) -> Blob:
        digest, size = hashlib.sha256(), 0
        descriptor, name = tempfile.mkstemp(dir=self._folder / _COMING)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in chain([bytes(first)], coming):
                    digest.update(piece)
                    file.write(piece)
                    size += len(piece)
                file.flush()
                os.fsync(file.fileno())
            self._settle(Path(name), digest.hexdigest())
        finally:
            Path(name).unlink(missing_ok=True)
        return Blob(size, digest.hexdigest(), None)

    def pieces(self, blob: Blob, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self.open(blob) as file:
            file.seek(start)
            left = blob.size - start if length is None else length
            while left > 0:
                piece = file.read(min(_PIECE, left))
                left -= len(piece)
                if not (left and piece):
                    self.demand(blob)
                if not piece:
                    raise DamagedContents
                yield piece

    def get(self, blob: Blob) -> bytes:
        return b"".join(self.pieces(blob)) if blob.inline is None else blob.inline

    def open(self, blob: Blob) -> BinaryIO:
        """Whoever reads it calls `demand` before using the last of it."""
        if blob.inline is not None:
            return BytesIO(blob.inline)
        path = self._path(blob.digest)
        try:
            file = path.open("rb")
        except OSError as error:
            raise self._integrity.lost(blob.digest, path, error) from error
        try:
            self._integrity.admit(blob.digest, blob.size, path, file.fileno())
        except BaseException:
            file.close()
            raise
        return file

    def demand(self, blob: Blob) -> None:
        """Return once what was opened is known to be what was put; `DamagedContents` where it is not."""
        if blob.inline is None:
            self._integrity.demand(blob.digest)

    def is_sound(self, blob: Blob) -> bool:
        """Whether that is known without waiting."""
        return blob.inline is not None or self._integrity.is_sound(blob.digest, self._path(blob.digest))

    def look(self, blob: Blob, *, all_of_it: bool = False) -> None:
        """At all of it, or where it is large at its size; the rest is counted in the background."""
        self.open(blob).close()
        if all_of_it or blob.size <= _COUNTED_FIRST:
            self.demand(blob)

    def look_at_sizes(self, blobs: Iterable[Blob]) -> None:
        for blob in blobs:
            with suppress(DamagedContents):
                self._integrity.compare(blob.digest, blob.size, self._path(blob.digest))

    def damages(self) -> dict[str, Damage]:
        """All that is known, by digest."""
        return self._integrity.damages()

    def keep_only(self, digests: set[str]) -> None:
        """Delete what no object holds any more, but for what has just come."""
        self._integrity.keep_only(digests)
        for folder in self._folder.iterdir():
            for path in folder.iterdir() if folder.is_dir() else ():
                if folder.name + path.name not in digests:
                    self._delete_old(path)

    def _delete_old(self, path: Path) -> None:
        with self._settling, suppress(FileNotFoundError):  # what was coming has come, under another name
            if path.stat().st_mtime < time.time() - _YOUNG_SECONDS:
                path.unlink(missing_ok=True)

    def _settle(self, coming: Path, digest: str) -> None:
        path = self._path(digest)
        is_new = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        with self._settling:
            coming.replace(path)
            self._integrity.written(digest, path.stat())
        for folder in (path.parent, *([self._folder] if is_new else [])):
            sync(folder)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]
