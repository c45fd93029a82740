"""Pages of EC2's lists. A token names the last item that was given, so that what comes and goes between two
pages neither repeats an item nor leaves one out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from pavedroad.core.numbers import whole
from pavedroad.localcloud.errors import ServiceError

T = TypeVar("T")
Key = tuple[str | int, ...]


def page(
    action: str, form: Mapping[str, str], items: list[T], key_of: Callable[[T], Key]
) -> tuple[list[T], str]:
    """The items that the form asks for, and the next page's token or nothing. Pages are in keys' order."""
    limit, token = form.get("MaxResults"), form.get("NextToken")
    if not (limit or token):
        return items, ""
    ordered = sorted(items, key=key_of)
    if token:
        after = opened(action, token)
        try:
            ordered = [item for item in ordered if key_of(item) > after]
        except TypeError as error:
            raise invalid_token(token) from error
    size = whole(limit) if limit else len(ordered)
    if len(ordered) <= size:
        return ordered, ""
    return ordered[:size], sealed(action, key_of(ordered[size - 1]))


def natural(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text


def sealed(action: str, key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([action, *key]).encode()).decode()


def opened(action: str, token: str) -> Key:
    try:
        said: Any = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise invalid_token(token) from error
    if not isinstance(said, list) or len(said) < 2 or said[0] != action:  # pyright: ignore[reportUnknownArgumentType]
        raise invalid_token(token)
    parts = cast("list[Any]", said[1:])
    if not all(isinstance(part, str | int) for part in parts):
        raise invalid_token(token)
    return tuple(parts)


def invalid_token(token: str) -> ServiceError:
    return ServiceError("InvalidNextToken", f"The token '{token[:100]}' is invalid")
