"""Pages from templates: one Jinja environment, its filters, and the answers it gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import cast

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pavedroad import __version__
from pavedroad.access.model import Principal, may

_CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


_NOBODY = Principal("", frozenset())


def age(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits: `12 s`, `5 min`, `3 h`, `9 d`."""
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def remaining(moment: datetime | None) -> str:
    """How long from now, to the second: `4 min 12 s`."""
    if moment is None:
        return ""
    minutes, seconds = divmod(max(0, round((moment - datetime.now(UTC)).total_seconds())), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def clock_time(moment: datetime | None) -> str:
    """Date and time in UTC, to the second."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pavedroad.portal"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = cast("dict[str, object]", environment.filters)  # pyright: ignore[reportUnknownMemberType]
    filters.update(age=age, clock_time=clock_time, remaining=remaining)
    return environment


_TEMPLATES = _environment()


def fragment(template: str, values: Mapping[str, object], principal: Principal | None = None) -> str:
    """A part of a page; buttons are for those who `may` do what they do."""
    known = partial(may, principal or _NOBODY)
    return _TEMPLATES.get_template(template).render({"may": known, **values})


def page(
    request: Request,
    template: str,
    values: Mapping[str, object],
    *,
    principal: Principal | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A whole page, with the headers that keep it to itself."""
    frame = {"path": request.url.path, "principal": principal, "platform_version": __version__}
    body = fragment(template, {**frame, **values}, principal)
    return HTMLResponse(
        body,
        status_code=status,
        headers={
            "Content-Security-Policy": _CONTENT_SECURITY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
        },
    )
