# pyright: basic
"""A Describe call's answer with the items alone that its filters let through, page by page.

moto knows few of the filters, and some of them otherwise than AWS: so it is asked for everything, and what
AWS documents is looked up in the answer itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.model import ListShape
from moto.core.utils import get_service_model

from pavedroad.localcloud.moto_adapter.ec2_filters import (
    Filters,
    asked_filters,
    matches,
    path_of,
    unknown_filter,
    values_at,
)
from pavedroad.localcloud.moto_adapter.ec2_listings import LISTINGS, Listing
from pavedroad.localcloud.moto_adapter.ec2_pages import natural, page

_PAGING = ("MaxResults", "NextToken")
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"

ElementTree.register_namespace("", _NAMESPACE)


def selects(action: str, form: Mapping[str, str]) -> bool:
    """Whether the call asks for a part of what it lists."""
    return bool(form.keys() & set(_PAGING)) or (action in LISTINGS and _has_filters(form))


def without_selection(action: str, form: Mapping[str, str]) -> dict[str, str]:
    """The form as moto gets it: with the filters where we do not know them."""
    ours = (*_PAGING, "Filter.") if action in LISTINGS else _PAGING
    return {name: value for name, value in form.items() if not name.startswith(ours)}


def _has_filters(form: Mapping[str, str]) -> bool:
    return any(name.startswith("Filter.") for name in form)


@cache
def listing_of(action: str) -> Listing | None:
    """Of calls that we know no filters of: what their model lists, told apart by the whole of each item."""
    if action in LISTINGS:
        return LISTINGS[action]
    output = get_service_model("ec2").operation_model(action).output_shape
    for name, member in output.members.items() if output else ():
        if isinstance(member, ListShape):
            return Listing(member.serialization.get("name", name), ())
    return None


def checked_filters(action: str, form: Mapping[str, str]) -> Filters:
    """The form's filters, all of which there are; none of a call whose filters moto takes."""
    if action not in LISTINGS:
        return []
    filters = asked_filters(form)
    for name, _ in filters:
        if not name.startswith("tag:") and LISTINGS[action].path(action, name) is None:
            raise unknown_filter(name)
    return filters


def selected(action: str, form: Mapping[str, str], body: bytes) -> bytes:
    """The answer to a call without filters and paging as the answer to one with the form's."""
    listing = listing_of(action)
    filters = checked_filters(action, form)
    if listing is None:
        return body
    text = re.sub(rb' xmlns="[^"]*"', b"", body, count=1)
    root = ElementTree.fromstring(text)  # noqa: S314 - of our own making
    holder = root.find(listing.element)
    if holder is None:
        return body
    every = [(element, plain(element)) for element in holder]
    found = [pair for pair in every if passes(action, listing, filters, pair[1])]
    given, token = page(action, form, found, lambda pair: key_of(listing, pair[1]))
    holder[:] = [element for element, _ in given]
    for old in root.findall("nextToken"):
        root.remove(old)
    chosen = ElementTree.tostring(root, encoding="unicode")
    if token:
        end = chosen.rindex("</")
        chosen = f"{chosen[:end]}<nextToken>{escape(token)}</nextToken>{chosen[end:]}"
    chosen = chosen.replace(f"<{root.tag}", f'<{root.tag} xmlns="{_NAMESPACE}"', 1)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + chosen.encode()


def passes(action: str, listing: Listing, filters: Filters, item: Any) -> bool:
    return all(_passes(action, listing, name, patterns, item) for name, patterns in filters)


def key_of(listing: Listing, item: Mapping[str, Any]) -> tuple[str | int, ...]:
    if not listing.key:
        return (hashlib.sha256(repr(item).encode()).hexdigest(),)
    return tuple(natural(str(item.get(name) or "")) for name in listing.key)


def _passes(action: str, listing: Listing, name: str, patterns: list[str], item: Any) -> bool:
    if name.startswith("tag:"):
        return matches(_tags(action, item).get(name.removeprefix("tag:")), patterns)
    path = listing.path(action, name)
    return path is not None and any(matches(value, patterns) for value in values_at(item, path_of(path)))


def _tags(action: str, item: Mapping[str, Any]) -> dict[str, str]:
    if action == "DescribeTags":
        return {item["key"]: item.get("value", "")}
    tags = item.get("tagSet") or ()
    return {tag["key"]: tag.get("value", "") for tag in tags}


def plain(element: ElementTree.Element) -> Any:
    """As dicts, lists and texts."""
    children = list(element)
    if not children:
        return element.text or ""
    if all(child.tag == "item" for child in children):
        return [plain(child) for child in children]
    return {child.tag: plain(child) for child in children}
