"""Envoy's counters, read from its administration page and put in our words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pavedroad.localcloud.envoy.clusters import pool_arn
from pavedroad.localcloud.envoy.counting import PREFIX
from pavedroad.localcloud.envoy.listeners import front_arn, listener_name
from pavedroad.localcloud.measured import (
    AnswerMeasure,
    FrontMeasure,
    Histogram,
    PoolMeasure,
    TargetMeasure,
    TimeMeasure,
    Traffic,
)
from pavedroad.localcloud.wanted import Front, Pool

_LISTENER = "downstream_cx_total|downstream_cx_active|downstream_cx_overflow|ssl.connection_error"
_CLUSTER = "upstream_cx_total|upstream_cx_active|upstream_cx_connect_fail"
FILTER = rf"^({PREFIX}\.|listener\.[^/]*\.({_LISTENER})$|cluster\..*\.({_CLUSTER})$)"
"""Which of its thousands of statistics to send."""

_REQUESTS = re.compile(
    rf"{PREFIX}\.requests\.front\.(.*)\.pool\.(.*)\.zone\.(.*)\.status\.(\d+)\.flags\.(.*)"
)
_SECONDS = re.compile(rf"{PREFIX}\.seconds\.front\.(.*)\.pool\.(.*)\.zone\.(.*)")
_CONNECTIONS = re.compile(r"cluster\.(.*)\.upstream_cx_(total|active|connect_fail)")
_BYTES = re.compile(rf"{PREFIX}\.(received|sent)\.front\.(.*)")
_TARGET = re.compile(rf"{PREFIX}\.(taken|given)\.pool\.(.*)\.host\.(.*):(\d+)")

_CLIENT_LEFT = 460
"""AWS's status for a client that did not wait for the answer."""
_INSTEAD = frozenset(
    {"UH", "NC", "UO", "UF", "UT", "SI", "LR", "UR", "UC", "UPE", "URX", "DPE", "NR", "DT", "UMSDR", "OM"}
)
"""Envoy's flags on requests that it answered itself, when their status is an error."""

Place = tuple[str, str, int]
"""A cluster's name, address and port."""
_MICROSECOND = 1e-6


def traffic(
    run: str,
    stats: Mapping[str, Any],
    hosts: Mapping[Place, Mapping[str, int]],
    pools: Iterable[Pool],
    fronts: Iterable[Front],
) -> Traffic:
    """From the answers of `/stats` and `/clusters`."""
    plain: dict[str, int] = {}
    details: list[Mapping[str, Any]] = []
    for entry in stats.get("stats", []):
        if "name" in entry:
            plain[entry["name"]] = int(entry.get("value", 0))
        else:
            details += entry.get("histograms", {}).get("details", [])
    moved: Counter[Place] = Counter()
    served: Counter[tuple[str, str]] = Counter()
    for name, value in plain.items():
        if match := _TARGET.fullmatch(name):
            moved[f"{match[1]} {pool_arn(match[2])}", match[3], int(match[4])] += value
        elif match := _BYTES.fullmatch(name):
            served[match[1], match[2]] += value
    return Traffic(
        run=run,
        fronts=tuple(it for front in fronts for it in _front(front, plain, served)),
        answers=tuple(_answers(plain)),
        times=tuple(_times(details)),
        pools=tuple(_pools(pools, plain)),
        targets=tuple(_targets(hosts, moved)),
    )


def _front(
    front: Front, plain: Mapping[str, int], served: Mapping[tuple[str, str], int]
) -> Iterator[FrontMeasure]:
    for zone, address in (("", front.address), *((node.zone, node.address) for node in front.nodes)):
        head, name = f"listener.{address}_{front.port}.", listener_name(front.arn, zone)
        yield FrontMeasure(
            arn=front.arn,
            node=zone,
            connections=plain.get(f"{head}downstream_cx_total", 0),
            active_connections=plain.get(f"{head}downstream_cx_active", 0),
            refused_connections=plain.get(f"{head}downstream_cx_overflow", 0),
            tls_errors=plain.get(f"{head}ssl.connection_error", 0),
            received_bytes=served.get(("received", name), 0),
            sent_bytes=served.get(("sent", name), 0),
        )


def _pools(pools: Iterable[Pool], plain: Mapping[str, int]) -> Iterator[PoolMeasure]:
    found: Counter[tuple[str, str]] = Counter()
    for name, value in plain.items():
        if match := _CONNECTIONS.fullmatch(name):
            found[pool_arn(match[1]), match[2]] += value
    for pool in pools:
        written = pool.arn.replace(":", "_")  # as Envoy writes names of clusters
        yield PoolMeasure(
            arn=pool.arn,
            connections=found[written, "total"],
            active_connections=found[written, "active"],
            failed_connections=found[written, "connect_fail"],
        )


def _targets(hosts: Mapping[Place, Mapping[str, int]], moved: Mapping[Place, int]) -> Iterator[TargetMeasure]:
    found: dict[Place, Counter[str]] = {}
    for (cluster, address, port), counts in hosts.items():
        found.setdefault((pool_arn(cluster), address, port), Counter()).update(counts)
    for (arn, address, port), counts in found.items():
        yield TargetMeasure(
            pool_arn=arn,
            address=address,
            port=port,
            requests=counts["rq_total"],
            failed_connections=counts["cx_connect_fail"],
            active_requests=counts["rq_active"],
            taken_bytes=moved.get((f"taken {arn}", address, port), 0),
            given_bytes=moved.get((f"given {arn}", address, port), 0),
        )


def _answers(plain: Mapping[str, int]) -> Iterator[AnswerMeasure]:
    found: Counter[tuple[str, str, str, str, Literal["target", "balancer"], int]] = Counter()
    for name, value in plain.items():
        if match := _REQUESTS.fullmatch(name):
            front, pool, zone, status, flags = match.groups()
            code = int(status) or _CLIENT_LEFT
            instead = code >= 400 and bool(_INSTEAD & set(flags.split(",")))
            own = not zone or instead or code == _CLIENT_LEFT
            place = (front_arn(front), _node(front), pool_arn(pool), zone)
            found[*place, "balancer" if own else "target", code] += value
    for (front, node, pool, zone, by, code), count in found.items():
        yield AnswerMeasure(front, node, pool, zone, by, code, count)


def _node(listener: str) -> str:
    return listener.partition("#")[2]


def _times(details: Iterable[Mapping[str, Any]]) -> Iterator[TimeMeasure]:
    for detail in details:
        if (match := _SECONDS.fullmatch(detail["name"])) and match[3]:
            front, pool, zone = match.groups()
            seconds = _histogram(detail.get("totals", []))
            yield TimeMeasure(front_arn(front), _node(front), pool_arn(pool), zone, seconds)


def _histogram(bins: Iterable[Mapping[str, Any]]) -> Histogram:
    middles = [
        (round((it["lower_bound"] + it["width"] / 2) * _MICROSECOND, 9), int(it["count"])) for it in bins
    ]
    return Histogram(tuple(value for value, _ in middles), tuple(count for _, count in middles))
