"""Parameters made from botocore's model of a service: the least that it requires, or some of everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer

_PREFIXES = {
    "InstanceId": "i",
    "ImageId": "ami",
    "VpcId": "vpc",
    "SubnetId": "subnet",
    "GroupId": "sg",
    "SecurityGroupId": "sg",
    "VolumeId": "vol",
    "SnapshotId": "snap",
    "NetworkInterfaceId": "eni",
    "RouteTableId": "rtb",
    "InternetGatewayId": "igw",
    "NetworkAclId": "acl",
    "LaunchTemplateId": "lt",
    "SpotInstanceRequestId": "sir",
    "FleetId": "fleet",
    "SourceImageId": "ami",
}
_DEEPEST = 4


def parameters(
    shape: Shape | None, *, everything: bool = False, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`known` has what is to be given by the parameter's name, where there is such a thing already."""
    return {} if shape is None else _value(shape, "", everything, 0, known or {})


def _value(shape: Any, name: str, everything: bool, depth: int, known: Mapping[str, Any]) -> Any:
    if name in known and (shape.type_name == "string" or not isinstance(known[name], str)):
        return known[name]
    if isinstance(shape, StructureShape):
        members: dict[str, Shape] = shape.members  # pyright: ignore[reportAssignmentType, reportUnknownMemberType]
        wanted = members if everything and depth < _DEEPEST else shape.required_members
        return {
            member: _value(members[member], member, everything, depth + 1, known)
            for member in wanted
            if member != "DryRun"
        }
    if isinstance(shape, ListShape):
        member: Any = shape.member
        return [_value(member, name.removesuffix("s"), everything, depth + 1, known)] * max(
            1, int(shape.metadata.get("min", 1))
        )
    if isinstance(shape, MapShape):
        return {"key": _value(shape.value, "", everything, depth + 1, known)}
    return _scalar(shape, name)


def _scalar(shape: Shape, name: str) -> Any:
    if shape.type_name in ("integer", "long", "double", "float"):
        return max(1, int(shape.metadata.get("min", 1)))
    if shape.type_name == "boolean":
        return True
    if shape.type_name == "timestamp":
        return "2030-01-01T00:00:00Z"
    if shape.type_name == "blob":
        return b"text"
    enum: list[str] = getattr(shape, "enum", [])
    if enum:
        return enum[0]
    if name in _PREFIXES:
        return f"{_PREFIXES[name]}-0123456789abcdef0"
    return "x" * max(4, int(shape.metadata.get("min", 1)))


def query_of(shape: Shape | None, value: Any) -> dict[str, str]:
    """As EC2's query has it."""
    return dict(_flat(shape, value, "")) if shape is not None else {}


def _flat(shape: Any, value: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(shape, StructureShape):
        for name, below in value.items():
            member: Any = shape.members[name]  # pyright: ignore[reportUnknownMemberType]
            said = member.serialization
            own = said.get("queryName") or said.get("name", name)
            own = own if "queryName" in said else own[0].upper() + own[1:]
            yield from _flat(member, below, f"{prefix}.{own}" if prefix else own)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, start=1):
            yield from _flat(shape.member, item, f"{prefix}.{number}")
    else:
        yield prefix, value.decode() if isinstance(value, bytes) else str(value)


@cache
def model_of(service: str) -> Any:
    """As botocore has it; moto's own knows of more."""
    return botocore.session.get_session().get_service_model(service)


def wire(service: str, operation: str, made: dict[str, Any]) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path with query, headers and body, as boto3 would send them."""
    model = model_of(service)
    asked = model.operation_model(operation)
    said = create_serializer(model.resolved_protocol, include_validation=False).serialize_to_request(
        made, asked
    )
    query = urlencode(said["query_string"], doseq=True) if said["query_string"] else ""
    path = said["url_path"] + (("&" if "?" in said["url_path"] else "?") + query if query else "")
    body = said["body"]
    if isinstance(body, dict):
        body = urlencode(body).encode()
    elif isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = body.read()
    return said["method"], path, {name.lower(): value for name, value in said["headers"].items()}, body
