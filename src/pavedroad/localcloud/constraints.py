"""What botocore's model of a service says of each parameter: required, length, range, pattern, values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, cast

from botocore.loaders import Loader

from pavedroad.localcloud.errors import ServiceError

_JAVA_SUPPLEMENT = r"\uD800\uDC00-\uDBFF\uDFFF"
_SUPPLEMENT = r"\U00010000-\U0010FFFF"
_JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


class Given(dict[str, Any]):
    """A call's parameters. To read one that was not given refuses the call: models say of many that they may
    be left out, where nothing can be done without them."""

    def __missing__(self, name: str) -> Any:
        raise ServiceError("ValidationError", f"1 validation error detected: {_null(_path('', name))}")


class Constraints:
    """Checks parameters by the model of one service, by the name that boto3 has for it."""

    def __init__(self, service: str) -> None:
        self._service = service

    @cached_property
    def _model(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", Loader().load_service_model(self._service, "service-2"))

    def check(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Refuse what the model does not allow, all of it in one message, as AWS does."""
        shape = self._model["operations"][operation].get("input", {}).get("shape")
        found = list(self._violations(shape, parameters, "")) if shape else []
        if found:
            noun = "error" if len(found) == 1 else "errors"
            raise ServiceError(
                "ValidationError", f"{len(found)} validation {noun} detected: " + "; ".join(found)
            )

    def _violations(self, shape_name: str, value: Any, where: str) -> Iterator[str]:
        shape: Mapping[str, Any] = self._model["shapes"][shape_name]
        kind = shape["type"]
        if kind == "structure":
            for name in shape.get("required", ()):
                if value.get(name) is None:
                    yield _null(_path(where, name))
            for name, member in shape["members"].items():
                if value.get(name) is not None:
                    yield from self._violations(member["shape"], value[name], _path(where, name))
        elif kind == "list":
            yield from _sizes(shape, value, len(value), where, "length")
            for number, item in enumerate(value, start=1):
                yield from self._violations(shape["member"]["shape"], item, f"{where}.{number}.member")
        elif kind == "map":
            yield from _sizes(shape, value, len(value), where, "length")
        elif kind == "string":
            yield from _string(shape, value, where)
        elif kind in ("integer", "long", "double", "float"):
            yield from _sizes(shape, value, value, where, "value")


def _string(shape: Mapping[str, Any], value: str, where: str) -> Iterator[str]:
    said = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must"
    yield from _sizes(shape, value, len(value), where, "length")
    if "enum" in shape and value not in shape["enum"]:
        yield f"{said} satisfy enum value set: [{', '.join(shape['enum'])}]"
    if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
        yield f"{said} satisfy regular expression pattern: {shape['pattern']}"


def _sizes(shape: Mapping[str, Any], value: Any, size: float, where: str, what: str) -> Iterator[str]:
    said = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must have {what}"
    if "min" in shape and size < shape["min"]:
        yield f"{said} greater than or equal to {shape['min']}"
    if "max" in shape and size > shape["max"]:
        yield f"{said} less than or equal to {shape['max']}"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """AWS writes them for Java: characters beyond the basic plane as surrogate pairs, letters as `\\p{L}`;
    `\\w` means ASCII's alone."""
    ascii_only = re.ASCII if "\\p" not in pattern else re.NOFLAG
    written = pattern.replace(_JAVA_SUPPLEMENT, _SUPPLEMENT)
    for theirs, ours in _JAVA_CLASSES.items():
        written = written.replace(theirs, ours)
    return re.compile(written, re.DOTALL | ascii_only)


def _null(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def _path(where: str, name: str) -> str:
    own = name[0].lower() + name[1:]
    return f"{where}.{own}" if where else own
