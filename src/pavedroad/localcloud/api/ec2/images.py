"""Images of ours: a JSON manifest in S3 whose layers go into the host's image store."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.wanted import GuestImage, Layer

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LARGEST_MANIFEST = 2**20
_LONGEST_STOP = 3600


class Objects(Protocol):
    """S3, for reading. None where there is no such object."""

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None: ...


@dataclass(frozen=True, slots=True)
class StoredLayer:
    layer: Layer
    key: str


@dataclass(frozen=True, slots=True)
class Manifest:
    bucket: str
    command: str
    environment: dict[str, str]
    stop_seconds: int
    layers: tuple[StoredLayer, ...]

    def guest_image(self, image_id: str) -> GuestImage:
        return GuestImage(
            image_id,
            tuple(stored.layer for stored in self.layers),
            self.command,
            self.environment,
            self.stop_seconds,
        )


def read_manifest(objects: Objects, account: str, location: str) -> Manifest:
    """The manifest at `bucket/key`. Raises InvalidManifest and says what is wrong with it."""
    bucket, _, key = location.strip("/").partition("/")
    source = objects.open(account, bucket, key) if bucket and key else None
    if source is None:
        raise ServiceError("InvalidManifest", f"There is no manifest at '{location}' (expecting bucket/key).")
    with source:
        text = source.read(_LARGEST_MANIFEST + 1)
    if len(text) > _LARGEST_MANIFEST:
        raise _invalid(location, f"it is over {_LARGEST_MANIFEST} bytes")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _invalid(location, f"it is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise _invalid(location, "it is not a JSON object")
    return _Reader(location, cast("dict[str, object]", data)).manifest(bucket)


class _Reader:
    """Takes the fields out of a manifest, each of its type."""

    def __init__(self, location: str, data: dict[str, object]) -> None:
        self._location = location
        self._data = data

    def manifest(self, bucket: str) -> Manifest:
        if self._data.get("schema") != 1:
            raise _invalid(self._location, f"its schema is {self._data.get('schema')!r}, and 1 is known")
        environment = self._environment()
        stop = self._number("stop_seconds", 30, 0, _LONGEST_STOP)
        layers = self._data.get("layers", [])
        if not isinstance(layers, list):
            raise _invalid(self._location, "layers is not an array")
        return Manifest(
            bucket,
            self._text(self._data, "command", required=False),
            environment,
            stop,
            tuple(self._layer(layer) for layer in cast("list[object]", layers)),
        )

    def _environment(self) -> dict[str, str]:
        given = self._data.get("environment", {})
        if not isinstance(given, dict) or not all(
            isinstance(value, str) and "\0" not in value and "=" not in name
            for name, value in cast("dict[str, object]", given).items()
        ):
            raise _invalid(self._location, "environment is not an object of texts")
        environment = dict(cast("dict[str, str]", given))
        if "port" in self._data:
            environment.setdefault("PORT", str(self._number("port", 0, 1, 65535)))
        return environment

    def _layer(self, given: object) -> StoredLayer:
        if not isinstance(given, dict):
            raise _invalid(self._location, "a layer is not an object")
        layer = cast("dict[str, object]", given)
        digest = self._text(layer, "digest")
        if not _DIGEST.fullmatch(digest):
            raise _invalid(self._location, f"a layer's digest is {digest!r}, not sha256:<64 hex digits>")
        path = self._text(layer, "path")
        if path.startswith("/") or ".." in Path(path).parts:
            raise _invalid(self._location, f"a layer's path {path!r} leads out of the root")
        shared = layer.get("shared", False)
        if not isinstance(shared, bool):
            raise _invalid(self._location, "a layer's shared is neither true nor false")
        return StoredLayer(Layer(digest, path, shared), self._text(layer, "key"))

    def _text(self, data: dict[str, object], name: str, *, required: bool = True) -> str:
        value = data.get(name, None if required else "")
        if not isinstance(value, str) or "\0" in value:
            raise _invalid(self._location, f"{name} is not a text")
        return value

    def _number(self, name: str, default: int, low: int, high: int) -> int:
        value = self._data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _invalid(self._location, f"{name} is not a whole number from {low} to {high}")
        return value


def _invalid(location: str, said: str) -> ServiceError:
    return ServiceError("InvalidManifest", f"The manifest at '{location}' is not valid: {said}.")
