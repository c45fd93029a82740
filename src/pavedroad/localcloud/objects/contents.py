"""Contents that are kept: as they come in, and as they go out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, cast

from pavedroad.localcloud.api.objects import Blob, BlobStore
from pavedroad.localcloud.api.services import Content
from pavedroad.localcloud.objects.model import Extent

_AT_ONCE = 1 << 20
_COUNTED_FIRST = 8 << 20
"""Contents up to this size are counted before anything of them is given out."""


@dataclass(frozen=True, slots=True)
class Received:
    """The contents that a request brought: kept, and found to be what it says of them."""

    blob: Blob
    md5: str
    """In hexadecimal digits: the ETag."""
    checksums: Mapping[str, str] = field(default_factory=dict[str, str])
    """All that were counted, in base64 by algorithm; CRC64NVME is always among them."""
    algorithm: str = ""
    """The one that the request named, or brought."""


def of_blob(blob: Blob) -> tuple[Extent, ...]:
    """All of it."""
    return (Extent(blob, 0, blob.size),) if blob.size else ()


def body_of(store: BlobStore, extents: tuple[Extent, ...], start: int, length: int) -> bytes | Content:
    """A part of what they are together: at once where it is little."""
    taken = cut(extents, start, length)
    if all(extent.blob.inline is not None for extent in taken) and length <= _AT_ONCE:
        return b"".join(
            (extent.blob.inline or b"")[extent.start : extent.start + extent.length] for extent in taken
        )
    return content_of(store, taken, 0, length)


def content_of(store: BlobStore, extents: tuple[Extent, ...], start: int, length: int) -> Content:
    """A part of what they are together, opened. Raises `DamagedContents` where that is known already."""
    cut = tuple(_cut(extents, start, length))
    reading = _Reading(store, cut)
    return Content(cast("BinaryIO", reading), length, partial(_demand, store, cut))


def look(body: object) -> None:
    """Before an answer's contents are sent, without the lock: `DamagedContents` where they are."""
    if isinstance(body, Content) and isinstance(body.file, _Reading):
        body.file.look()


def check_sound(store: BlobStore, extents: Iterable[Extent]) -> None:
    """All of what contents are made of, without the lock: `DamagedContents` where one is not what was put."""
    for blob in {extent.blob.digest: extent.blob for extent in extents}.values():
        if not store.is_sound(blob):
            store.look(blob, all_of_it=True)


def pieces_of(store: BlobStore, extents: tuple[Extent, ...]) -> Iterator[bytes]:
    for extent in extents:
        yield from store.pieces(extent.blob, extent.start, extent.length)


def cut(extents: tuple[Extent, ...], start: int, length: int) -> tuple[Extent, ...]:
    """A part of what they are together, as the extents that it is."""
    return tuple(_cut(extents, start, length))


def _cut(extents: tuple[Extent, ...], start: int, length: int) -> Iterator[Extent]:
    for extent in extents:
        if length <= 0:
            return
        if start >= extent.length:
            start -= extent.length
            continue
        taken = min(extent.length - start, length)
        yield Extent(extent.blob, extent.start + start, taken)
        start, length = 0, length - taken


def _demand(store: BlobStore, extents: tuple[Extent, ...]) -> None:
    for extent in extents:
        store.demand(extent.blob)


class _Reading(io.RawIOBase):
    """One after the other, as one file; each is opened when its turn comes, the first at once."""

    def __init__(self, store: BlobStore, extents: tuple[Extent, ...]) -> None:
        self._store = store
        self._extents = extents
        self._coming = iter(extents)
        self._file: BinaryIO | None = None
        self._blob: Blob | None = None
        self._left = 0
        self._next()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """As much as is asked for, but at the end, and where a file has become shorter than it was."""
        left = size if size >= 0 else sum(extent.length for extent in self._extents)
        pieces: list[bytes] = []
        while left and self._file is not None and self._blob is not None:
            piece = self._file.read(min(left, self._left))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
            self._left -= len(piece)
            if self._left == 0:
                self._store.demand(self._blob)
                self._next()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def look(self) -> None:
        blobs = {extent.blob.digest: extent.blob for extent in self._extents}
        if sum(blob.size for blob in blobs.values()) > _COUNTED_FIRST:
            return  # each is counted as it is read, and demanded at its end
        try:
            for blob in blobs.values():
                if blob is self._blob:
                    self._store.demand(blob)  # it is open, whatever becomes of its name
                else:
                    self._store.look(blob)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = self._blob = None
        extent = next(self._coming, None)
        if extent is not None:
            self._blob, self._left = extent.blob, extent.length
            self._file = self._store.open(extent.blob)
            self._file.seek(extent.start)
