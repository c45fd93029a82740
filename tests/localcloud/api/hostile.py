"""Requests that no client would send, for any operation of any service in any of its protocols."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import quote_from_bytes

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from hypothesis import strategies as st

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True)
class Spoken:
    """A service as one of its protocols speaks of it."""

    service: str
    model: str
    protocol: str


SPOKEN = (
    *(Spoken(name, name, "query") for name in ("ec2", "autoscaling", "iam", "sts", "sns", "sqs")),
    Spoken("elasticloadbalancing", "elbv2", "query"),
    *(Spoken("monitoring", "cloudwatch", it) for it in ("query", "json", "cbor")),
    Spoken("acm", "acm", "json"),
    Spoken("sqs", "sqs", "json"),
)


@dataclass(frozen=True)
class Hostile:
    service: str
    operation: str
    path: str
    headers: dict[str, str]
    body: bytes


@cache
def model(name: str) -> ServiceModel:
    description: Any = Loader().load_service_model(name, "service-2")
    return ServiceModel(description, name)


ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"))
ODD_TEXTS = (
    "", " ", "\0", "\x85\u2028", "%00", "%zz", "\U0001f600", "x" * 3000, "../../etc/passwd", "*", "a,b", "[",
    "(a+)+$", "<x>&amp;", "arn:", "arn:aws:sns:us-east-1:123456789012:x", "arn:aws:iam::123456789012:role/x",
    "i-1", "i-0123456789abcdef0", "true", "TRUE", "None", "-1", "99999999999999999999", "1e9", "NaN",
    "2030-13-45", "2030-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "99999999999", "10.0.0.0/33", "::/0",
    "{}", "[]", "\u202e", '{"Statement": 1}', "us-east-1a",
)  # fmt: skip
scalars: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(ODD_NUMBERS),
    st.booleans(),
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(ODD_TEXTS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
DEEP: Any = []
for _ in range(400):
    DEEP = [DEEP]


@st.composite
def values(draw: st.DrawFn, shape: Shape | None, depth: int = 0) -> Any:
    """Mostly as the model has it, now and then not at all."""
    odd = draw(st.integers(0, 9))
    if odd == 0 or depth > 4 or shape is None:
        return draw(anything)
    if odd == 1 and depth:
        return DEEP
    if isinstance(shape, StructureShape):
        members: dict[str, Any] = dict(shape.members)
        required = [it for it in shape.required_members if draw(st.integers(0, 9))]
        names = draw(st.lists(st.sampled_from(sorted(members)), max_size=4, unique=True)) if members else []
        return {name: draw(values(members[name], depth + 1)) for name in dict.fromkeys([*required, *names])}
    if isinstance(shape, ListShape):
        return draw(st.lists(values(shape.member, depth + 1), max_size=2))
    if isinstance(shape, MapShape):
        return draw(st.dictionaries(st.sampled_from(ODD_TEXTS), values(shape.value, depth + 1), max_size=2))
    if draw(st.booleans()) and (named := getattr(shape, "enum", None)):
        return draw(st.sampled_from(named))
    if shape.type_name in ("integer", "long") and draw(st.booleans()):
        return draw(st.integers(-1, 100))
    if shape.type_name == "string" and draw(st.booleans()):
        return draw(st.sampled_from(("a", "thing", "x-1")))
    return draw(scalars)


SPOILED: tuple[dict[str, str], ...] = (
    {"content-type": "text/html"},
    {"content-type": ""},
    {"content-encoding": "gzip"},
    {"x-amz-date": "yesterday"},
    {"accept": "text/html"},
    {"host": ""},
    {"x-amz-target": "."},
    {"smithy-protocol": "x"},
)
INDEXES = ("1", "2", "0", "-1", "999999999", "1e9", "", "x", "01", "99999999999999999999", "\u0663")


def flattened(draw: st.DrawFn, value: Any, prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for key, it in cast("dict[str, Any]", value).items():
            pairs += flattened(draw, it, f"{prefix}.{key}" if prefix else key)
        return pairs
    if isinstance(value, list):
        if prefix.count(".") > 300:
            return [(prefix, "deep")]
        style = draw(st.sampled_from((".member", "", ".Item")))
        for number, it in enumerate(cast("list[Any]", value), 1):
            index = draw(st.sampled_from(INDEXES)) if draw(st.integers(0, 5)) == 0 else str(number)
            pairs += flattened(draw, it, f"{prefix}{style}.{index}")
        return pairs
    return [(prefix or "x", _written(value))]


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: ""}[value]
    return "9" * 400 if isinstance(value, int) and abs(value) > 10**300 else str(value)


def encoded(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe=".-_~")


@st.composite
def hostile(draw: st.DrawFn, spoken: Spoken, chosen: Callable[[str], bool] = lambda name: True) -> Hostile:
    known = model(spoken.model)
    operation = draw(st.sampled_from([name for name in known.operation_names if chosen(name)]))
    document = draw(values(known.operation_model(operation).input_shape))
    headers: dict[str, str] = {}
    path = "/"
    if spoken.protocol == "query":
        pairs = flattened(draw, document)
        more = draw(st.integers(0, 9))
        if more == 0:
            pairs += pairs
        if more == 1:
            pairs += [(f"Junk.{number}", "x") for number in range(10_000)]
        head = [("Action", operation), ("Version", known.api_version)]
        body = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in [*head, *pairs]).encode()
        headers = {"content-type": FORM}
    elif spoken.protocol == "json":
        body = _json(document)
        version = known.metadata.get("jsonVersion", "1.1")
        headers = {
            "x-amz-target": f"{known.metadata['targetPrefix']}.{operation}",
            "content-type": f"application/x-amz-json-{version}",
        }
    else:
        body = _cbor(document)
        headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
        path = f"/service/{known.metadata.get('targetPrefix')}/operation/{operation}"
    spoil = draw(st.integers(0, 12))
    if spoil == 0:
        body = body[: draw(st.integers(0, max(0, len(body) - 1)))]
    elif spoil == 1 and body:
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + draw(st.binary(min_size=1, max_size=3)) + body[at + 1 :]
    elif spoil == 2:
        headers |= draw(st.sampled_from(SPOILED))
    return Hostile(spoken.service, operation, path, headers, body)


def _json(value: Any) -> bytes:
    if value is DEEP:
        return b"[" * 10_000
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return b"{" + b",".join(json.dumps(key).encode() + b":" + _json(it) for key, it in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_json, cast("list[Any]", value))) + b"]"
    if isinstance(value, int) and abs(value) > 10**300:
        return b"1" + b"0" * 400
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _cbor(value: Any) -> bytes:
    if value is DEEP:
        return b"\x81" * 10_000
    if isinstance(value, bool) or value is None:
        return {True: b"\xf5", False: b"\xf4", None: b"\xf6"}[value]
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return b"\xbf" + b"".join(_cbor(key) + _cbor(it) for key, it in pairs) + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(_cbor, cast("list[Any]", value))) + b"\xff"
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return (
                (b"\x1b" + struct.pack(">Q", value))
                if value >= 0
                else (b"\x3b" + struct.pack(">Q", -1 - value))
            )
        return b"\xc2\x58\xa7" + b"\xff" * 167
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    raw = value.encode("utf-8", "surrogatepass")
    return b"\x7a" + struct.pack(">I", len(raw)) + raw
