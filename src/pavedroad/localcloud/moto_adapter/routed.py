# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""moto's own routes of a service as a WSGI application. Flask takes a fifth of the start: load this last."""

from __future__ import annotations

from flask import Flask, request
from moto.core.exceptions import _RESTError
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.exceptions import HTTPException

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.environ import REQUEST
from pavedroad.localcloud.moto_adapter.s3_anonymous import check_anonymous


def application(service: str) -> Flask:
    made = create_backend_app(service)
    made.config["PROPAGATE_EXCEPTIONS"] = True
    made.register_error_handler(HTTPException, _as_aws)
    if service == "s3":
        made.before_request(_admit)
    return made


def _admit() -> None:
    """Decided here, it is not for moto to decide again: it asks no caller who has signed."""
    asked = request.environ[REQUEST]
    if asked.anonymous:
        check_anonymous(asked)
        request.environ["HTTP_AUTHORIZATION"] = "AWS anonymous"


def _as_aws(error: HTTPException) -> object:
    """A route that Flask does not find is an error page of its own making; the rest is moto's."""
    if isinstance(error, _RESTError):
        return error
    raise ServiceError("InvalidAction", "There is no such operation in this service.", error.code or 404)
