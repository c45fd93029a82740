"""Bodies in signed chunks: the examples of AWS's own reference, and what may become of them on their way."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest

from pavedroad.localcloud.api.signatures.chunks import are_signed
from pavedroad.localcloud.api.signatures.version4 import Claim

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PLAIN = (
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
TRAILING = (
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
)
TRAILER = (
    b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
)


def claim(seed: str) -> Claim:
    time = datetime(2013, 5, 24, tzinfo=UTC)
    return Claim("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", ("host",), seed, time, "")


def body(signatures: tuple[str, ...]) -> bytes:
    _, first, second, last = signatures
    return (
        f"10000;chunk-signature={first}\r\n{'a' * 65536}\r\n"
        f"400;chunk-signature={second}\r\n{'a' * 1024}\r\n0;chunk-signature={last}\r\n"
    ).encode()


def is_whole(content: bytes, seed: str, *, trailer: bool = False) -> bool:
    return are_signed(BytesIO(content), claim(seed), SECRET, trailer=trailer)


def test_the_references_examples_are_whole() -> None:
    assert is_whole(body(PLAIN) + b"\r\n", PLAIN[0])
    assert is_whole(body(TRAILING) + TRAILER, TRAILING[0], trailer=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"aaaa\r\n400", b"aaab\r\n400"),
        (b"400;", b"3ff;"),
        (PLAIN[2].encode(), PLAIN[1].encode()),
        (PLAIN[3].encode(), b"0" * 64),
        (b"0;chunk-signature=" + PLAIN[3].encode() + b"\r\n", b""),
        (b";chunk-signature=" + PLAIN[1].encode(), b""),
        (b"10000;", b"ffffffffff;"),
    ],
)
def test_a_chunk_that_was_changed_moved_or_left_out_is_found(old: bytes, new: bytes) -> None:
    changed = body(PLAIN).replace(old, new)
    assert changed != body(PLAIN)
    assert not is_whole(changed, PLAIN[0])
    assert not is_whole(body(PLAIN), "0" * 64)


def test_chunks_that_changed_places_are_found() -> None:
    whole = body(PLAIN)
    second, last = whole.index(b"400;"), whole.index(b"\r\n0;") + 2
    assert not is_whole(whole[second:last] + whole[:second] + whole[last:], PLAIN[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"sOO8", b"sOO9"),
        (b":d81f", b":d81e"),
        (b"x-amz-trailer", b"x-amz-meta-of:others\r\nx-amz-trailer"),
        (TRAILER[TRAILER.index(b"x-amz-trailer") : -2], b""),
        (TRAILER, b""),
    ],
)
def test_a_trailer_that_was_changed_or_left_out_is_found(old: bytes, new: bytes) -> None:
    assert not is_whole(body(TRAILING) + TRAILER.replace(old, new), TRAILING[0], trailer=True)
