"""Queries of what is in an object: a line of CSV or JSON is a row. They go through all of it, without the
lock."""

from __future__ import annotations

import bz2
import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import py_partiql_parser  # pyright: ignore[reportMissingTypeStubs]

from pavedroad.localcloud.objects import encryption, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.contents import pieces_of
from pavedroad.localcloud.objects.refusals import Refused, malformed

_LARGEST = 256 * 2**20
_PIECE = 128 * 1024
_parser: Any = py_partiql_parser
_UNPACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "NONE": bytes,
    "GZIP": gzip.decompress,
    "BZIP2": bz2.decompress,
}


def prepare(call: Call) -> Call:
    """Ask the query of what the object is now."""
    with call.lock:
        _, _, version = versions.asked(call)
        encryption.check_key(call, version.settings.encryption)
    if version.size > _LARGEST:
        raise Refused("OverMaxRecordSize", f"Objects over {_LARGEST} bytes are not queried by this cloud.")
    rows, scanned = _found(call, b"".join(pieces_of(call.contents, version.contents)))
    written = _written(rows, call.structure("OutputSerialization"))
    sizes = {"BytesScanned": scanned, "BytesProcessed": version.size, "BytesReturned": len(written)}
    return replace(call, copied=b"".join(_events(written, sizes)))


def select_object_content(call: Call) -> Result:
    return Result({"Payload": call.copied})


def _found(call: Call, content: bytes) -> tuple[list[Any], int]:
    asked = call.structure("InputSerialization")
    if call.get("ExpressionType") != "SQL" or not call.get("Expression") or not asked:
        raise malformed()
    unpacked = _UNPACKED.get(asked.get("CompressionType") or "NONE")
    if unpacked is None or "Parquet" in asked:
        raise Refused(
            "UnsupportedFunction", "This cloud queries CSV and JSON, plain or packed by gzip or bzip2."
        )
    try:
        text = unpacked(content).decode()
        if "CSV" in asked:
            form: Mapping[str, Any] = asked.get("CSV") or {}
            text = _parser.csv_to_json(text, form.get("FileHeaderInfo") == "USE")
        parser = _parser.S3SelectParser(source_data=text)
        return cast("list[Any]", parser.parse(call.get("Expression"))), int(parser.bytes_scanned)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Refused("InvalidDataSource", f"The object is not what the request says: {error}") from error
    except Exception as error:
        raise Refused("ParseSelectFailure", f"The query cannot be answered: {error}") from error


def _written(rows: list[Any], asked: Mapping[str, Any]) -> bytes:
    said: Mapping[str, Any] = asked.get("JSON") or asked.get("CSV") or {}
    end = said.get("RecordDelimiter") or "\n"
    if "CSV" in asked:
        return cast("str", _parser.json_to_csv(rows, said.get("FieldDelimiter") or ",", end)).encode()
    lines = (json.dumps(row, separators=(",", ":"), cls=_parser.SelectEncoder) + end for row in rows)
    return "".join(lines).encode()


def _events(written: bytes, sizes: Mapping[str, int]) -> Iterable[bytes]:
    for start in range(0, len(written), _PIECE):
        yield _event("Records", "application/octet-stream", written[start : start + _PIECE])
    details = "".join(f"<{name}>{size}</{name}>" for name, size in sizes.items())
    yield _event("Stats", "text/xml", f"<Stats>{details}</Stats>".encode())
    yield _event("End", "", b"")


def _event(kind: str, content_type: str, payload: bytes) -> bytes:
    """As AWS frames the events of a stream."""
    named = {":message-type": "event", ":event-type": kind, ":content-type": content_type}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in named.items()
        if value
    )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))
