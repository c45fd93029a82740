"""The part of an object that is asked for: by a range of bytes, or by the number of an uploaded part."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pavedroad.localcloud.objects.model import Piece, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request, not_satisfiable

MOST_PARTS = 10_000

_RANGE = re.compile(r"bytes=\s*([0-9]{0,20})\s*-\s*([0-9]{0,20})\s*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_COPIED = re.compile(r"bytes=([0-9]{1,20})-([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class Asked:
    """`whole` where it is no partial answer; `piece` is the part, where it is exactly that."""

    start: int
    length: int
    whole: bool = False
    piece: Piece | None = None

    def told(self, size: int) -> str:
        """The header `Content-Range`."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def asked(version: Version, said: str | None, part: int | None) -> Asked:
    """Ranges that S3 does not understand are as none; those outside the object are refused."""
    if part is not None:
        if said is not None:
            raise bad_request("Cannot specify both Range header and partNumber query parameter")
        return _of_part(version, part)
    size = version.size
    found = _RANGE.fullmatch(said.strip()) if said else None
    if said is None or found is None or found[1] == found[2] == "":
        return Asked(0, size, whole=True)
    if not found[1]:
        start, end = max(0, size - int(found[2])), size - 1
        if int(found[2]) == 0:
            raise not_satisfiable(said, size)
    else:
        start, end = int(found[1]), int(found[2] or size - 1)
        if found[2] and end < start:
            return Asked(0, size, whole=True)
    if start >= size:
        raise not_satisfiable(said, size)
    length = min(end, size - 1) - start + 1
    return Asked(start, length, piece=_exactly(version, start, length))


def copied(said: str | None, size: int) -> tuple[int, int]:
    """Where a copied range begins, and how long it is. It must lie within the object."""
    if said is None:
        return 0, size
    found = _COPIED.fullmatch(said)
    if found is None or int(found[2]) < int(found[1]):
        raise bad_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are "
            "the zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            said,
        )
    start, end = int(found[1]), int(found[2])
    if end >= size:
        raise bad_argument(
            f"Range specified is not valid for source object of size: {size}", "x-amz-copy-source-range", said
        )
    return start, end - start + 1


def check_number(part: int) -> None:
    if not 1 <= part <= MOST_PARTS:
        raise bad_argument(
            f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive", "partNumber", part
        )


def marker(said: object) -> int:
    """The number of the part that a page ended with."""
    text = str(said or 0)
    if not _NUMBER.fullmatch(text):
        raise bad_argument(
            "Provided part-number-marker not an integer or within integer range", "part-number-marker", said
        )
    return int(text)


def _of_part(version: Version, part: int) -> Asked:
    check_number(part)
    start = 0
    if not version.pieces and part == 1:
        return Asked(0, version.size, whole=not version.size)
    for piece in version.pieces:
        if piece.number == part:
            return Asked(start, piece.size, whole=not piece.size, piece=piece)
        start += piece.size
    raise Refused(
        "InvalidPartNumber",
        "The requested partnumber is not satisfiable",
        416,
        ActualPartCount=len(version.pieces) or 1,
        PartNumberRequested=part,
    )


def _exactly(version: Version, start: int, length: int) -> Piece | None:
    at = 0
    for piece in version.pieces:
        if at == start and piece.size == length:
            return piece
        at += piece.size
        if at > start:
            return None
    return None
