"""S3's buckets that are named by the host instead of the path."""

from __future__ import annotations

import re

from pavedroad.core.callers import host_and_port
from pavedroad.localcloud.regions import REGIONS

_ADDRESS = re.compile(r"([0-9]{1,3}(\.|$)){4}")
_HERE = ".localhost"
_DUALSTACK = "dualstack"


def bucket_of_host(host: str) -> str:
    """The bucket in `bucket.localhost`, `bucket.s3.localhost` or `bucket.s3.eu-west-1.localhost`, with dots
    of its own; empty where the path says it. `host` is a `Host` header."""
    named = host_and_port(host)
    name = named[0] if named else ""
    if not name.endswith(_HERE) or _ADDRESS.match(name):
        return ""
    labels = name.removesuffix(_HERE).split(".")
    for at in range(len(labels)):
        if _is_endpoint(labels[at:]):
            return ".".join(labels[:at])
    return ".".join(labels)


def _is_endpoint(labels: list[str]) -> bool:
    """`s3`, `s3.REGION`, `s3.dualstack.REGION` or `s3-REGION`, and what serves websites."""
    first, *rest = labels
    if rest and rest[0] == _DUALSTACK:
        rest = rest[1:]
    if first in ("s3", "s3-website"):
        return not rest or (len(rest) == 1 and rest[0] in REGIONS)
    return not rest and any(
        first.startswith(it) and first.removeprefix(it) in REGIONS for it in ("s3-", "s3-website-")
    )
