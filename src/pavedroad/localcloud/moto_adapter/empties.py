"""Query parameters that are there and empty (`ProtocolVersion=`): AWS takes them as those that are not there,
unless emptiness is a value that the parameter may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from urllib.parse import parse_qsl, urlencode

from botocore.model import ListShape, MapShape, OperationNotFoundError, ServiceModel, Shape, StructureShape

from pavedroad.localcloud.api.services import ApiRequest

Named = Callable[[Shape, str], str]
"""What a member is called in a query."""

_SOME = re.compile(r"=(&|$)")
_FORM = "application/x-www-form-urlencoded"
_MAY_BE_EMPTY = {"Value", "AttributeValue", "Description", "PolicyDocument", "DataProtectionPolicy"}
"""Texts of which the model does not say it, and whose emptiness takes away what was there."""
_MAY_BE_EMPTY_IN = {"ModifyInstancePlacement": {"GroupName", "GroupId"}}


def query_name(member: Shape, name: str) -> str:
    """A member's name in the query protocol."""
    return member.serialization.get("name", name)


def without_empties(
    operation: str, shape: Shape | None, values: Mapping[str, str], named: Named = query_name
) -> dict[str, str]:
    """The pairs of a call's form that say something. What alone makes an item of a list stays: the others
    would be counted anew without it."""
    empty = [name for name, value in values.items() if not value]
    may_be = _MAY_BE_EMPTY | _MAY_BE_EMPTY_IN.get(operation, set())
    gone = {name for name in empty if _is_nothing(shape, name.split("."), named, may_be)}
    if not gone:
        return dict(values)
    kept = {name: value for name, value in values.items() if name not in gone}
    items = {item for name in kept for item in _items(name)}
    return {
        name: value for name, value in values.items() if name in kept or not items.issuperset(_items(name))
    }


def _items(name: str) -> list[str]:
    """The items of lists that a parameter is in: `A.1` and `A.1.B.2` of `A.1.B.2.C`."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end, part in enumerate(parts, start=1) if part.isdigit()]


def _is_nothing(shape: Shape | None, path: list[str], named: Named, may_be: set[str]) -> bool:
    """Whether an empty text at a path is that of a member which need not be, and whose value it cannot be."""
    if isinstance(shape, StructureShape):
        found = next((it for it in shape.members.items() if named(it[1], it[0]) == path[0]), None)
        if found is None:
            return False
        name, member = found
        if len(path) > 1:
            return _is_nothing(member, path[1:], named, may_be)
        told = name in shape.required_members and _is_told(member)
        return not told and not _has_empty(member, may_be=name in may_be)
    if isinstance(shape, ListShape):
        at = next((at for at, part in enumerate(path) if part.isdigit()), len(path))
        return len(path) > at + 1 and _is_nothing(shape.member, path[at + 1 :], named, may_be)
    if isinstance(shape, MapShape):
        at = next((at for at, part in enumerate(path) if part.isdigit()), len(path))
        return len(path) > at + 2 and _is_nothing(shape.value, path[at + 2 :], named, may_be)
    return False


def _has_empty(shape: Shape, *, may_be: bool) -> bool:
    if shape.type_name == "blob":
        return True
    return shape.type_name == "string" and (may_be or shape.metadata.get("min") == 0)


def _is_told(shape: Shape) -> bool:
    """Whether it is better told what is wrong with an empty one that must be, than that there is none."""
    return shape.type_name in ("string", "list")


class Filled:
    """Requests of one service of moto's, as moto is to read them."""

    def __init__(self, model: Callable[[], ServiceModel], named: Named = query_name) -> None:
        self._model = model
        self._named = named

    def request(self, request: ApiRequest) -> ApiRequest:
        """The request as it is, or without what it has of empties."""
        body = request.body() if request.headers.get("content-type", _FORM).startswith(_FORM) else b""
        text = body.decode("latin-1")
        if not (_SOME.search(request.query) or _SOME.search(text)):
            return request
        pairs = [
            dict(parse_qsl(it, keep_blank_values=True, encoding="latin-1")) for it in (request.query, text)
        ]
        every = pairs[0] | pairs[1]
        try:
            shape = self._model().operation_model(every.get("Action", "")).input_shape
        except OperationNotFoundError:
            return request
        kept = without_empties(every["Action"], shape, every, self._named)
        if len(kept) == len(every):
            return request
        query, form = (
            urlencode({name: value for name, value in part.items() if name in kept}, encoding="latin-1")
            for part in pairs
        )
        return replace(request, query=query, stream=BytesIO(form.encode()), length=len(form))
