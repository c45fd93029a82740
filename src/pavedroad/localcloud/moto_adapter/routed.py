# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""moto's own routes of a service as a WSGI application. Flask takes a fifth of the start: load this last."""

from __future__ import annotations

from flask import Flask
from moto.core.exceptions import _RESTError
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.exceptions import HTTPException

from pavedroad.localcloud.errors import ServiceError


def application(service: str) -> Flask:
    made = create_backend_app(service)
    made.config["PROPAGATE_EXCEPTIONS"] = True
    made.register_error_handler(HTTPException, _as_aws)
    return made


def _as_aws(error: HTTPException) -> object:
    """A route that Flask does not find is an error page of its own making; the rest is moto's."""
    if isinstance(error, _RESTError):
        return error
    raise ServiceError("InvalidAction", "There is no such operation in this service.", error.code or 404)
