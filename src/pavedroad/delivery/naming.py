"""What delivery calls things in the cloud, and the tags it puts on them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from pavedroad.core.names import is_server_group

APPLICATION = "pavedroad:application"
CLUSTER = "pavedroad:cluster"
SERVER_GROUP = "pavedroad:server-group"
OWNER = "pavedroad:owner"
VERSION = "pavedroad:version"
COMMIT = "pavedroad:commit"
IMAGE = "pavedroad:image"
MANIFEST_DIGEST = "pavedroad:manifest-digest"
WORK = "pavedroad:work"
"""The deployment that made a thing: only that one takes it away again when it fails."""

_LONGEST = 32
_HASH = 6
_ODD = re.compile(r"[^a-zA-Z0-9-]+")


def balancing_name(name: str) -> str:
    """A cluster's or server group's name as balancers and target groups may be called: at most 32 letters,
    digits and hyphens. A name that had to change ends in a short hash, so that no two become one."""
    plain = _ODD.sub("-", name).strip("-")
    if plain == name and len(name) <= _LONGEST and not name.startswith("internal-"):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    stem = plain.removeprefix("internal-")[: _LONGEST - _HASH - 1].strip("-")
    return f"{stem}-{digest}" if stem else f"x-{digest}"


def of_cluster(cluster: str) -> dict[str, str]:
    """What all that belongs to a cluster is known by."""
    return {CLUSTER: cluster}


def of_group(server_group: str) -> dict[str, str]:
    """What all that is made for one server group is known by."""
    return {SERVER_GROUP: server_group}


def is_group_of(name: str, cluster: str) -> bool:
    """Whether a server group of this cluster may be called so."""
    return is_server_group(name) and name.rpartition("-v")[0] == cluster


def cluster_of(tags: Mapping[str, str]) -> str:
    """The cluster that a tagged thing belongs to; empty when it is none of ours."""
    return tags.get(CLUSTER, "")
