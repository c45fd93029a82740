# pyright: basic
"""EC2's answers in the model's shapes, and its errors, where moto's are not AWS's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException
from moto.core.utils import get_service_model

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.responses import as_service_error, is_of_the_call
from pavedroad.localcloud.moto_adapter.result_xml import member_writer

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def answer_xml(action: str, request_id: str, inside: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{_NAMESPACE}">'
        f"<requestId>{escape(request_id)}</requestId>{inside}</{action}Response>"
    )


def written(action: str, request_id: str, result: Mapping[str, Any]) -> str:
    """A result by the model's names as the whole answer."""
    writers = member_writers(action)
    members = (writers[name](value) for name, value in result.items() if value is not None)
    return answer_xml(action, request_id, "".join(members))


@cache
def member_writers(action: str) -> dict[str, Callable[[Any], str]]:
    shape = get_service_model("ec2").operation_model(action).output_shape
    return {
        name: member_writer(member, member.serialization.get("name", name))
        for name, member in (shape.members.items() if shape else ())
    }


def with_return(action: str, body: bytes) -> bytes:
    """AWS answers calls that have nothing else to say with `<return>true</return>`, which its model leaves
    out where it is all there is; strict clients read it."""
    shape = get_service_model("ec2").operation_model(action).output_shape
    if (shape is not None and "Return" not in shape.members) or b"<return>" in body:
        return body
    end = f"</{action}Response>".encode()
    return body.replace(end, b"<return>true</return>" + end)


def dry_run(form: Mapping[str, str]) -> None:
    """Where nothing but a dry run is asked, all has been checked by now."""
    if form.get("DryRun", "").lower() in ("true", "1"):
        raise ServiceError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def as_ec2_error(error: Exception, request: ApiRequest) -> ServiceError:
    """A call that the model has and moto has not, or not in this form, is not supported here."""
    if isinstance(error, ServiceException | ServiceError):
        return as_service_error(error, request)
    if isinstance(error, NotImplementedError):
        return _unsupported()
    if isinstance(error, KeyError) and error.args and str(error.args[0]) in _said(request):
        # moto looks many things up by what the caller names, without asking whether there is such a thing.
        name = str(error.args[0])[:200]
        return ServiceError("InvalidParameterValue", f"Value ({name}) is invalid: there is no such thing.")
    if isinstance(error, KeyError) and is_of_the_call(error) and _is_member(error):
        # moto reads without asking what the model calls optional and AWS does not do without.
        return ServiceError("MissingParameter", f"The request must contain the parameter {error.args[0]}")
    known = as_service_error(error, request)
    return _unsupported() if known.status >= 500 and is_of_the_call(error) else known


def _is_member(error: KeyError) -> bool:
    name = error.args[0] if error.args else ""
    return isinstance(name, str) and name.isidentifier() and name[0].isupper()


def _said(request: ApiRequest) -> set[str]:
    return {value for _, value in parse_qsl(request.body().decode("utf-8", "replace"))}


def _unsupported() -> ServiceError:
    return ServiceError(
        "UnsupportedOperation", "The functionality you requested is not available in this cloud."
    )
