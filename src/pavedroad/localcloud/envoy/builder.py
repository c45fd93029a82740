"""From pools, fronts and health to a snapshot, building anew only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pavedroad.localcloud.envoy.clusters import HealthOf, assignment, cluster, endpoints
from pavedroad.localcloud.envoy.documents import Document
from pavedroad.localcloud.envoy.listeners import listener
from pavedroad.localcloud.envoy.routes import route_configuration
from pavedroad.localcloud.envoy.snapshot import Kind, Resource, Snapshot, resource
from pavedroad.localcloud.wanted import Forward, Front, Pool

Input = TypeVar("Input")


class SnapshotBuilder:
    """Remembers what each resource was made from."""

    def __init__(self) -> None:
        self._made: dict[tuple[Kind, str], tuple[object, Resource]] = {}

    def build(
        self,
        step: int,
        pools: Mapping[str, Pool],
        fronts: Iterable[Front],
        health: HealthOf,
        gone: set[str],
    ) -> Snapshot:
        known, self._made = self._made, {}
        chosen = tuple(fronts)

        def make(kind: Kind, name: str, source: Input, document: Callable[[Input], Document]) -> Resource:
            before = known.get((kind, name))
            made = before[1] if before and before[0] == source else resource(name, document(source))
            self._made[kind, name] = (source, made)
            return made

        return Snapshot(
            step,
            {
                Kind.CLUSTER: {
                    arn: make(Kind.CLUSTER, arn, (arn, pool.protocol, pool.algorithm), cluster)
                    for arn, pool in pools.items()
                },
                Kind.ASSIGNMENT: {
                    arn: make(Kind.ASSIGNMENT, arn, endpoints(pool, health, gone), assignment)
                    for arn, pool in pools.items()
                },
                Kind.LISTENER: {
                    front.arn: make(
                        Kind.LISTENER, front.arn, (front.arn, front.address, front.port), listener
                    )
                    for front in chosen
                },
                Kind.ROUTES: {
                    front.arn: make(
                        Kind.ROUTES, front.arn, (front, pool_names(front) & pools.keys()), route_configuration
                    )
                    for front in chosen
                },
            },
        )


def pool_names(front: Front) -> set[str]:
    """The pools that a front's rules send to."""
    return {arn for rule in front.rules if isinstance(rule.action, Forward) for arn in rule.action.weights}
