"""S3's checksums: how they are counted, and what those of parts are together."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import awscrt.checksums  # pyright: ignore[reportMissingTypeStubs]

DEFAULT = "CRC64NVME"
"""Of what comes without a checksum."""
COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"

_crt: Any = awscrt.checksums


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    """`counted` goes on from what was counted before."""

    def __init__(self, counted: Callable[[bytes, int], int], width: int) -> None:
        self._counted = counted
        self._width = width
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = self._counted(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(self._width, "big")


class _XXHash:
    def __init__(self, made: Any) -> None:
        self._made = made

    def update(self, data: bytes, /) -> None:
        self._made.update(data)

    def digest(self) -> bytes:
        return cast("bytes", self._made.finalize())


def md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


_KINDS: Mapping[str, tuple[int, Callable[[], Digest]]] = {
    "CRC32": (4, lambda: _Crc(zlib.crc32, 4)),
    "CRC32C": (4, lambda: _Crc(_crt.crc32c, 4)),
    "CRC64NVME": (8, lambda: _Crc(_crt.crc64nvme, 8)),
    "SHA1": (20, lambda: hashlib.sha1(usedforsecurity=False)),
    "SHA256": (32, hashlib.sha256),
    "SHA512": (64, hashlib.sha512),
    "MD5": (16, md5),
    "XXHASH64": (8, lambda: _XXHash(_crt.XXHash.new_xxhash64())),
    "XXHASH3": (8, lambda: _XXHash(_crt.XXHash.new_xxhash3_64())),
    "XXHASH128": (16, lambda: _XXHash(_crt.XXHash.new_xxhash3_128())),
}
"""How many bytes each has, and how it is begun."""

_COMBINED: Mapping[str, Callable[[int, int, int], int]] = {
    "CRC32": _crt.combine_crc32,
    "CRC32C": _crt.combine_crc32c,
    "CRC64NVME": _crt.combine_crc64nvme,
}

ALGORITHMS = tuple(_KINDS)


def digest_of(algorithm: str) -> Digest:
    return _KINDS[algorithm][1]()


def types_of(algorithm: str) -> tuple[str, ...]:
    """What a checksum of parts may be; the first is what it is unless said."""
    if algorithm == DEFAULT:
        return (FULL_OBJECT,)
    return (COMPOSITE, FULL_OBJECT) if algorithm in _COMBINED else (COMPOSITE,)


def in_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def of_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def is_one(algorithm: str, text: str) -> bool:
    """Whether the text can be a checksum of one."""
    found = of_base64(text)
    return found is not None and len(found) == _KINDS[algorithm][0]


def counted(algorithms: Iterable[str], pieces: Iterable[bytes]) -> dict[str, str]:
    """All of them in one go, in base64."""
    digests = {algorithm: digest_of(algorithm) for algorithm in algorithms}
    for piece in pieces:
        for digest in digests.values():
            digest.update(piece)
    return {algorithm: in_base64(digest.digest()) for algorithm, digest in digests.items()}


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of the parts' checksums, in S3's form."""
    digest = digest_of(algorithm)
    for part in parts:
        digest.update(base64.b64decode(part))
    return f"{in_base64(digest.digest())}-{len(parts)}"


def combined(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """Of all that the parts hold, from each one's checksum and size, without reading any."""
    join, width = _COMBINED[algorithm], _KINDS[algorithm][0]
    total = 0
    for text, size in parts:
        total = join(total, int.from_bytes(base64.b64decode(text), "big"), size)
    return in_base64(total.to_bytes(width, "big"))
