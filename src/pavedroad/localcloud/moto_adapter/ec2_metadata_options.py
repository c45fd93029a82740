# pyright: basic
"""What AWS refuses of an instance's metadata options, and of tags that its metadata shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pavedroad.localcloud.errors import ServiceError

_KEY = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}")
_RESERVED = (".", "..", "_index")
_MOST_HOPS = 64


def check_metadata_options(options: Mapping[str, Any], tags: Iterable[str]) -> None:
    """`options` by the model's names; `tags` are the keys that the instance has or is to have."""
    hops = options.get("HttpPutResponseHopLimit")
    if hops is not None and not 1 <= int(hops) <= _MOST_HOPS:
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ({hops}) for parameter HttpPutResponseHopLimit is invalid. Valid values are integers "
            f"from 1 to {_MOST_HOPS}.",
        )
    if options.get("InstanceMetadataTags") == "enabled":
        check_shown_tags(tags)


def check_shown_tags(keys: Iterable[str]) -> None:
    """They are paths of the metadata service."""
    for key in keys:
        if key in _RESERVED or not _KEY.fullmatch(key):
            raise ServiceError(
                "InvalidParameterValue",
                f"'{key}' is not a valid tag key. Tag keys must match pattern "
                "([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')",
            )
