"""How buckets are written down: a text for each key, made anew for those that have changed since.

Every change of the cloud is followed by a snapshot of all of it; a bucket has many keys, and few of them
change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, cast

from pavedroad.localcloud.codec import Codec, DecodeError
from pavedroad.localcloud.objects.keys import Keys
from pavedroad.localcloud.objects.model import Bucket, DeleteMarker, Entry, Part, Store, Upload, Version

_VERSION = 1
_CODEC = Codec({Entry: {"version": Version, "marker": DeleteMarker}}, tag="is")
_APART = ("keys", "uploads")


@dataclass(frozen=True, slots=True)
class Written:
    """All of it, in pieces that together are the text; those that are tuples have commas between."""

    pieces: tuple[str | tuple[str, ...], ...]


class Form:
    """Of the service as a `Durable`, whose `dump` gives what `Writer` has written."""

    kind = "document"
    version = str(_VERSION)

    def encode(self, value: Written) -> bytes:
        return "".join(it if isinstance(it, str) else ",".join(it) for it in value.pieces).encode()

    def decode(self, body: bytes, version: str) -> Store:
        if int(version) > _VERSION:
            raise DecodeError(f"it is of version {version}, and this one reads up to {_VERSION}")
        buckets = [_bucket(data) for data in json.loads(body)["buckets"]]
        return Store({bucket.name: bucket for bucket in buckets})


class Writer:
    """Remembers what it has written, for as long as it is the same: of keys with them, of parts here."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, tuple[Part, str]]] = {}

    def dump(self, store: Store) -> Written:
        """With the state's lock held."""
        going_on = {id_ for bucket in store.buckets.values() for id_ in bucket.uploads}
        self._parts = {id_: self._parts.get(id_, {}) for id_ in going_on}
        pieces: list[str | tuple[str, ...]] = ['{"buckets":[']
        for place, bucket in enumerate(store.buckets.values()):
            pieces.append("," if place else "")
            _write_keys(bucket.keys)
            head = _text(_Head(*(getattr(bucket, it.name) for it in fields(_Head))), _Head)
            pieces += [head[:-1], ',"keys":{', tuple(bucket.keys.written.values()), '},"uploads":[']
            pieces += [tuple(_upload_text(it, self._parts[it.id]) for it in bucket.uploads.values()), "]}"]
        return Written((*pieces, "]}"))


@dataclass(frozen=True, slots=True)
class _Head:
    """A bucket without what is in it."""

    name: str
    account: str
    region: str
    created: datetime
    number: int
    versioning: str
    locks_objects: bool
    configuration: dict[str, Any]


def _write_keys(keys: Keys[Entry]) -> None:
    for key in keys.changed:
        versions = keys.versions(key)
        if versions:
            keys.written[key] = f"{json.dumps(key)}:{_text(versions, tuple[Entry, ...])}"
        else:
            keys.written.pop(key, None)
    keys.changed.clear()


def _upload_text(upload: Upload, known: dict[int, tuple[Part, str]]) -> str:
    for number, part in upload.parts.items():
        if number not in known or known[number][0] is not part:
            known[number] = (part, _text(part, Part))
    head = _text(replace(upload, parts={}), Upload)
    parts = ",".join(known[number][1] for number in upload.parts)
    return f'{{"upload":{head},"parts":[{parts}]}}'


def _text(value: object, kind: Any) -> str:
    return _CODEC.dumps(value, kind).decode()


def _compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))


def _bucket(data: Any) -> Bucket:
    found = cast("dict[str, Any]", data)
    head = _CODEC.decode(_Head, {name: value for name, value in found.items() if name not in _APART})
    saved: Mapping[str, Any] = found["keys"]
    keys = Keys({key: _CODEC.decode(tuple[Entry, ...], versions) for key, versions in saved.items()})
    keys.written = {key: f"{json.dumps(key)}:{_compact(versions)}" for key, versions in saved.items()}
    keys.changed.clear()
    uploads = [_upload(it) for it in found["uploads"]]
    return Bucket(
        **{it.name: getattr(head, it.name) for it in fields(_Head)},
        uploads={upload.id: upload for upload in uploads},
        keys=keys,
    )


def _upload(data: Mapping[str, Any]) -> Upload:
    upload = _CODEC.decode(Upload, data["upload"])
    parts = _CODEC.decode(tuple[Part, ...], data["parts"])
    return replace(upload, parts={part.number: part for part in parts})


FORM = Form()
