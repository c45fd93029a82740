"""Contents of objects as moto hands them around, without their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pavedroad.localcloud.api.objects import Blob, BlobStore
from pavedroad.localcloud.api.services import Content


class Stored(bytes):
    """A part of a file of the store. As bytes it is empty: those who know it ask for its pieces, and all that
    moto does with it else is to ask for its length and to take a slice."""

    store: BlobStore
    blob: Blob
    start: int
    length: int

    def __new__(cls, store: BlobStore, blob: Blob, start: int = 0, length: int | None = None) -> Stored:
        made = super().__new__(cls)
        made.store, made.blob, made.start = store, blob, start
        made.length = blob.size - start if length is None else length
        return made

    @property
    def is_whole(self) -> bool:
        return self.length == self.blob.size

    @property
    def pieces(self) -> Iterator[bytes]:
        return self.store.pieces(self.blob, self.start, self.length)

    def opened(self) -> Content:
        file = self.store.open(self.blob)
        file.seek(self.start)
        return Content(file, self.length, partial(self.store.demand, self.blob))

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def __getitem__(self, at: Any) -> Any:
        start, stop, step = at.indices(self.length)
        assert step == 1
        return Stored(self.store, self.blob, self.start + start, max(0, stop - start))


def contents_of(store: BlobStore, blob: Blob) -> bytes:
    """The bytes where they are few."""
    return Stored(store, blob) if blob.inline is None else blob.inline
