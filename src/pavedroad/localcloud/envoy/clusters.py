"""A target group as Envoy's cluster, and its targets as the cluster's endpoints."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Literal

from pavedroad.localcloud.envoy.documents import Document, extension, typed
from pavedroad.localcloud.wanted import Pool, ProbeState, Target

HealthOf = Callable[[Pool, Target], ProbeState]

_MANY = 1_000_000
_ALGORITHMS = {"round_robin": "ROUND_ROBIN", "least_outstanding_requests": "LEAST_REQUEST"}


Shape = tuple[str, Literal["HTTP", "HTTPS"], Literal["round_robin", "least_outstanding_requests"]]
"""All of a pool that its cluster depends on: ARN, protocol, algorithm."""
Endpoints = tuple[str, list[tuple[str, int, str]]]
"""A pool's ARN, and address, port and health of each target."""


def cluster(shape: Shape) -> Document:
    arn, protocol, algorithm = shape
    document: Document = {
        "name": arn,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
        },
        "lb_policy": _ALGORITHMS[algorithm],
        "connect_timeout": "5s",
        # Health is ours to say, so Envoy never sends to the unhealthy on a guess.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _MANY,
                    "max_pending_requests": _MANY,
                    "max_requests": _MANY,
                    "max_retries": _MANY,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                # Under the 2 to 5 s after which servers close idle connections, so that no request
                # meets one that is just being closed.
                common_http_protocol_options={"idle_timeout": "1.5s"},
                explicit_http_config={
                    "http_protocol_options": {
                        "header_key_format": {
                            "stateful_formatter": extension(
                                "preserve_case",
                                "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
                                forward_reason_phrase=True,
                            )
                        }
                    }
                },
            )
        },
    }
    if protocol == "HTTPS":
        # As on AWS, a target's certificate is not verified.
        document["transport_socket"] = extension(
            "envoy.transport_sockets.tls",
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        )
    return document


def assignment(source: Endpoints) -> Document:
    arn, endpoints = source
    hosts = [
        {
            "endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}},
            "health_status": health,
        }
        for address, port, health in endpoints
    ]
    return {"cluster_name": arn, "endpoints": [{"lb_endpoints": hosts}] if hosts else []}


def endpoints(pool: Pool, health: HealthOf, gone: Container[str]) -> Endpoints:
    """Targets with the health to balance by, without those whose machine has ended. Where all are
    unhealthy, all are tried, as on AWS; those still to be judged wait."""
    present = [target for target in pool.targets if target.address not in gone]
    states = [health(pool, target) for target in present if not target.draining]
    hopeless = bool(states) and all(state == "unhealthy" for state in states)
    return pool.arn, [
        (target.address, target.port, _status(target, health(pool, target), hopeless)) for target in present
    ]


def _status(target: Target, state: ProbeState, hopeless: bool) -> str:
    if target.draining:
        return "DRAINING"
    return "HEALTHY" if hopeless or state == "healthy" else "UNHEALTHY"
