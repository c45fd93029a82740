"""Launching instances for a group: where, and what a refusal means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pavedroad.localcloud.autoscaling import backoff, journal, shares, spread, warmup, wording
from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.autoscaling.sources import LaunchSpecification, Market, MixedPolicy
from pavedroad.localcloud.autoscaling.specifications import Specifications
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Compute, Machine

ZONAL_REFUSALS = frozenset(
    {
        "InsufficientCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InvalidPlacementGroup.InUse",
        "InvalidSubnetID.NotFound",
        "MaxSpotInstanceCountExceeded",
        "ReservationCapacityExceeded",
        "SpotMaxPriceTooLow",
        "Unsupported",
    }
)
"""Another zone may still launch; any other refusal would be the same everywhere."""

NOTHING_RESERVED = (
    "The requested reservation does not have sufficient compatible and available capacity for this request."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    instance_type: str
    market: Market
    refusal: ServiceError


@dataclass(slots=True)
class Launcher:
    region: Region
    group: Group
    compute: Compute
    now: datetime
    changed: bool = False
    refusals: list[Refusal] = field(default_factory=list["Refusal"])
    """What the launches of this launcher have been refused for."""
    _subnets: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    _specifications: Specifications = field(init=False)
    _holdings: shares.Holdings = field(init=False)

    def __post_init__(self) -> None:
        self._specifications = Specifications(self.region, self.group, self.compute, self.now)
        self._holdings = shares.Holdings.of(self.group.members.values())

    def usable_zones(self, market: Market = "on-demand") -> list[str]:
        """The group's zones but those that have just refused."""
        if backoff.waits(self.group.launch_backoff, self.now):
            return []
        return [zone for zone in self.group.zones if not self._refuses(zone, market)]

    def next_place(self, counts: Mapping[str, int]) -> tuple[str, Market] | None:
        """Where the next instance goes, and of which market it is, by what each zone holds; None while
        everything refuses."""
        for market in shares.missing(self.region, self.group, self._holdings):
            usable = self.usable_zones(market)
            if usable and self.group.zone_distribution == "balanced-only":
                # The leanest zone is waited for, however long it refuses.
                leanest = spread.leanest(counts, self.group.zones)
                usable = [leanest] if leanest in usable else []
            if usable:
                return spread.leanest(counts, usable), market
        return None

    def grow(self, capacity: int) -> Iterator[None]:
        """Launch up to the desired capacity, always in the leanest zone that does not refuse."""
        group = self.group
        counts = spread.count_by_zone(group.members.values())
        missing = group.aim - capacity
        while missing > 0 and (place := self.next_place(counts)):
            zone, market = place
            if group.replacements > 0:
                cause = wording.replaced(self.now)
            elif group.refresh and not group.request:
                cause = wording.refreshed(self.now)
            else:
                cause = wording.grown(group.request, self.now, capacity, group.desired)
            if member := self.launch(zone, cause, market=market):
                counts[zone] = counts.get(zone, 0) + member.units
                missing -= member.units
                group.replacements = max(0, group.replacements - 1)
            yield

    def balance(self, moves: Iterable[spread.Move]) -> Iterator[None]:
        """Launch beyond the desired capacity, so that fuller zones can give up."""
        for move in moves:
            cause = wording.rebalanced(self.now)
            if not self.launch(move.zone, cause, market=move.market, rebalancing=True):
                return
            yield

    def launch(
        self,
        zone: str,
        cause: str,
        *,
        market: Market | None = None,
        rebalancing: bool = False,
        replaces: str = "",
    ) -> Member | None:
        """One instance of whatever the group launches from, as a pending member. A refusal is told as a
        failed activity, and the zone (or the whole group) is left alone for a while.

        Without a market it is of the one that the group has too little of.
        """
        group = self.group
        self.changed = True
        market = market or shares.missing(self.region, group, self._holdings)[0]
        try:
            specification, machine = self._start(zone, market)
        except ServiceError as refusal:
            if not any(one.refusal is refusal for one in self.refusals):
                self.refusals.append(Refusal("", market, refusal))
            self._refused(zone, market, cause, refusal)
            return None
        group.refusing_zones.pop(_place(zone, market), None)
        member = group.members[machine.id] = Member(
            id=machine.id,
            zone=machine.zone,
            subnet_id=machine.subnet_id,
            instance_type=machine.instance_type,
            image_id=machine.image_id,
            launched_at=machine.launched_at,
            template=specification.template,
            configuration=specification.configuration,
            zone_id=group.zone_ids.get(machine.zone, ""),
            market=specification.data.market,
            weight=specification.weight,
            protected=group.protects_new,
            warmup_seconds=warmup.at_launch(group),
            rebalancing=rebalancing,
            replaces=replaces,
            activity=journal.begin(
                self.region,
                group,
                self.now,
                description=wording.launching(machine.id),
                cause=cause,
                details=wording.details(machine.subnet_id, machine.zone),
                status="PreInService",
                progress=30,
            ),
        )
        self._holdings.add(member)
        return member

    def _start(self, zone: str, market: Market) -> tuple[LaunchSpecification, Machine]:
        """From the first specification that is not refused; those refused lately are tried last."""
        if market == "on-demand" and _reserved_only(self.group):
            raise ServiceError("ReservationCapacityExceeded", NOTHING_RESERVED)
        pools = self.group.refusing_pools
        refusal = ServiceError(
            "InsufficientInstanceCapacity", "No instance type that EC2 offers here meets the requirements."
        )
        for specification in sorted(
            self._specifications.preferred(market, zone, self._holdings),
            key=lambda one: backoff.waits(pools.get(_pool(zone, one)), self.now),
        ):
            pool = _pool(zone, specification)
            try:
                machine = self.compute.launch(
                    specification.data,
                    subnet_id=self._subnet(zone),
                    tags=self._tags(specification),
                    placement=self._placement(specification),
                )
            except ServiceError as refused:
                self.refusals.append(Refusal(specification.data.instance_type, market, refused))
                if refused.code not in ZONAL_REFUSALS:
                    raise
                refusal = refused
                pools[pool] = backoff.after_failure(pools.get(pool), self.now)
                continue
            pools.pop(pool, None)
            return specification, machine
        raise refusal

    def _refused(self, zone: str, market: Market, cause: str, refusal: ServiceError) -> None:
        group = self.group
        said = refusal.message
        if isinstance(group.launches_from, MixedPolicy):
            said = wording.mixed_refusal(market, refusal.code, said)
        message = wording.launch_message(said)
        failed = journal.begin(
            self.region,
            group,
            self.now,
            description=wording.launch_failed(message),
            cause=cause,
            details=wording.details("", zone),
        )
        failed.end("Failed", self.now, message)
        if refusal.code in ZONAL_REFUSALS:
            place = _place(zone, market)
            earlier = group.refusing_zones.get(place)
            group.refusing_zones[place] = backoff.after_failure(earlier, self.now)
        else:
            group.launch_backoff = backoff.after_failure(group.launch_backoff, self.now)

    def keep_to(self, zone: str, subnet_id: str) -> None:
        """Launch into no other subnet of the zone."""
        self._subnets[zone] = (subnet_id,)

    def _refuses(self, zone: str, market: Market) -> bool:
        return backoff.waits(self.group.refusing_zones.get(_place(zone, market)), self.now)

    def _placement(self, specification: LaunchSpecification) -> Mapping[str, Any]:
        """The group's own placement group, or what its template says."""
        named = self.group.placement_group
        return {"GroupName": named} if named else specification.placement

    def _subnet(self, zone: str) -> str:
        """Subnets of a zone are looked up once a pass."""
        if zone not in self._subnets:
            of_zone = tuple(s for s in self.group.subnets if self.compute.subnet_zone(s) == zone)
            self._subnets[zone] = of_zone or (self.compute.default_subnet(zone),)
        return spread.least_used(self._subnets[zone], self.group.members.values())

    def _tags(self, specification: LaunchSpecification) -> dict[str, str]:
        propagated = {key: tag.value for key, tag in self.group.tags.items() if tag.propagate}
        tags = {**specification.data.tags, **propagated, "aws:autoscaling:groupName": self.group.name}
        if used := specification.template:
            tags["aws:ec2launchtemplate:id"] = used.id
            tags["aws:ec2launchtemplate:version"] = used.version
        return tags


def _reserved_only(group: Group) -> bool:
    """Whether it may launch into capacity reservations only, of which there are none here."""
    asked: Mapping[str, str] = group.described.get("CapacityReservationSpecification") or {}
    return asked.get("CapacityReservationPreference") == "capacity-reservations-only"


def _place(zone: str, market: Market) -> str:
    """Spot capacity may be gone where there is on-demand capacity."""
    return zone if market == "on-demand" else f"{zone}/{market}"


def _pool(zone: str, one: LaunchSpecification) -> str:
    return f"{zone}/{one.data.instance_type}/{one.data.market}"
