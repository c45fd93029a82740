"""A target group as Envoy's clusters, and its targets as their endpoints.

A target group whose targets are for every node is one cluster; one that keeps to zones is a cluster a zone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pavedroad.localcloud.envoy.counting import METADATA
from pavedroad.localcloud.envoy.documents import Document, extension, typed
from pavedroad.localcloud.wanted import Front, Least, Pool, ProbeState, Target

HealthOf = Callable[[Pool, Target], ProbeState]
Algorithm = Literal["round_robin", "least_outstanding_requests", "weighted_random"]

_SOCKETS = "envoy.extensions.transport_sockets"
_MANY = 1_000_000
_ANOMALOUS_FROM = 3
"""Targets that there must be before one of them can be told to be out of line, as on AWS."""


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a pool that one of its clusters depends on."""

    name: str
    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"]
    algorithm: Algorithm
    anomaly_mitigation: bool
    slow_start_seconds: int
    source: str = ""
    """The balancer's address that its connections come from; the machine's choice where it is empty."""
    proxy_protocol: bool = False


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Address, port, health and zone of each endpoint of a cluster."""

    name: str
    hosts: tuple[tuple[str, int, str, str], ...]


def cluster_name(pool_arn: str, zone: str = "") -> str:
    return f"{pool_arn}#{zone}" if zone else pool_arn


def pool_arn(name: str) -> str:
    """The target group of a cluster."""
    return name.partition("#")[0]


def shapes(pool: Pool, zones: Collection[str], front: Front | None = None) -> Iterator[Shape]:
    """The clusters of a pool, for balancers with nodes in these zones; connections come from the front's
    balancer, if one is given."""
    for zone in cluster_zones(pool, zones):
        yield Shape(
            cluster_name(pool.arn, zone),
            pool.protocol,
            pool.algorithm,
            pool.anomaly_mitigation,
            pool.slow_start_seconds,
            source_of(front, zone) if front else "",
            pool.proxy_protocol,
        )


def source_of(front: Front, zone: str) -> str:
    """Where a balancer's connections to the targets of a zone come from; the empty zone stands for all."""
    return next((node.address for node in front.nodes if node.zone == zone), front.address)


def cluster_zones(pool: Pool, zones: Collection[str]) -> tuple[str, ...]:
    """One for each cluster; the empty zone stands for all of them."""
    return ("",) if pool.cross_zone or not zones else tuple(sorted(zones))


def cluster(shape: Shape) -> Document:
    document: Document = {
        "name": shape.name,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
        },
        **_policy(shape),
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
    if shape.source:
        document["upstream_bind_config"] = {"source_address": {"address": shape.source, "port_value": 0}}
    if shape.protocol in ("HTTPS", "SSL"):
        # As on AWS, a target's certificate is not verified.
        document["transport_socket"] = extension(
            "envoy.transport_sockets.tls", f"{_SOCKETS}.tls.v3.UpstreamTlsContext"
        )
    if shape.proxy_protocol:
        plain = extension("envoy.transport_sockets.raw_buffer", f"{_SOCKETS}.raw_buffer.v3.RawBuffer")
        document["transport_socket"] = extension(
            "envoy.transport_sockets.upstream_proxy_protocol",
            f"{_SOCKETS}.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
            config={"version": "V1"},
            transport_socket=document.get("transport_socket", plain),
        )
    return document


def _policy(shape: Shape) -> Document:
    match shape.algorithm:
        case "least_outstanding_requests":
            # Of so many at random: a look at all would send every request of a quiet time to the same.
            return {"lb_policy": "LEAST_REQUEST", "least_request_lb_config": {"choice_count": 32}}
        case "weighted_random":
            return {"lb_policy": "RANDOM", **(_anomalies() if shape.anomaly_mitigation else {})}
        case "round_robin":
            config: Document = {}
            if shape.slow_start_seconds:
                config["slow_start_config"] = {"slow_start_window": f"{shape.slow_start_seconds}s"}
            return {"lb_policy": "ROUND_ROBIN", "round_robin_lb_config": config}


def _anomalies() -> Document:
    """Targets that answer with errors far more often than their peers are left alone for a while. AWS lowers
    their share instead; either way most requests go where they are answered."""
    return {
        "outlier_detection": {
            "interval": "5s",
            "base_ejection_time": "15s",
            "max_ejection_percent": 50,
            "enforcing_consecutive_5xx": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "enforcing_success_rate": 0,
            "enforcing_failure_percentage": 100,
            "failure_percentage_threshold": 50,
            "failure_percentage_minimum_hosts": _ANOMALOUS_FROM,
            "failure_percentage_request_volume": 10,
        }
    }


def assignment(source: Endpoints) -> Document:
    hosts = [
        {
            "endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}},
            "health_status": health,
            "metadata": {"filter_metadata": {METADATA: {"zone": zone or "all"}}},
        }
        for address, port, health, zone in source.hosts
    ]
    return {"cluster_name": source.name, "endpoints": [{"lb_endpoints": hosts}] if hosts else []}


def endpoints(
    pool: Pool, zones: Collection[str], health: HealthOf, gone: Container[str]
) -> Iterator[Endpoints]:
    """The endpoints of each cluster of a pool: targets with the health to balance by, without those whose
    machine has ended. Where too few are healthy, all are tried, as on AWS; those still to be judged wait."""
    for zone in cluster_zones(pool, zones):
        present = [it for it in pool.targets if it.address not in gone and _is_in(it, zone)]
        states = [health(pool, target) for target in present if not target.draining]
        hopeless = _hopeless(states, pool.fail_open)
        hosts = [(it.reached_at, it.port, _status(it, health(pool, it), hopeless), it.zone) for it in present]
        if pool.slow_start_seconds:
            # Envoy starts slowly what is new to it, so it hears of a target when that is healthy.
            hosts = [host for host in hosts if host[2] != "UNHEALTHY"]
        yield Endpoints(cluster_name(pool.arn, zone), tuple(hosts))


def zones_to_serve(
    pool: Pool, zones: Collection[str], health: HealthOf, gone: Container[str]
) -> tuple[str, ...]:
    """The zones among which a balancer's own address shares out: those with enough healthy targets, or all
    of them where none has."""
    able: list[str] = []
    for zone in sorted(zones):
        present = [it for it in pool.targets if it.address not in gone and _is_in(it, zone)]
        states = [health(pool, target) for target in present if not target.draining]
        if _enough(states.count("healthy"), len(states), pool.fail_over):
            able.append(zone)
    return tuple(able or sorted(zones))


def _is_in(target: Target, zone: str) -> bool:
    return not zone or target.zone in ("", zone)


def _enough(healthy: int, all_there_are: int, least: Least) -> bool:
    return healthy >= least.count and healthy * 100 >= least.percentage * all_there_are


def _hopeless(states: Sequence[str], least: Least) -> bool:
    """Whether too few are healthy, whatever becomes of those still to be judged."""
    hopeful = len(states) - states.count("unhealthy")
    return "unhealthy" in states and not _enough(hopeful, len(states), least)


def _status(target: Target, state: ProbeState, hopeless: bool) -> str:
    if target.draining:
        return "DRAINING"
    return "HEALTHY" if state == "healthy" or (hopeless and state == "unhealthy") else "UNHEALTHY"
