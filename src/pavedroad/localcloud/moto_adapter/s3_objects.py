# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
# pyright: reportPrivateImportUsage=false
"""moto's S3 with the contents of its keys in a `BlobStore` instead of in memory and in the pickle.

Contents are read, hashed and joined `outside` the lock; under it, references change hands.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from itertools import chain
from typing import Any, BinaryIO
from weakref import WeakSet

import moto.s3.models
import moto.s3.responses
from moto.core.exceptions import ServiceException
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.s3.models import FakeDeleteMarker, FakeKey, FakeMultipart, S3Backend, s3_backends
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from pavedroad.localcloud.api.objects import Blob, BlobStore
from pavedroad.localcloud.moto_adapter.outside import given, outside
from pavedroad.localcloud.moto_adapter.s3_contents import Stored, contents_of
from pavedroad.localcloud.moto_adapter.s3_digests import counted, digest_of, in_base64

UPLOAD = "upload"
"""`given` by who has stored a request's body already."""
COPIED_CHECKSUM = "checksum of the copy"
"""`given` by who wants one: its algorithm."""

_PARTITION = "aws"
_EMPTY = Blob(0, hashlib.sha256(b"").hexdigest(), b"")
_moto_compute_checksum = moto.s3.responses.compute_checksum
_moto_copy_object = S3Backend.copy_object
_moto_select = S3Backend.select_object_content
_moto_setup_class = S3Response.setup_class


class StoredContents:
    """What `install` puts into moto, over one store."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store
        self._keys: WeakSet[FakeKey] = WeakSet()
        self._plain = threading.local()

    def held(self) -> set[str]:
        """The digests of all contents that some key, version or part has. With the state lock held."""
        return {_blob_of(key).digest for key in self._keys}

    def look_at_all(self, lock: AbstractContextManager[object]) -> None:
        """At each file's size; what is damaged is told of then."""
        with lock:
            blobs = {blob.digest: blob for blob in map(_blob_of, self._keys) if blob.inline is None}
        self.store.look_at_sizes(blobs.values())

    @property
    def failure(self) -> str:
        """Which object is damaged, and where, in a sentence; empty while none is known to be. With the state
        lock held."""
        damages = self.store.damages()
        for key in self._keys if damages else ():
            if damage := damages.get(_blob_of(key).digest):
                where = (
                    f"s3://{key.bucket_name}/{key.name}" if key.bucket_name else "a part of an upload to S3"
                )
                more = f" So are {len(damages) - 1} more files." if len(damages) > 1 else ""
                return (
                    f"The contents of {where} are damaged: {damage.path} {damage.why}.{more} Put a copy of "
                    "the file in its place, or put the object again, or delete it."
                )
        return ""

    def install(self) -> None:
        contents = self

        def get_value(key: FakeKey) -> bytes:
            if getattr(contents._plain, "wanted", False):
                return contents.store.get(_blob_of(key))
            return contents_of(contents.store, _blob_of(key))

        def set_value(key: FakeKey, content: bytes | str) -> None:
            blob = contents._blob(content)
            vars(key)["_blob"] = blob
            key.contentsize = blob.size
            if key._etag is None:
                key._etag = contents._md5(blob)
            contents._keys.add(key)

        def get_state(key: FakeKey) -> dict:
            return {name: value for name, value in vars(key).items() if name not in ("_value_buffer", "lock")}

        def set_state(key: FakeKey, state: dict) -> None:
            vars(key).update(state)
            key._value_buffer = BytesIO()
            key.lock = threading.Lock()
            contents._keys.add(key)

        def complete(upload: FakeMultipart, body: Iterable[tuple[int, str]]) -> object:
            return contents._complete(upload, body)

        def copy_object(backend: S3Backend, src_key: FakeKey, *rest: Any, **more: Any) -> None:
            if (algorithm := given(COPIED_CHECKSUM)) is not None:
                _compute_checksum(src_key.value, algorithm)
            _moto_copy_object(backend, src_key, *rest, **more)

        def select(backend: S3Backend, bucket: str, name: str, *asked: Any) -> object:
            return contents._select(backend, bucket, name, *asked)

        FakeKey.value = property(get_value, set_value)
        FakeKey.__getstate__ = get_state
        FakeKey.__setstate__ = set_state
        # All versions are copied for each list of them, to be marked: not what they hold.
        FakeKey.__deepcopy__ = FakeDeleteMarker.__deepcopy__ = _marked
        # There is no file of its own to close, and moto would warn of each key that is freed unclosed.
        FakeKey.__del__ = lambda _: None
        FakeMultipart.complete = complete
        S3Backend.copy_object = copy_object
        S3Backend.select_object_content = select
        S3Response.setup_class = _setup_class
        moto.s3.responses.compute_checksum = _compute_checksum

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
        """`pavedroad.localcloud.api.ec2.images.Objects`."""
        found = _object(account, bucket, key)
        return self.store.open(_blob_of(found)) if found else None

    def _blob(self, content: bytes | str) -> Blob:
        if not isinstance(content, Stored):
            return self.store.put(content.encode() if isinstance(content, str) else bytes(content))
        if content.is_whole:
            blob = content.blob
            if not self.store.is_sound(blob):
                outside(("sound", blob.digest), lambda: self.store.look(blob, all_of_it=True))
            return blob
        part = ("part", content.blob.digest, content.start, content.length)
        return outside(part, lambda: self.store.put_pieces(content.pieces))

    def _md5(self, blob: Blob) -> str:
        if blob.inline is not None:
            return hashlib.md5(blob.inline, usedforsecurity=False).hexdigest()
        return outside(("md5", blob.digest), lambda: counted("MD5", self.store.pieces(blob)).hex())

    def _select(self, backend: S3Backend, bucket: str, name: str, *asked: Any) -> Any:
        """A query goes through all of an object; moto's own, over what the object is now."""
        found = backend.get_object(bucket, name)
        key = ("select", _blob_of(found).digest, repr(asked)) if isinstance(found, FakeKey) else "select"
        return outside(key, lambda: self._selected(backend, bucket, name, asked))

    def _selected(self, backend: S3Backend, bucket: str, name: str, asked: tuple[Any, ...]) -> Any:
        self._plain.wanted = True
        try:
            return _moto_select(backend, bucket, name, *asked)
        finally:
            self._plain.wanted = False

    def _complete(
        self, upload: FakeMultipart, body: Iterable[tuple[int, str]]
    ) -> tuple[bytes, str, tuple[str, str, int]]:
        parts = _parts(upload, body)
        etags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        etag = f"{hashlib.md5(etags, usedforsecurity=False).hexdigest()}-{len(parts)}"
        algorithm = upload.metadata.get("x-amz-checksum-algorithm") or "CRC64NVME"
        composite = upload.metadata.get("x-amz-checksum-type") or (
            "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
        )
        blobs = [_blob_of(part) for part in parts]
        key = ("joined", algorithm, composite, *(blob.digest for blob in blobs))
        joined, checksum = outside(key, lambda: self._joined(blobs, algorithm, composite == "COMPOSITE"))
        checksummed = len(parts) if composite == "COMPOSITE" else 1
        return contents_of(self.store, joined), etag, (composite, checksum, checksummed)

    def _joined(self, blobs: list[Blob], algorithm: str, composite: bool) -> tuple[Blob, str]:
        """Also their checksum: of all of them, or of their checksums."""
        whole = digest_of(algorithm)

        def pieces(blob: Blob) -> Iterator[bytes]:
            part = digest_of(algorithm) if composite else whole
            for piece in self.store.pieces(blob):
                part.update(piece)
                yield piece
            if composite:
                whole.update(part.digest())

        blob = self.store.put_pieces(chain.from_iterable(map(pieces, blobs)))
        return blob, in_base64(whole.digest())


def _marked(version: Any, _: object) -> Any:
    copied = object.__new__(type(version))
    vars(copied).update(vars(version))
    return copied


def _parts(upload: FakeMultipart, body: Iterable[tuple[int, str]]) -> list[FakeKey]:
    """Those that the request names, if they are there and large enough."""
    parts: list[FakeKey] = []
    for number, etag in body:
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.replace('"', ""):
            raise InvalidPart
        if parts and parts[-1].contentsize < moto.s3.models.S3_UPLOAD_PART_MIN_SIZE:
            raise EntityTooSmall
        parts.append(part)
    if not parts:
        raise MalformedXML
    return parts


def _blob_of(key: FakeKey) -> Blob:
    return vars(key).get("_blob", _EMPTY)


def _object(account: str, bucket: str, key: str) -> FakeKey | None:
    try:
        found = s3_backends[account][_PARTITION].get_object(bucket, key)
    except (ServiceException, HTTPException):
        return None
    return found if isinstance(found, FakeKey) else None


def _setup_class(self: S3Response, *asked: Any, **more: Any) -> None:
    _moto_setup_class(self, *asked, **more)
    upload = given(UPLOAD)
    if upload is not None:
        self.body = upload


def _compute_checksum(body: bytes, algorithm: str, encode_base64: bool = True) -> bytes:
    if not isinstance(body, Stored):
        return _moto_compute_checksum(body, algorithm, encode_base64)
    key = ("checksum", algorithm, body.blob.digest)
    found = outside(key, lambda: counted(algorithm, body.pieces))
    return in_base64(found).encode() if encode_base64 else found
