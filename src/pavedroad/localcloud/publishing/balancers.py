"""AWS/ApplicationELB: what the load balancers did in a minute, under AWS's names and dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pavedroad.localcloud.measured import Measurements, Traffic
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing.minute import Dimensions, Minute
from pavedroad.localcloud.publishing.rises import Rises
from pavedroad.localcloud.publishing.views import BalancerView, GroupView, MemberView, Place

NAMESPACE = "AWS/ApplicationELB"
_OWN_STATUSES = (500, 502, 503, 504)
"""Those of a balancer's own that have metrics of their own."""
_REDIRECTS = (301, 302)
_FREE_RULES = 10


class BalancerMetrics:
    """Given the measurements of each minute in turn."""

    def __init__(self) -> None:
        self._rises = Rises()
        self._first = True

    def samples(
        self,
        minute: int,
        measured: Measurements,
        balancers: Iterable[BalancerView],
        groups: Iterable[GroupView],
    ) -> dict[Place, list[Sample]]:
        """Of the minute that began at `minute`, a multiple of 60. The first measurements are but where the
        next ones begin."""
        found: dict[Place, Minute] = defaultdict(lambda: Minute(minute))
        by_listener = {arn: balancer for balancer in balancers for arn in balancer.listener_arns}
        by_arn = {group.arn: group for group in groups}
        for group in by_arn.values():
            _health(group, found[group.place])
        traffic = measured.traffic
        if traffic is not None:
            self._answers(traffic, by_listener, found)
            self._times(traffic, by_listener, found)
            self._connections(traffic, by_listener, by_arn, found)
        self._rises.end_round(complete=traffic is not None)
        first, self._first = self._first, False
        if first:
            return {}
        _always(by_listener.values(), by_arn.values(), found)
        return {place: list(minute_.samples()) for place, minute_ in found.items()}

    def _answers(
        self, traffic: Traffic, by_listener: dict[str, BalancerView], found: dict[Place, Minute]
    ) -> None:
        for it in traffic.answers:
            key = (it.front_arn, it.node, it.pool_arn, it.zone, it.by, it.status)
            count = self._rises.of(key, traffic.run, it.count)
            balancer = by_listener.get(it.front_arn)
            if not count or balancer is None:
                continue
            minute, zone = found[balancer.place], it.node or it.zone
            family = f"{it.status // 100}XX"
            if it.zone:  # a target was chosen: else AWS does not count it as a request
                for dimensions in _with_group(balancer, zone, it.pool_arn):
                    minute.ones("RequestCount", dimensions, count)
            if it.by == "target":
                for dimensions in _with_group(balancer, zone, it.pool_arn):
                    minute.ones(f"HTTPCode_Target_{family}_Count", dimensions, count)
                continue
            names = [f"HTTPCode_ELB_{family}_Count"] if it.status >= 300 else []
            if it.status in _OWN_STATUSES:
                names.append(f"HTTPCode_ELB_{it.status}_Count")
            if it.status in _REDIRECTS:
                names.append("HTTP_Redirect_Count")
            for dimensions in _with_zone(balancer, zone):
                for name in names:
                    minute.ones(name, dimensions, count)

    def _times(
        self, traffic: Traffic, by_listener: dict[str, BalancerView], found: dict[Place, Minute]
    ) -> None:
        for it in traffic.times:
            key = (it.front_arn, it.node, it.pool_arn, it.zone)
            risen = self._rises.of_bins(key, traffic.run, it.seconds)
            balancer = by_listener.get(it.front_arn)
            if risen.values and balancer is not None:
                for dimensions in _with_group(balancer, it.node or it.zone, it.pool_arn):
                    found[balancer.place].histogram("TargetResponseTime", dimensions, risen)

    def _connections(
        self,
        traffic: Traffic,
        by_listener: dict[str, BalancerView],
        by_arn: dict[str, GroupView],
        found: dict[Place, Minute],
    ) -> None:
        for it in traffic.fronts:
            rises = {
                name: self._rises.of((it.arn, it.node, name), traffic.run, value)
                for name, value in (
                    ("NewConnectionCount", it.connections),
                    ("RejectedConnectionCount", it.refused_connections),
                    ("ClientTLSNegotiationErrorCount", it.tls_errors),
                    ("ProcessedBytes", it.received_bytes + it.sent_bytes),
                )
            }
            if (balancer := by_listener.get(it.arn)) is None:
                continue
            minute = found[balancer.place]
            own = _own(balancer)
            minute.sum("ActiveConnectionCount", own, it.active_connections)
            for name, value in rises.items():
                minute.sum(name, own, value)
                if it.node and name in ("RejectedConnectionCount", "ClientTLSNegotiationErrorCount"):
                    minute.sum(name, _zoned(own, it.node), value)
        for it in traffic.pools:
            new = self._rises.of((it.arn, "connections"), traffic.run, it.connections)
            failed = self._rises.of((it.arn, "failed"), traffic.run, it.failed_connections)
            if (group := by_arn.get(it.arn)) is None:
                continue
            for path in group.balancer_paths:
                own: Dimensions = (("LoadBalancer", path),)
                minute = found[group.place]
                minute.sum("ActiveConnectionCount", own, it.active_connections)
                minute.sum("NewConnectionCount", own, new)
                minute.sum("TargetConnectionErrorCount", own, failed)
                minute.sum("TargetConnectionErrorCount", (*own, ("TargetGroup", group.path)), failed)
        self._failed_by_zone(traffic, by_arn, found)

    def _failed_by_zone(
        self, traffic: Traffic, by_arn: dict[str, GroupView], found: dict[Place, Minute]
    ) -> None:
        for it in traffic.targets:
            key = (it.pool_arn, it.address, it.port, "failed")
            failed = self._rises.of(key, traffic.run, it.failed_connections)
            group = by_arn.get(it.pool_arn)
            if not failed or group is None:
                continue
            zone = next((one.zone for one in group.members if one.address == it.address), "")
            for path in group.balancer_paths if zone else ():
                own: Dimensions = (("LoadBalancer", path),)
                for dimensions in (own, (*own, ("TargetGroup", group.path))):
                    found[group.place].sum("TargetConnectionErrorCount", _zoned(dimensions, zone), failed)


def _always(
    balancers: Iterable[BalancerView], groups: Iterable[GroupView], found: dict[Place, Minute]
) -> None:
    """What AWS reports of quiet minutes too."""
    for balancer in set(balancers):
        minute = found[balancer.place]
        if not minute.requests(_own(balancer)):
            minute.level("RequestCount", _own(balancer), 0.0)
        if balancer.most_rules <= _FREE_RULES:  # else rules count too, and which were looked at nobody says
            minute.level("ConsumedLCUs", _own(balancer), minute.capacity_units(_own(balancer)))
    for group in groups:
        minute = found[group.place]
        serving = sum(member.state == "healthy" for member in group.members)
        targets = serving or sum(member.state in ("unhealthy", "initial") for member in group.members)
        requests = 0.0
        for path in group.balancer_paths:
            own: Dimensions = (("LoadBalancer", path), ("TargetGroup", group.path))
            here = minute.requests(own)
            requests += here
            if not here:
                minute.level("RequestCount", own, 0.0)
            if targets:
                minute.level("RequestCountPerTarget", own, here / targets)
        if targets and group.balancer_paths:
            minute.level("RequestCountPerTarget", (("TargetGroup", group.path),), requests / targets)


def _health(group: GroupView, minute: Minute) -> None:
    """Of groups that have targets and a balancer."""
    counted = [member for member in group.members if member.state in ("healthy", "unhealthy", "initial")]
    for path in group.balancer_paths:
        own: Dimensions = (("LoadBalancer", path), ("TargetGroup", group.path))
        _count(counted, own, minute)
        for zone in {member.zone for member in counted if member.zone}:
            _count([member for member in counted if member.zone == zone], _zoned(own, zone), minute)


def _count(members: list[MemberView], dimensions: Dimensions, minute: Minute) -> None:
    if members:
        healthy = sum(member.state == "healthy" for member in members)
        unhealthy = sum(member.state == "unhealthy" for member in members)
        minute.level("HealthyHostCount", dimensions, healthy)
        minute.level("UnHealthyHostCount", dimensions, unhealthy)


def _own(balancer: BalancerView) -> Dimensions:
    return (("LoadBalancer", balancer.path),)


def _zoned(dimensions: Dimensions, zone: str) -> Dimensions:
    return (("AvailabilityZone", zone), *dimensions)


def _with_zone(balancer: BalancerView, zone: str) -> Iterator[Dimensions]:
    """The balancer alone, and by the zone whose node was asked (or, at its own address, that answered)."""
    own = _own(balancer)
    yield own
    if zone and zone != "all":
        yield _zoned(own, zone)


def _with_group(balancer: BalancerView, zone: str, pool_arn: str) -> Iterator[Dimensions]:
    group = ("TargetGroup", pool_arn.rpartition(":")[2])
    for dimensions in _with_zone(balancer, zone):
        yield dimensions
        yield (*dimensions, group)
