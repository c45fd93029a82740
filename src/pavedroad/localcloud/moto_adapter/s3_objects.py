# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""moto's S3 with the contents of its keys in a `BlobStore` instead of in memory and in the pickle."""

from __future__ import annotations

import hashlib
import pickle
import threading
from io import BytesIO
from typing import BinaryIO

from moto.core.exceptions import ServiceException
from moto.s3.models import FakeKey, s3_backends
from werkzeug.exceptions import HTTPException

from pavedroad.localcloud.api.objects import Blob, BlobStore

_PARTITION = "aws"
_EMPTY = Blob(0, hashlib.sha256(b"").hexdigest(), b"")


class StoredContents:
    """What `install` puts into `FakeKey`, over one store."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store
        self._pickled: set[str] = set()

    def held(self) -> set[str]:
        """The digests of all contents that some key, version or part has. With the state lock held."""
        self._pickled = set()
        pickle.dumps({account: dict(regions) for account, regions in s3_backends.items()}, protocol=5)
        return self._pickled

    def install(self) -> None:
        contents = self

        def get_value(key: FakeKey) -> bytes:
            return contents.store.get(vars(key).get("_blob", _EMPTY))

        def set_value(key: FakeKey, content: bytes | str) -> None:
            data = content.encode() if isinstance(content, str) else bytes(content)
            vars(key)["_blob"] = contents.store.put(data)
            key.contentsize = len(data)
            if key._etag is None:
                key._etag = hashlib.md5(data, usedforsecurity=False).hexdigest()

        def get_state(key: FakeKey) -> dict:
            state = {
                name: value for name, value in vars(key).items() if name not in ("_value_buffer", "lock")
            }
            contents._pickled.add(state.get("_blob", _EMPTY).digest)
            return state

        def set_state(key: FakeKey, state: dict) -> None:
            vars(key).update(state)
            key._value_buffer = BytesIO()
            key.lock = threading.Lock()

        FakeKey.value = property(get_value, set_value)
        FakeKey.__getstate__ = get_state
        FakeKey.__setstate__ = set_state
        # There is no file of its own to close, and moto would warn of each key that is freed unclosed.
        FakeKey.__del__ = lambda _: None

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
        """`pavedroad.localcloud.api.ec2.images.Objects`."""
        try:
            found = s3_backends[account][_PARTITION].get_object(bucket, key)
        except (ServiceException, HTTPException):
            return None
        if not isinstance(found, FakeKey):
            return None
        return self.store.open(vars(found).get("_blob", _EMPTY))
