"""Bodies that come in signed chunks (`aws-chunked`): each signature continues that of the chunk before."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import BinaryIO

from pavedroad.localcloud.api.signatures.version4 import ALGORITHM, Claim

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_HEAD = re.compile(rb"([0-9a-fA-F]{1,16});chunk-signature=([0-9a-f]{64})\r\n")
_LONGEST_LINE = 8192
_PIECE = 1 << 20
_NOTHING = hashlib.sha256().hexdigest()


def are_signed(stream: BinaryIO, claim: Claim, secret: str, *, trailer: bool) -> bool:
    """Whether all chunks are, the last and the `trailer` after it included."""
    stream.seek(0)
    key, before = claim.signing_key(secret), claim.signature
    while True:
        head = _HEAD.fullmatch(stream.readline(_LONGEST_LINE))
        if head is None:
            return False
        left, digest = int(head[1], 16), hashlib.sha256()
        last = left == 0
        while left:
            piece = stream.read(min(left, _PIECE))
            if not piece:
                return False
            digest.update(piece)
            left -= len(piece)
        expected = claim.sealed(key, before, _NOTHING, digest.hexdigest(), kind=f"{ALGORITHM}-PAYLOAD")
        if not hmac.compare_digest(expected.encode(), head[2]):
            return False
        before = expected
        if last:
            break
        if stream.readline(3) != b"\r\n":
            return False
    return not trailer or _is_trailer_signed(stream, claim, key, before)


def _is_trailer_signed(stream: BinaryIO, claim: Claim, key: bytes, before: str) -> bool:
    said, signature = b"", b""
    for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
        name, _, value = line.strip().partition(b":")
        if name.lower() == b"x-amz-trailer-signature":
            signature = value.strip()
        elif name:
            said += name.lower() + b":" + value.strip() + b"\n"
    expected = claim.sealed(key, before, hashlib.sha256(said).hexdigest(), kind=f"{ALGORITHM}-TRAILER")
    return hmac.compare_digest(expected.encode(), signature)
