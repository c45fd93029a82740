"""How the digests of S3 are counted. CRC32C and CRC64NVME are stood for by CRC32, as in moto."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


def md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


def sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


_KINDS: dict[str, Callable[[], Digest]] = {
    "MD5": md5,
    "SHA1": sha1,
    "CRC32": Crc32,
    "CRC32C": Crc32,
    "CRC64NVME": Crc32,
}


def digest_of(algorithm: str) -> Digest:
    return _KINDS.get(algorithm, hashlib.sha256)()


def counted(algorithm: str, pieces: Iterable[bytes]) -> bytes:
    digest = digest_of(algorithm)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def in_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
