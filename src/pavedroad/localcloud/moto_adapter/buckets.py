# pyright: basic, reportAttributeAccessIssue=false
"""S3 as moto's other services see it: buckets and objects that are not moto's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.s3.exceptions import MissingBucket, MissingKey
from moto.s3.models import S3Backend

from pavedroad.localcloud.ports import Objects

_places: dict[str, Objects] = {}


def serve_buckets(objects: Objects) -> None:
    """From now on; what is called so of moto's own is not."""
    _places["objects"] = objects
    S3Backend.get_bucket = _bucket
    S3Backend.get_object = _object
    S3Backend.put_object = _put


def _bucket(backend: Any, bucket_name: str, *_: Any, **__: Any) -> Any:
    if not _places["objects"].has_bucket(backend.account_id, bucket_name):
        raise MissingBucket(bucket=bucket_name)
    return SimpleNamespace(name=bucket_name)


def _object(backend: Any, bucket_name: str, key_name: str, *_: Any, **__: Any) -> Any:
    _bucket(backend, bucket_name)
    found = _places["objects"].open(backend.account_id, bucket_name, key_name)
    if found is None:
        raise MissingKey(key=key_name)
    with found as file:
        value = file.read()
    return SimpleNamespace(name=key_name, value=value, size=len(value))


def _put(backend: Any, bucket_name: str, key_name: str, value: bytes | str, *_: Any, **__: Any) -> None:
    _bucket(backend, bucket_name)
    content = value.encode() if isinstance(value, str) else value
    _places["objects"].put(backend.account_id, bucket_name, key_name, content)
