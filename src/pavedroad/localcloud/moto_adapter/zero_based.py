"""Query parameters of clients that count lists from 0 (`Tag.0.Key`): AWS takes them in order, whatever the
numbers; moto and botocore's model count from 1."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from urllib.parse import parse_qsl, urlencode

from pavedroad.localcloud.api.services import ApiRequest

_ZERO = re.compile(r"\.0(?=[.=&]|$)")
_FORM = "application/x-www-form-urlencoded"


def counted_from_one(request: ApiRequest) -> ApiRequest:
    """The request as it is, or with the lists that begin with 0 shifted by one."""
    query = _shifted(request.query)
    is_form = request.headers.get("content-type", _FORM).startswith(_FORM)
    body = request.body().decode("latin-1") if is_form else ""
    form = _shifted(body)
    if query == request.query and form == body:
        return request
    stream = BytesIO(form.encode("latin-1")) if form != body else request.stream
    length = len(form) if form != body else request.length
    return replace(request, query=query, stream=stream, length=length)


def _shifted(text: str) -> str:
    if not _ZERO.search(text):
        return text
    pairs = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
    from_zero = {match.string[: match.start()] for key, _ in pairs for match in _ZERO.finditer(key)}
    if not from_zero:
        return text
    return urlencode([(_shift(key, from_zero), value) for key, value in pairs], encoding="latin-1")


def _shift(key: str, from_zero: set[str]) -> str:
    parts = key.split(".")
    for index in range(1, len(parts)):
        if (
            parts[index].isascii()
            and parts[index].isdigit()
            and ".".join(key.split(".")[:index]) in from_zero
        ):
            parts[index] = str(int(parts[index]) + 1)
    return ".".join(parts)
