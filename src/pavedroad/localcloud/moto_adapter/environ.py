# pyright: basic
"""Our requests as the WSGI environment, and the request object, that moto reads."""

from __future__ import annotations

import sys
from urllib.parse import unquote_to_bytes

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    Request,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from pavedroad.localcloud.api.services import ApiRequest

Environ = dict[str, object]


class WireRequest(Request):
    """A request that came over a socket, so that moto leaves the Date header to the server."""

    from_wsgi_server = True


def environ_of(request: ApiRequest) -> Environ:
    """The region is pinned in the user agent, where moto looks for it first."""
    request.stream.seek(0)
    host = request.headers.get("host", "localhost:80")
    name, _, port = host.partition(":")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "SERVER_NAME": name,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": request.stream,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    spelled: dict[str, str] = {}
    for header, value in request.headers.items():
        key = environ_key_for_header(header)
        if should_preserve_original_header_name(header):
            spelled[key] = header
        environ[key] = value
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelled
    environ["CONTENT_LENGTH"] = str(request.length)
    environ["HTTP_USER_AGENT"] = f"region/{request.region}"
    return environ
