"""From pools, fronts and health to a snapshot, building anew only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from pavedroad.localcloud.envoy import tls
from pavedroad.localcloud.envoy.clusters import (
    HealthOf,
    assignment,
    cluster,
    cluster_zones,
    endpoints,
    shapes,
    zones_to_serve,
)
from pavedroad.localcloud.envoy.documents import Document
from pavedroad.localcloud.envoy.forwards import Destination
from pavedroad.localcloud.envoy.listeners import Place, listener, places
from pavedroad.localcloud.envoy.routes import route_configuration
from pavedroad.localcloud.envoy.snapshot import Kind, Resource, Snapshot, resource
from pavedroad.localcloud.wanted import Forward, Front, Pool

Input = TypeVar("Input")
Uses = tuple[tuple[Kind, str], ...]


class SnapshotBuilder:
    """Remembers what each resource was made from. With `from_balancers`, targets see connections come from
    the balancer's addresses."""

    def __init__(self, *, from_balancers: bool = False) -> None:
        self._from_balancers = from_balancers
        self._known: dict[tuple[Kind, str], tuple[object, Resource]] = {}
        self._made: dict[tuple[Kind, str], tuple[object, Resource]] = {}

    def build(
        self,
        step: int,
        pools: Mapping[str, Pool],
        fronts: Iterable[Front],
        health: HealthOf,
        gone: set[str],
    ) -> Snapshot:
        self._known, self._made = self._made, {}
        chosen = tuple(fronts)
        zones = {node.zone for front in chosen for node in front.nodes}
        destinations = {
            arn: Destination(
                arn,
                pool.stickiness,
                () if cluster_zones(pool, zones) == ("",) else zones_to_serve(pool, zones, health, gone),
            )
            for arn, pool in pools.items()
        }
        users = pool_users(chosen) if self._from_balancers else {}
        for pool in pools.values():
            for shape in shapes(pool, zones, users.get(pool.arn)):
                self._make(Kind.CLUSTER, shape.name, shape, cluster, ((Kind.ASSIGNMENT, shape.name),))
            for source in endpoints(pool, zones, health, gone):
                self._make(Kind.ASSIGNMENT, source.name, source, assignment)
        for front in chosen:
            for place in places(front):
                self._make(Kind.LISTENER, place.name, place, listener, tuple(_used_by(place)))
            if not front.streams:
                named = tuple(destinations[arn] for arn in sorted(pool_names(front) & destinations.keys()))
                self._make(Kind.ROUTES, front.arn, (front, named), route_configuration)
            for certificate, _ in tls.served(front.tls) if front.tls else ():
                self._make(Kind.SECRET, certificate.arn, certificate, tls.secret)
        resources: dict[Kind, dict[str, Resource]] = {kind: {} for kind in Kind}
        for (kind, name), (_, made) in self._made.items():
            resources[kind][name] = made
        return Snapshot(step, resources)

    def _make(
        self, kind: Kind, name: str, source: Input, document: Callable[[Input], Document], uses: Uses = ()
    ) -> None:
        before = self._known.get((kind, name))
        if before is None or before[0] != source:
            before = (source, resource(name, document(source), uses))
        self._made[kind, name] = before


def pool_names(front: Front) -> set[str]:
    """The pools that a front's rules send to."""
    return {arn for rule in front.rules if isinstance(rule.action, Forward) for arn in rule.action.weights}


def pool_users(fronts: Iterable[Front]) -> dict[str, Front]:
    """A front for each pool that some front sends to: the first by name, so that it stays."""
    users: dict[str, Front] = {}
    for front in sorted(fronts, key=lambda it: it.arn):
        for arn in pool_names(front):
            users.setdefault(arn, front)
    return users


def _used_by(place: Place) -> Iterator[tuple[Kind, str]]:
    if not place.streams_to:
        yield Kind.ROUTES, place.routes
    for certificate, _ in tls.served(place.tls) if place.tls else ():
        yield Kind.SECRET, certificate.arn
