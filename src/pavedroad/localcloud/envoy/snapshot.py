"""Everything that Envoy should serve, as named, versioned resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pavedroad.localcloud.envoy.documents import Document


class Kind(StrEnum):
    """The four types of resource, by their type URLs."""

    CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
    ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


@dataclass(frozen=True, slots=True)
class Resource:
    """`packed` is the serialised `Any`; `version` tells contents apart."""

    name: str
    version: str
    document: Document = field(compare=False, repr=False)


def resource(name: str, document: Document) -> Resource:
    text = json.dumps(document, separators=(",", ":"))
    return Resource(name, hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), document)


Named = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`step` numbers what was asked for: a later one is never lower."""

    step: int
    resources: Mapping[Kind, Named]

    def of(self, kind: Kind) -> Named:
        return self.resources.get(kind, {})


EMPTY = Snapshot(0, {})
