"""A forward action as Envoy's routes: shares by weight, by zone, and for clients that stay."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pavedroad.localcloud.envoy.clusters import cluster_name
from pavedroad.localcloud.envoy.documents import Document, extension, typed
from pavedroad.localcloud.wanted import Forward, Front, Stickiness, Transform

FORWARDING = "forwarding"
"""The listener's script that every forwarded request passes."""
NODE = "pavedroad.node"
"""The zone of the node that a client is connected to, set by the listener; `-` for the balancer's own."""

_REWRITES = "pavedroad.rewrites"
_PARTS = {"host": ":authority", "url": ":path"}
_DEFAULT_PORTS = (80, 443)
_UNSEEN: Document = {
    # Only what no target can have seen is tried elsewhere, so a request is never done twice.
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 5,
    "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.02s"},
    "retry_host_predicate": [
        extension(
            "envoy.retry_host_predicates.previous_hosts",
            "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        )
    ],
    "host_selection_retry_max_attempts": 5,
}


@dataclass(frozen=True, slots=True)
class Destination:
    """A target group as routes see it. `zones` are those among which a balancer's own address shares out;
    empty where every node sends to every target."""

    arn: str
    stickiness: Stickiness | None
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """What more a request must have to be sent so: a header, a node."""

    headers: tuple[Document, ...]
    nodes: tuple[Document, ...]
    shares: dict[str, int]
    zone: str


def variants(action: Forward, front: Front, destinations: Mapping[str, Destination]) -> Iterator[Variant]:
    """In the order in which they are to be tried: those who stay before all others, nodes before the
    balancer's own address."""
    weights = {arn: weight for arn, weight in action.weights.items() if weight > 0 and arn in destinations}
    choices: list[tuple[tuple[Document, ...], dict[str, int]]] = []
    if action.sticky_seconds and len(weights) > 1:
        choices = [((_stays(front.arn, arn),), {arn: 1}) for arn in weights]
    for headers, shares in [*choices, ((), weights)]:
        if any(destinations[arn].zones for arn in shares):
            for node in front.nodes:
                at_node: Document = {"key": NODE, "string_match": {"exact": node.zone}}
                yield Variant(headers, (at_node,), shares, node.zone)
        yield Variant(headers, (), shares, "")


def forward(
    variant: Variant,
    action: Forward,
    front: Front,
    destinations: Mapping[str, Destination],
    transforms: tuple[Transform, ...],
) -> Document:
    """Where a variant's requests go. There is at least one share."""
    clusters = list(_clusters(variant, destinations))
    chosen = [destinations[arn] for arn in variant.shares]
    staying = bool(action.sticky_seconds) or any(it.stickiness for it in chosen)
    destination: Document = {"weighted_clusters": {"clusters": clusters}}
    if staying:
        for share in clusters:
            share["response_headers_to_add"] = _marks(_token(front.arn, share["name"]))
    elif len(clusters) == 1:
        destination = {"cluster": clusters[0]["name"]}
    filters: Document = {
        "envoy.filters.http.lua": typed(
            "envoy.extensions.filters.http.lua.v3.LuaPerRoute",
            name=FORWARDING,
            filter_context=_context(action, front, chosen, transforms),
        )
    }
    if transforms:
        filters["envoy.filters.http.header_to_metadata"] = typed(
            "envoy.extensions.filters.http.header_to_metadata.v3.Config",
            request_rules=[_rewrite(transform) for transform in transforms],
        )
    return {
        "route": {
            **destination,
            # No bound on a whole response, which may stream for hours; only silence is bounded.
            "timeout": "0s",
            "idle_timeout": f"{front.idle_timeout_seconds}s",
            "retry_policy": _UNSEEN,
        },
        "typed_per_filter_config": filters,
    }


def _clusters(variant: Variant, destinations: Mapping[str, Destination]) -> Iterator[Document]:
    """Each zone of a target group that keeps to zones has an even part of its share."""
    parts = math.lcm(*(len(destinations[arn].zones) or 1 for arn in variant.shares))
    for arn, weight in variant.shares.items():
        zones = destinations[arn].zones
        if not zones:
            yield {"name": arn, "weight": weight * parts}
        elif variant.zone:
            yield {"name": cluster_name(arn, variant.zone), "weight": weight * parts}
        else:
            for zone in zones:
                yield {"name": cluster_name(arn, zone), "weight": weight * parts // len(zones)}


def _token(front_arn: str, cluster: str) -> str:
    """What stands for a target group in a cookie."""
    arn = cluster.partition("#")[0]
    return hashlib.blake2b(f"{front_arn} {arn}".encode(), digest_size=24).hexdigest()


def _stays(front_arn: str, arn: str) -> Document:
    expression = rf"(?:.*[;,]\s*)?AWSALBTG(?:CORS)?={_token(front_arn, arn)}(?:\s*[;,].*)?"
    return {"name": "cookie", "string_match": {"safe_regex": {"regex": expression}}}


def _marks(token: str) -> list[Document]:
    """For the script, which takes them away: who answered."""
    said = {"x-pavedroad-target": "%UPSTREAM_REMOTE_ADDRESS%", "x-pavedroad-group": token}
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in said.items()
    ]


def _context(
    action: Forward, front: Front, chosen: list[Destination], transforms: tuple[Transform, ...]
) -> Document:
    """What the script is to know."""
    manners = front.manners
    context: Document = {}
    if manners.drop_invalid_headers:
        context["drop_invalid_headers"] = True
    if not manners.preserve_host and not {front.port, front.asked_port} & {*_DEFAULT_PORTS}:
        context["host_port"] = str(front.port)
    if transforms:
        context["transforms"] = True
    if front.tls is not None:
        context["secure"] = True
    if action.sticky_seconds:
        context["group_seconds"] = action.sticky_seconds
    groups = {
        _token(front.arn, it.arn): {
            "kind": it.stickiness.kind,
            "seconds": it.stickiness.seconds,
            "cookie": it.stickiness.cookie,
            "classic": it.stickiness.classic,
        }
        for it in chosen
        if it.stickiness
    }
    if groups:
        context["groups"] = groups
        context["key"] = hashlib.blake2b(front.arn.encode(), digest_size=16).hexdigest()
    return context


def _rewrite(transform: Transform) -> Document:
    return {
        "header": _PARTS[transform.part],
        "on_header_present": {
            "metadata_namespace": _REWRITES,
            "key": transform.part,
            "regex_value_rewrite": {
                "pattern": {"regex": transform.regex},
                "substitution": _substitution(transform.replace),
            },
        },
    }


def _substitution(text: str) -> str:
    """AWS's `$1` as RE2's `\\1`."""
    return re.sub(r"\$(\d)", r"\\\1", text.replace("\\", "\\\\"))
