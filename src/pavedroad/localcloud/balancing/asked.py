"""Reading an operation's parameters: ranges, allowed words, tags, ARNs, and pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, TypeVar

from pavedroad.core.numbers import whole
from pavedroad.localcloud.errors import ServiceError

Parameters = dict[str, Any]
T = TypeVar("T")

_PAGE = 400
_TAGS = 50
_NAME = re.compile(r"[a-zA-Z0-9-]+")


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def refused(message: str) -> ServiceError:
    """What AWS does not combine."""
    return ServiceError("InvalidConfigurationRequest", message)


def unsupported(what: str) -> ServiceError:
    """What AWS has and this cloud does not, said plainly."""
    return ServiceError("InvalidConfigurationRequest", f"{what} is not supported by this cloud.")


def kept_protocol(asked: str) -> Literal["HTTP", "HTTPS", "TCP", "SSL"]:
    """ELBv2's name for it as this cloud keeps it, which has the older one of TLS."""
    kept: dict[str, Literal["HTTP", "HTTPS", "TCP", "SSL"]] = {
        "HTTP": "HTTP",
        "HTTPS": "HTTPS",
        "TCP": "TCP",
        "TLS": "SSL",
    }
    return kept[asked]


def shown_protocol(kept: str) -> str:
    return "TLS" if kept == "SSL" else kept


def resource_name(name: str, what: str) -> str:
    """A load balancer's or target group's name as AWS allows it."""
    if not 1 <= len(name) <= 32:
        raise invalid(f"{what} name '{name}' cannot be longer than '32' characters or empty")
    if not _NAME.fullmatch(name):
        raise invalid(f"{what} name '{name}' can only contain alphanumeric characters and hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        raise invalid(f"{what} name '{name}' cannot begin or end with '-'")
    return name


def one_of(value: str, allowed: Collection[str], what: str) -> str:
    if value not in allowed:
        raise invalid(f"{what} '{value}' must be one of '{', '.join(sorted(allowed))}'")
    return value


def number(value: int | str, low: int, high: int, what: str) -> int:
    try:
        found = value if isinstance(value, int) else whole(value)
    except ValueError:
        found = low - 1
    if not low <= found <= high:
        raise invalid(f"{what} '{value}' must be between '{low}' and '{high}' inclusive")
    return found


def arn(value: str, kind: str, what: str) -> str:
    """`kind` is what follows the account in an ARN of this sort, such as `targetgroup`."""
    if not value.startswith("arn:") or f":{kind}/" not in value:
        raise invalid(f"'{value}' is not a valid {what} ARN")
    return value


def tags(given: Sequence[dict[str, str]], present: dict[str, str] | None = None) -> dict[str, str]:
    """The tags there are when `given` ones have been added."""
    added: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag.get("Value", "")
        if key in added:
            raise ServiceError("DuplicateTagKeys", f"Tag keys must be unique: '{key}' is given twice")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise invalid(f"The tag '{key}' is too long: keys have 1 to 128 characters, values at most 256")
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key '{key}' is reserved for AWS")
        added[key] = value
    merged = {**(present or {}), **added}
    if len(merged) > _TAGS:
        raise ServiceError("TooManyTags", f"A resource cannot have more than {_TAGS} tags")
    return merged


def page(
    items: Sequence[T], key: Callable[[T], str], parameters: Parameters
) -> tuple[Sequence[T], Parameters]:
    """One page, and the `NextMarker` when there is another. A marker names the last key that was given, so
    that what comes or goes between two calls neither repeats nor hides anything else."""
    size = number(parameters.get("PageSize", _PAGE), 1, _PAGE, "PageSize")
    ordered = sorted(items, key=key)
    if marker := parameters.get("Marker"):
        after = _read_marker(marker)
        ordered = [item for item in ordered if key(item) > after]
    if len(ordered) <= size:
        return ordered, {}
    return ordered[:size], {"NextMarker": base64.urlsafe_b64encode(key(ordered[size - 1]).encode()).decode()}


def _read_marker(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid("The marker is not valid") from error
