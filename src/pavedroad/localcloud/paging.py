"""Pages of an ordered list. A token names the last item that was shown, so that it survives changes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar, cast

from pavedroad.localcloud.errors import ServiceError

T = TypeVar("T")
Key = tuple[str, ...]


def page(
    items: Iterable[T],
    *,
    key: Callable[[T], Key],
    token: str | None,
    limit: int,
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """The items after the token's, at most `limit`, and the token for those that remain.

    `items` come in the order of their keys.
    """
    remaining = iter(items)
    if token is not None:
        last = _decode(token)
        remaining = (item for item in remaining if (key(item) < last if descending else key(item) > last))
    shown = list(islice(remaining, limit + 1))
    if len(shown) <= limit:
        return shown, None
    del shown[limit:]
    return shown, _encode(key(shown[-1]))


def last_shown(token: str | None) -> Key | None:
    """For lists that are long enough to be searched: `page` begins after it anyway."""
    return None if token is None else _decode(token)


def _encode(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _decode(token: str) -> Key:
    try:
        decoded: Any = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        decoded = None
    parts = cast("list[Any]", decoded) if isinstance(decoded, list) else []
    if not parts or not all(isinstance(part, str) for part in parts):
        raise ServiceError("InvalidNextToken", f"The token '{token}' is invalid.")
    return tuple(cast("list[str]", parts))
