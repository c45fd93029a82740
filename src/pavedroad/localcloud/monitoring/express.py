"""PutMetricData as the SDKs write it in CBOR, read by one regular expression: most of what is ever put.

What it does not know at once, or would be refused, is left to the reader of everything, which words refusals.
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from functools import cache
from typing import Any

from pavedroad.localcloud import cbor
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring import ingest
from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.store import Point


def _text(longest: int) -> bytes:
    """Any text of 1 to so many bytes: in CBOR its length comes first."""
    short = b"|".join(b"%b.{%d}" % (re.escape(bytes((0x60 + size,))), size) for size in range(1, 24))
    long = b"|".join(b"%b.{%d}" % (re.escape(bytes((size,))), size) for size in range(24, longest + 1))
    return b"(?:%b|\x78(?:%b))" % (short, long)


@cache
def _head() -> re.Pattern[bytes]:
    pattern = rb"\xa2\x69Namespace(" + _text(60) + rb")\x6aMetricData(?:([\x81-\x97])|\x98(.)|\x99(..))"
    return re.compile(pattern, re.DOTALL)


@cache
def _datum() -> re.Pattern[bytes]:
    """It takes a moment to make, so it is made when it is needed."""
    pair = rb"\xa2\x64Name" + _text(40) + rb"\x65Value" + _text(120)
    pattern = (
        rb"([\xa2-\xa6])(?:"
        rb"\x6aMetricName(" + _text(60) + rb")"
        rb"|\x6aDimensions([\x80-\x97](?:" + pair + rb")*)"
        rb"|\x69Timestamp\xc1(\xfb.{8}|\x1a.{4})"
        rb"|\x65Value\xfb(.{8})"
        rb"|\x64Unit(" + _text(24) + rb")"
        rb"|\x71StorageResolution(\x01|\x18\x3c)"
        rb"){2,6}"
    )
    return re.compile(pattern, re.DOTALL)


_DOUBLE = struct.Struct(">d")

_Key = tuple[bytes, bytes, bytes | None, bytes | None]

_MOST_KNOWN = 50_000
_known: dict[_Key, tuple[MetricId, str]] = {}
"""Metrics and units that were checked before, by their bytes."""


def points(body: bytes, now: datetime) -> list[Point] | None:
    """The points of a whole call; None where it is not for here."""
    head = _head().match(body)
    if head is None:
        return None
    count = int.from_bytes(head[3] or head[4] or bytes((head[2][0] - 0x80,)), "big")
    if count > ingest.MOST_DATA:
        return None
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    oldest, newest = (now - ingest.OLDEST).timestamp(), (now + ingest.NEWEST).timestamp()
    found: list[Point] = []
    at = head.end()
    for match in _datum().finditer(body, at):
        members = match.groups()
        header, name, dimensions, time, value, unit, resolution = members
        if match.start() != at or header[0] - 0xA0 != 6 - members.count(None) or not (name and value):
            return None
        at = match.end()
        key: _Key = (head[1], name, dimensions, unit)
        known = _known.get(key) or _checked(key)
        (number,) = _DOUBLE.unpack(value)
        moment = _seconds(time) if time else now.timestamp()
        if known is None or not (oldest <= moment <= newest and abs(number) <= ingest.LARGEST):
            return None
        found.append(Point(*known, moment, 1 if resolution == b"\x01" else 60, (number,)))
    return found if at == len(body) and len(found) == count else None


def _seconds(told: bytes) -> float:
    if len(told) == 9:
        (moment,) = _DOUBLE.unpack_from(told, 1)
        return moment
    return float(int.from_bytes(told[1:], "big"))


def _checked(key: _Key) -> tuple[MetricId, str] | None:
    namespace, name, dimensions, unit = key
    try:
        datum: dict[str, Any] = {
            "MetricName": cbor.loads(name),
            "Dimensions": cbor.loads(dimensions) if dimensions else [],
            "Unit": cbor.loads(unit) if unit else None,
        }
        told: str = cbor.loads(namespace)
        ingest.check_namespace(told)
        known = _known[key] = ingest.identified(told, datum, "MetricData")
    except (cbor.MalformedCbor, ServiceError):
        return None
    return known
