# pyright: basic
"""A call of EC2 held against botocore's model of it, before anything else sees the call."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, OperationModel, OperationNotFoundError, Shape, StructureShape
from moto.core.utils import get_service_model

from pavedroad.core.numbers import real, whole
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_ids import check_id
from pavedroad.localcloud.moto_adapter.shapes import Unreadable, moment, query_tree

Form = dict[str, str]
Check = Callable[[Any, str], None]

_MOST_PARAMETERS = 20_000
_MOST_FILTER_VALUES = 200
_OF_ALL_CALLS = {
    "Action",
    "Version",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SecurityToken",
    "Timestamp",
    "Expires",
}
_LENIENT = {"InstanceType", "ImageNameRequest"}
"""Shapes for which EC2 has an error of their own, later."""
_NAMED_BY_SHAPE = {"PlacementGroupId"}
"""Ids whose parameters are called as those of another kind."""
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DOCUMENTED_RANGE = re.compile(r"between (\d+) and (\d+)")

_OF_INSTANCES = {
    *("TerminateInstances", "StopInstances", "StartInstances", "RebootInstances"),
    *("MonitorInstances", "UnmonitorInstances"),
}


def form_of(request: ApiRequest) -> Form:
    """The call's parameters by their names on the wire; AWS's errors for what is none."""
    try:
        body = request.body().decode()
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        pairs += parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise ServiceError("MalformedQueryString", f"The query string is malformed: {error}.") from error
    return dict(pairs)


def check(form: Form) -> str:
    """The action that the form names, once the form is as the model has it."""
    action = form.get("Action")
    if not action:
        raise ServiceError("MissingAction", "The request must contain the parameter Action.")
    check_of = _operation(action)
    if action in _OF_INSTANCES and not any(name.startswith("InstanceId") for name in form):
        raise ServiceError("InvalidParameterCombination", "No instances specified")
    try:
        tree = query_tree({name: value for name, value in form.items() if not _is_of_all(name)})
    except Unreadable as error:
        raise ServiceError("InvalidQueryParameter", f"The query string is malformed: {error}.") from error
    check_of(tree, "")
    return action


def takes_dry_run(action: str) -> bool:
    shape = _model(action).input_shape
    return shape is not None and "DryRun" in shape.members


def _is_of_all(name: str) -> bool:
    return name in _OF_ALL_CALLS or name.startswith(("X-Amz-", "x-amz-"))


def _model(action: str) -> OperationModel:
    try:
        return get_service_model("ec2").operation_model(action)
    except OperationNotFoundError as error:
        raise ServiceError(
            "InvalidAction", f"The action {action} is not valid for this web service."
        ) from error


@cache
def _operation(action: str) -> Check:
    shape = _model(action).input_shape
    return _structure(shape) if shape is not None else _nothing


def _nothing(tree: Any, where: str) -> None:
    if tree:
        raise _unknown(next(iter(tree)))


def _check_of(shape: Shape, name: str) -> Check:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape, name)
    if shape.type_name in ("integer", "long", "double", "float"):
        return _number(shape, name)
    return _SCALARS.get(shape.type_name) or _text(shape, name)


def wire_name(shape: Shape, name: str) -> str:
    """A member's name in a query of EC2's."""
    said = shape.serialization
    if "queryName" in said:
        return said["queryName"]
    own = said.get("name", name)
    return own[0].upper() + own[1:]


def _structure(shape: StructureShape) -> Check:
    named = {wire_name(member, name): (name, member) for name, member in shape.members.items()}
    required = [wire_name(shape.members[name], name) for name in shape.required_members]
    checks: dict[str, Check] = {}
    is_filter = named.keys() == {"Name", "Value"} and shape.name == "Filter"

    def check(tree: Any, where: str) -> None:
        if not isinstance(tree, dict):
            raise _invalid(tree, where or "parameters")
        for key, below in tree.items():
            if key not in named:
                raise _unknown(f"{where}{key}")
            if key not in checks:  # made at first use: shapes may hold themselves
                checks[key] = _check_of(named[key][1], key)
            checks[key](below, f"{where}{key}.")
        if is_filter:
            _check_filter(tree)
        for key in required:
            if tree.get(key) in (None, "", {}):
                raise ServiceError("MissingParameter", f"The request must contain the parameter {where}{key}")

    return check


def _check_filter(tree: Mapping[str, Any]) -> None:
    if not tree.get("Name"):
        raise ServiceError("InvalidParameterValue", "The filter 'null' is invalid")
    values = tree.get("Value")
    if isinstance(values, dict) and len(values) > _MOST_FILTER_VALUES:
        raise ServiceError(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is {_MOST_FILTER_VALUES}",
        )


def _list(shape: ListShape, name: str) -> Check:
    check_item = _check_of(shape.member, name)
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")

    def check(tree: Any, where: str) -> None:
        if tree == "":
            return
        if not isinstance(tree, dict) or not all(map(_is_index, tree)):
            raise ServiceError(
                "InvalidParameterValue", f"The members of the list {where.rstrip('.')} must be numbered."
            )
        for number, item in tree.items():
            check_item(item, f"{where}{number}.")
        if len(tree) < least or (most is not None and len(tree) > most):
            raise ServiceError(
                "InvalidParameterValue",
                f"The list {where.rstrip('.')} has {len(tree)} members; it may have from {least} to {most}.",
            )

    return check


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 7


def _text(shape: Shape, name: str) -> Check:
    said = {} if shape.name in _LENIENT else shape.metadata
    allowed, least, most = said.get("enum"), said.get("min", 0), said.get("max")

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise _invalid("a structure", where)
        if value:  # first: what is no id is malformed, whatever is wrong with it
            check_id(shape.name if shape.name in _NAMED_BY_SHAPE else name, value)
        if _UNWRITABLE.search(value):
            raise _invalid(value, where, " It has characters that XML cannot hold.")
        if allowed and value and value not in allowed:
            raise _invalid(value, where)
        if value and not least <= len(value) <= (most or len(value)):
            raise _invalid(value, where, f" Its length may be from {least} to {most}.")

    return check


def _number(shape: Shape, name: str) -> Check:
    read = whole if shape.type_name in ("integer", "long") else real
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if name == "MaxResults" and (documented := _DOCUMENTED_RANGE.search(shape.documentation or "")):
        least = int(documented[1]) if least is None else least
        most = int(documented[2]) if most is None else most
    if name == "MaxResults":
        least, most = 1 if least is None else least, 1000 if most is None else most

    def check(value: Any, where: str) -> None:
        try:
            number = read(value)
        except (TypeError, ValueError) as error:
            raise _invalid(value, where, " It must be a number.") from error
        if least is not None and number < least:
            raise _out_of_range(value, where, f"greater than or equal to {least}")
        if most is not None and number > most:
            raise _out_of_range(value, where, f"less than or equal to {most}")

    return check


def _boolean(value: Any, where: str) -> None:
    if not isinstance(value, str) or value.lower() not in ("true", "false", "1", "0"):
        raise _invalid(value, where, " It must be true or false.")


def _timestamp(value: Any, where: str) -> None:
    try:
        moment(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError, OverflowError, OSError) as error:
        raise _invalid(value, where, " It must be a time.") from error


def _blob(value: Any, where: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise _invalid("(not Base64)", where) from error


_SCALARS: dict[str, Check] = {"boolean": _boolean, "timestamp": _timestamp, "blob": _blob}


def _parameter(where: str) -> str:
    """As EC2 calls a parameter in its messages: `maxResults`, `networkInterface.1.subnetId`."""
    return ".".join(part[:1].lower() + part[1:] for part in where.rstrip(".").split("."))


def _invalid(value: Any, where: str, reason: str = "") -> ServiceError:
    said = value if isinstance(value, str) else "a structure"
    return ServiceError(
        "InvalidParameterValue",
        f"Value ({said[:200]}) for parameter {_parameter(where)} is invalid.{reason}",
    )


def _out_of_range(value: Any, where: str, expected: str) -> ServiceError:
    return ServiceError(
        "InvalidParameterValue",
        f"Value ( {value} ) for parameter {_parameter(where)} is invalid. Expecting a value {expected}.",
    )


def _unknown(name: str) -> ServiceError:
    return ServiceError("UnknownParameter", f"The parameter {name} is not recognized")
