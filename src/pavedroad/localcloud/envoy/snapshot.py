"""Everything that Envoy should serve, as named, versioned resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pavedroad.localcloud.envoy.documents import Document


class Kind(StrEnum):
    """The types of resource, by their type URLs."""

    CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
    ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Resource:
    """`version` tells contents apart; `uses` are the resources that Envoy asks for on account of this one."""

    name: str
    version: str
    document: Document = field(compare=False, repr=False)
    uses: tuple[tuple[Kind, str], ...] = field(default=(), compare=False)


def resource(name: str, document: Document, uses: tuple[tuple[Kind, str], ...] = ()) -> Resource:
    text = json.dumps(document, separators=(",", ":"))
    return Resource(name, hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), document, uses)


Named = Mapping[str, Resource]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`step` numbers what was asked for: a later one is never lower."""

    step: int
    resources: Mapping[Kind, Named]

    def of(self, kind: Kind) -> Named:
        return self.resources.get(kind, {})


EMPTY = Snapshot(0, {})
