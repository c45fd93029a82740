"""Which operation a request is of: by its method, its path and what its query and headers name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_to_bytes

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.api.virtual_hosts import bucket_of_host
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request

Level = Literal["service", "bucket", "key"]

POST_OBJECT = "PostObject"
"""A form of a web page with a file in it, which the model does not have."""
PREFLIGHT = "Preflight"
"""A browser's question whether a page may make a call."""

_NO_QUERY = frozenset({"x-id"})
"""What SDKs add for whoever reads logs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's address, decoded. `query` has the first of each name."""

    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def level(self) -> Level:
        return "key" if self.key else "bucket" if self.bucket else "service"


@dataclass(frozen=True, slots=True)
class _Route:
    operation: OperationModel
    fixed: Mapping[str, str]
    """What the query must say, with its values; an empty one may be any."""
    parameters: frozenset[str]
    headers: frozenset[str]

    def matches(self, asked: Asked, headers: Mapping[str, str]) -> bool:
        query = asked.query
        return (
            all(name in query and (not value or query[name] == value) for name, value in self.fixed.items())
            and all(name in query for name in self.parameters)
            and all(name in headers for name in self.headers)
        )

    @property
    def weight(self) -> int:
        return len(self.fixed) + len(self.parameters) + len(self.headers)


class Routes:
    """By botocore's model of S3, which is read at the first call."""

    def find(self, request: ApiRequest, asked: Asked) -> str:
        """The operation's name. Refuses what there is not."""
        if request.method == "OPTIONS":
            return PREFLIGHT
        if asked.level == "bucket" and _is_form(request):
            return POST_OBJECT
        routes = self._routes.get((request.method, asked.level), ())
        found = next((it for it in routes if it.matches(asked, request.headers)), None)
        left = (asked.query.keys() & self._subresources) - (found.fixed.keys() if found else set())
        if found is None or left:
            raise _no_such(request.method, asked, sorted(left))
        if found.operation.name in _WHOLE and asked.query.keys() & _OF_PARTS:
            raise bad_argument("A part is uploaded with its partNumber and its uploadId.")
        return found.operation.name

    def operation(self, name: str) -> OperationModel:
        return self.model.operation_model(name)

    @cached_property
    def model(self) -> ServiceModel:
        description: Any = Loader().load_service_model("s3", "service-2")
        return ServiceModel(description, "s3")

    @cached_property
    def _routes(self) -> Mapping[tuple[str, Level], tuple[_Route, ...]]:
        """The most particular first."""
        found: dict[tuple[str, Level], list[_Route]] = {}
        for level, route in self._all():
            found.setdefault((route.operation.http["method"], level), []).append(route)
        return {where: tuple(sorted(it, key=lambda it: -it.weight)) for where, it in found.items()}

    @cached_property
    def _subresources(self) -> frozenset[str]:
        """What a query names when it is of something else than the bucket or the object itself."""
        return frozenset(
            name
            for routes in self._routes.values()
            for route in routes
            for name, value in route.fixed.items()
            if not value
        )

    def _all(self) -> Iterator[tuple[Level, _Route]]:
        for name in self.model.operation_names:
            operation = self.operation(name)
            path, _, query = operation.http["requestUri"].partition("?")
            if operation.deprecated or path not in _LEVELS or name == "ListDirectoryBuckets":
                continue
            shape = operation.input_shape
            required = [shape.members[it] for it in shape.required_members] if shape else []
            said = [(it.serialization.get("location"), str(it.serialization.get("name"))) for it in required]
            fixed = dict(parse_qsl(query, keep_blank_values=True))
            yield (
                _LEVELS[path],
                _Route(
                    operation,
                    {name: value for name, value in fixed.items() if name not in _NO_QUERY},
                    frozenset(name for where, name in said if where == "querystring"),
                    frozenset(name.lower() for where, name in said if where == "header") & _TELLING,
                ),
            )


_LEVELS: Mapping[str, Level] = {"/": "service", "/{Bucket}": "bucket", "/{Bucket}/{Key+}": "key"}
_WHOLE = frozenset({"PutObject", "CopyObject"})
_OF_PARTS = frozenset({"partNumber", "uploadId"})
_TELLING = frozenset({"x-amz-copy-source"})
"""Headers that make it another operation; others that are required are missed where they are not."""


def address_of(request: ApiRequest) -> Asked:
    """Refuses what is no text."""
    host = bucket_of_host(request.headers.get("host", ""))
    path = request.path.partition("?")[0].removeprefix("/")
    bucket, _, key = (host, "", path) if host else path.partition("/")
    pairs = parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape")
    return Asked(_decoded(bucket), _decoded(key), dict(reversed(pairs)))


def _decoded(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise Refused("InvalidURI", "Couldn't parse the specified URI.", URI=part) from None


def _is_form(request: ApiRequest) -> bool:
    kind = request.headers.get("content-type", "")
    return request.method == "POST" and kind.lower().startswith("multipart/form-data")


def _no_such(method: str, asked: Asked, subresources: list[str]) -> Refused:
    if subresources and asked.level == "key" and method in ("GET", "HEAD"):
        return bad_request(f"There is no such thing as the ?{subresources[0]} sub-resource for a key")
    kind = (
        subresources[0].upper() if subresources else {"key": "OBJECT"}.get(asked.level, asked.level.upper())
    )
    return Refused(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        Method=method,
        ResourceType=kind,
    )
