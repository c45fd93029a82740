"""Who makes an HTTP request, by its headers: a name by which this machine is called, and a web page or none.

A browser sends what any page asks of it. It never lies about the name that it was told to call (`Host`), nor
about the page that asks (`Origin`, `Sec-Fetch-Site`, `Referer`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_PAGE = re.compile(r"https?://(?P<host>[^/?#@\s]+)(?P<rest>[/?#].*)?", re.IGNORECASE)
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_OWN_SITES = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says where no other page asks: the address bar, or a page of this very door."""


def host_and_port(host: str) -> tuple[str, int | None] | None:
    """The name (no brackets) and port that a `Host` header says; None where it says none that could be."""
    if (found := _HOST.fullmatch(host)) is None:
        return None
    return found["name"].strip("[]").lower(), int(found["port"]) if found["port"] else None


def is_loopback(name: str) -> bool:
    """Whether a name or address can only be this machine. `127.evil.example` is a name like any other."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)


def is_called_here(host: str, port: int | None) -> bool:
    """Whether a `Host` header names this machine, and `port` or none: other names that lead here are
    somebody's trick."""
    called = host_and_port(host)
    return called is not None and is_loopback(called[0]) and called[1] in (None, port)


def is_page_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site makes the request. `headers` have names in lower case."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    return (origin is not None and not _is_page_here(origin)) or (
        site is not None and site.strip().lower() not in _OWN_SITES
    )


def is_perhaps_a_page(headers: Mapping[str, str]) -> bool:
    """Whether a page might make the request, where nothing in it says so: a browser that is too old to say
    `Sec-Fetch-Site`, and no header that a page cannot have sent with an image or a form."""
    if "sec-fetch-site" in headers or "authorization" in headers:
        return False
    referer = headers.get("referer")
    return headers.get("user-agent", "").startswith("Mozilla/") or (
        referer is not None and not _is_page_here(referer)
    )


def _is_page_here(address: str) -> bool:
    found = _PAGE.fullmatch(address)
    called = host_and_port(found["host"]) if found else None
    return called is not None and is_loopback(called[0])
