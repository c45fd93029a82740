# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""moto's results as XML, by writers that are made once for each place in an operation's answer.

moto's own way tries a dozen names for every value, makes a tree of all of them, and writes that: a
millisecond a thing, with the state lock held. By which names a value may be known is still for moto to say.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from moto.core import serialize
from moto.core.constants import MISSING
from moto.core.serialize import (
    AttributePickerContext,
    EC2Serializer,
    QuerySerializer,
    S3Serializer,
    TimestampSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value

Writer = Callable[[Any], str]
Transformers = Mapping[str, Callable[[Any], Any]]

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_keys_of = XFormedAttributePicker().get_possible_keys


def install() -> None:
    """For the protocols of EC2, IAM, STS and SNS, and the lists of S3."""
    serialize.SERIALIZERS.update({"ec2": Ec2, "query": Query})
    serialize.SERVICE_SPECIFIC_SERIALIZERS["s3"]["rest-xml"] = S3


@dataclass(frozen=True, eq=False, slots=True)
class _Answer:
    """What all places of an operation's answer have in common."""

    operation: Any
    times: TimestampSerializer
    transformers: Transformers


_writers: dict[tuple[str, str], Writer] = {}


def _inside(serializer: Any, result: Any) -> str:
    """The members of a result, without the element around them."""
    operation = serializer.operation_model
    if operation.output_shape is None or result is None:
        return ""
    known = (operation.service_model.service_name, operation.name)
    if known not in _writers:
        answer = _Answer(
            operation, serializer._timestamp_serializer, serializer._value_picker.response_transformers
        )
        shape = operation.output_shape
        _writers[known] = _members(answer, shape, f"{operation.name}.{shape.name}")
    return _writers[known](result)


class Query(QuerySerializer):
    def _serialize_result(self, resp, result):
        name, shape = self.operation_model.name, self.operation_model.output_shape
        said = ""
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{shape.name}Result")
            said = _element(wrapper, _inside(self, result))
        asked = f"<ResponseMetadata><RequestId>{self.context.request_id}</RequestId></ResponseMetadata>"
        return _answered(self, resp, f"<{name}Response{_namespace(self)}>{said}{asked}</{name}Response>")


class Ec2(EC2Serializer):
    def _serialize_result(self, resp, result):
        name = self.operation_model.name
        asked = f"<requestId>{self.context.request_id}</requestId>"
        said = f"<{name}Response{_namespace(self)}>{_inside(self, result)}{asked}</{name}Response>"
        return _answered(self, resp, _HEAD + said)


class S3(S3Serializer):
    def _serialize_result(self, resp, result):
        shape = self.operation_model.output_shape
        if not self.operation_name.startswith("List") or shape is None:
            return super()._serialize_result(resp, result)
        headers: dict[str, Any] = {"headers": resp["headers"]}
        for name, member in shape.members.items():
            if member.is_not_bound_to_body:
                self._serialize_structure_member(headers, result, member, name)
        wrapper = shape.serialization.get("resultWrapper", f"{self.operation_name}Response")
        said = f"<{wrapper}{_namespace(self)}>{_inside(self, result)}</{wrapper}>"
        return _answered(self, resp, _HEAD + said)


def _answered(serializer, resp, body: str):
    resp["body"] = body
    resp["headers"]["Content-Type"] = serializer.CONTENT_TYPE
    return resp


def _namespace(serializer) -> str:
    found: dict[str, str] = {}
    serializer._serialize_namespace_attribute(found)
    return f" xmlns={quoteattr(found['@xmlns'])}" if found else ""


def _members(answer: _Answer, shape: Any, path: str) -> Writer:
    made: list[tuple[Callable[[Any], Any], Writer]] = []

    def make() -> None:
        for key, member in shape.members.items():
            if not member.is_not_bound_to_body:
                member.parent = shape  # where moto looks for more names
                made.append(
                    (
                        _picker(answer, member, key, path),
                        _writer(answer, member, _tag(member, key), key, path),
                    )
                )

    def write(value: Any) -> str:
        if not made:  # at first use: shapes may hold themselves
            make()
        if value is None:
            return ""
        return "".join([text(found) for pick, text in made if (found := pick(value)) is not None])

    return write


def _picker(answer: _Answer, member: Any, key: str, path: str) -> Callable[[Any], Any]:
    """How the member's value is found in an object, or a dictionary."""
    ends = next((it for it in answer.transformers if f"{path}.{key}".endswith(it)), None)
    known: dict[type, tuple[tuple[str, ...], Callable[[Any, str, Any], Any]]] = {}

    def find(value: Any) -> tuple[tuple[str, ...], Callable[[Any, str, Any], Any]]:
        names = tuple(dict.fromkeys(_keys_of(AttributePickerContext(value, key, member, answer.operation))))
        if type(value) is dict:
            return names, dict.get
        plain = not hasattr(value, "__getitem__") and not any("." in name for name in names)
        return names, getattr if plain else get_value

    def pick(value: Any) -> Any:
        kind = type(value)
        names, look = known.get(kind) or known.setdefault(kind, find(value))
        for name in names:
            found = look(value, name, MISSING)
            if found is not MISSING:
                break
        else:
            found = None
        return found if ends is None else answer.transformers[ends](found)

    return pick


def _writer(answer: _Answer, shape: Any, tag: str, key: str, path: str) -> Writer:
    """Of a value of that shape as an element, or as several where the shape is flattened."""
    path = f"{path}.{key}"
    if shape.type_name == "structure":
        inside = _members(answer, shape, path)
        return lambda value: _element(tag, inside(value))
    if shape.type_name == "list":
        return _list(answer, shape, tag, path)
    if shape.type_name == "map":
        return _map(answer, shape, tag, path)
    text = _TEXTS.get(shape.type_name, str)
    if shape.type_name == "timestamp":
        form = shape.serialization.get("timestampFormat", answer.times.default_format)
        return lambda value: f"<{tag}>{_time(answer.times, form, value)}</{tag}>"
    return lambda value: _element(tag, escape(text(value)))


def _list(answer: _Answer, shape: Any, tag: str, path: str) -> Writer:
    member = shape.member
    name = _tag(member, tag if shape.is_flattened else "member")
    item = _writer(answer, member, name, member.name, path)
    empty = f"<{name}/>" if member.type_name == "structure" else ""

    def items(values: Any) -> str:
        return "".join([said for it in values if (said := item(it)) != empty])

    return items if shape.is_flattened else lambda values: _element(tag, items(values))


def _map(answer: _Answer, shape: Any, tag: str, path: str) -> Writer:
    key = _writer(answer, shape.key, _tag(shape.key, "key"), "key", path)
    value = _writer(answer, shape.value, _tag(shape.value, "value"), "value", path)
    entry = tag if shape.is_flattened else "entry"

    def entries(values: Any) -> str:
        known = ((name, it) for name, it in values.items() if it is not None)
        return "".join([f"<{entry}>{key(name)}{value(it)}</{entry}>" for name, it in known])

    return entries if shape.is_flattened else lambda values: _element(tag, entries(values))


def _tag(shape: Any, name: str) -> str:
    return shape.serialization.get("name", name)


def _element(tag: str, inside: str) -> str:
    return f"<{tag}>{inside}</{tag}>" if inside else f"<{tag}/>"


def _boolean(value: Any) -> str:
    return "true" if str(value).lower() == "true" else "false"


def _integer(value: Any) -> str:
    return str(int(value))


def _number(value: Any) -> str:
    return str(float(value))


def _blob(value: Any) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


_TEXTS: dict[str, Callable[[Any], str]] = {
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "blob": _blob,
}


@lru_cache(maxsize=10_000)
def _time(times: TimestampSerializer, form: str, value: Any) -> str:
    return str(times._convert_timestamp_to_str(value, form))
