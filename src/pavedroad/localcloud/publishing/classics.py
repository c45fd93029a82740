"""AWS/ELB: what classic load balancers did in a minute, under AWS's names and dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pavedroad.localcloud.measured import Measurements, Traffic
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing.minute import Dimensions, Minute
from pavedroad.localcloud.publishing.rises import Rises
from pavedroad.localcloud.publishing.views import ClassicView, Place

NAMESPACE = "AWS/ELB"


class ClassicMetrics:
    """Given the measurements of each minute in turn."""

    def __init__(self) -> None:
        self._rises = Rises()
        self._first = True

    def samples(
        self, minute: int, measured: Measurements, classics: Iterable[ClassicView]
    ) -> dict[Place, list[Sample]]:
        """Of the minute that began at `minute`, a multiple of 60. The first measurements are but where the
        next ones begin."""
        found: dict[Place, Minute] = defaultdict(lambda: Minute(minute))
        views = tuple(classics)
        traffic = measured.traffic
        if traffic is not None:
            self._count(traffic, views, found)
        self._rises.end_round(complete=traffic is not None)
        first, self._first = self._first, False
        if first:
            return {}
        for view in views:
            _hosts(view, found[view.place])
        return {place: list(it.samples()) for place, it in found.items()}

    def _count(self, traffic: Traffic, views: tuple[ClassicView, ...], found: dict[Place, Minute]) -> None:
        by_listener = {arn: view for view in views for arn in view.listener_arns}
        by_group = {arn: view for view in views for arn in view.group_arns}
        for it in traffic.answers:
            key = (it.front_arn, it.node, it.pool_arn, it.zone, it.by, it.status)
            count = self._rises.of(key, traffic.run, it.count)
            view = by_listener.get(it.front_arn)
            if not count or view is None:
                continue
            who = "Backend" if it.by == "target" else "ELB"
            names = [f"HTTPCode_{who}_{it.status // 100}XX"] if it.by == "target" or it.status >= 400 else []
            if it.zone:
                names.append("RequestCount")
            for dimensions in _with_zone(view, it.node or it.zone):
                for name in names:
                    found[view.place].ones(name, dimensions, count)
        for it in traffic.times:
            key = (it.front_arn, it.node, it.pool_arn, it.zone)
            risen = self._rises.of_bins(key, traffic.run, it.seconds)
            view = by_listener.get(it.front_arn)
            if risen.values and view is not None:
                for dimensions in _with_zone(view, it.node or it.zone):
                    found[view.place].histogram("Latency", dimensions, risen)
        for it in traffic.fronts:
            new = self._rises.of((it.arn, it.node), traffic.run, it.connections)
            view = by_listener.get(it.arn)
            if view is not None and it.arn in view.streams and new:
                for dimensions in _with_zone(view, it.node):
                    found[view.place].ones("RequestCount", dimensions, new)
        for it in traffic.pools:
            failed = self._rises.of(it.arn, traffic.run, it.failed_connections)
            if (view := by_group.get(it.arn)) is not None:
                found[view.place].sum("BackendConnectionErrors", _own(view), failed)


def _hosts(view: ClassicView, minute: Minute) -> None:
    """Of balancers that have instances; by zone too."""
    counted = [it for it in view.members if it.state in ("healthy", "unhealthy", "initial")]
    zones = {it.zone for it in counted}
    for dimensions, members in (
        (_own(view), counted),
        *((_zoned(view, zone), [it for it in counted if it.zone == zone]) for zone in zones),
    ):
        if members:
            healthy = sum(it.state == "healthy" for it in members)
            minute.level("HealthyHostCount", dimensions, healthy)
            minute.level("UnHealthyHostCount", dimensions, len(members) - healthy)


def _own(view: ClassicView) -> Dimensions:
    return (("LoadBalancerName", view.name),)


def _zoned(view: ClassicView, zone: str) -> Dimensions:
    return (("AvailabilityZone", zone), *_own(view))


def _with_zone(view: ClassicView, zone: str) -> Iterator[Dimensions]:
    yield _own(view)
    if zone and zone != "all":
        yield _zoned(view, zone)
