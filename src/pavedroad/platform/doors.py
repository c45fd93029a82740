"""Who may call by which name: the `Host` must be ours, and a web page must be one of our own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.datastructures import Headers

from pavedroad.core.callers import host_and_port, is_loopback
from pavedroad.core.errors import Forbidden, Misdirected

_LONGEST_NAME = 100
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#@]+)", re.IGNORECASE)
_USUAL = {"http": 80, "https": 443}

_Host = tuple[str, int | None]


class Door:
    """One address of the API: its port, and the names besides loopback's by which it may be called."""

    def __init__(self, port: int | None = None, allowed_hosts: Iterable[str] = ()) -> None:
        self._port = port
        self._named = frozenset(filter(None, map(host_and_port, allowed_hosts)))

    def check(self, method: str, path: str, headers: Headers) -> None:
        """`Misdirected` for another's name, `Forbidden` for another's page; nothing else is looked at."""
        host = self._host(headers)
        foreign = [origin for origin in headers.getlist("origin") if not _is_of(origin, host)]
        if foreign or not _from_here(method, path, headers):
            raise Forbidden(
                "This comes from a web page of another site, and none may call Pavedroad.",
                next_step="Open the portal itself: `paved open` prints its address.",
            )

    def _host(self, headers: Headers) -> _Host:
        said = headers.getlist("host")
        host = host_and_port(said[0]) if len(said) == 1 else None
        if host is None or not self._is_ours(host):
            raise Misdirected(
                f"This API does not answer to the name '{', '.join(said)[:_LONGEST_NAME]}'.",
                next_step=f"Use http://127.0.0.1{f':{self._port}' if self._port else ''}, "
                "or add the name to PAVED_ALLOWED_HOSTS.",
            )
        return host

    def _is_ours(self, host: _Host) -> bool:
        name, port = host
        if host in self._named or (name, None) in self._named:
            return True
        return is_loopback(name) and (self._port is None or port in (None, self._port))


def _is_of(origin: str, host: _Host) -> bool:
    """Whether a page's origin is the very place that is called: name and port, not the name alone."""
    found = _ORIGIN.fullmatch(origin)
    page = host_and_port(found["host"]) if found else None
    if found is None or page is None:
        return False
    usual = _USUAL[found["scheme"].lower()]
    return (page[0], page[1] or usual) == (host[0], host[1] or usual)


def _from_here(method: str, path: str, headers: Headers) -> bool:
    """Whether the browser says that a page of ours asks, or its address bar. A link on another page may open
    one of ours, since that changes nothing: from another site it brings no session, from another port of
    this machine, which is of the same site to a browser, it does."""
    site = headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return True
    opens_page = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opens_page and method in ("GET", "HEAD") and not path.startswith("/v1")
