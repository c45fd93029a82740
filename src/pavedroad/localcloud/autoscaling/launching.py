"""Launching instances for a group: where, and what a refusal means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pavedroad.localcloud.autoscaling import backoff, journal, spread, warmup, wording
from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.autoscaling.specifications import LaunchSpecification, Specifications
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Compute, Machine

ZONAL_REFUSALS = frozenset(
    {
        "InsufficientCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InvalidSubnetID.NotFound",
        "Unsupported",
    }
)
"""Another zone may still launch; any other refusal would be the same everywhere."""


@dataclass(slots=True)
class Launcher:
    region: Region
    group: Group
    compute: Compute
    now: datetime
    changed: bool = False
    _subnets: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    _specifications: Specifications = field(init=False)

    def __post_init__(self) -> None:
        self._specifications = Specifications(self.region, self.group, self.compute)

    def usable_zones(self) -> list[str]:
        """The group's zones but those that have just refused."""
        if backoff.waits(self.group.launch_backoff, self.now):
            return []
        return [
            zone
            for zone in self.group.zones
            if not backoff.waits(self.group.refusing_zones.get(zone), self.now)
        ]

    def grow(self, capacity: int) -> Iterator[None]:
        """Launch up to the desired capacity, always in the leanest zone that does not refuse."""
        group = self.group
        usable = self.usable_zones()
        counts = spread.count_by_zone(group.members.values())
        missing = group.desired - capacity
        while missing > 0 and usable:
            zone = spread.leanest(counts, usable)
            if group.replacements > 0:
                cause = wording.replaced(self.now)
            else:
                cause = wording.grown(group.request, self.now, capacity, group.desired)
            if member := self.launch(zone, cause):
                counts[zone] = counts.get(zone, 0) + 1
                missing -= member.units
                group.replacements = max(0, group.replacements - 1)
            else:
                usable = self.usable_zones()
            yield

    def balance(self, zones: Iterable[str]) -> Iterator[None]:
        """Launch beyond the desired capacity, so that fuller zones can give up."""
        for zone in zones:
            if not self.launch(zone, wording.rebalanced(self.now), rebalancing=True):
                return
            yield

    def launch(
        self, zone: str, cause: str, *, rebalancing: bool = False, replaces: str = ""
    ) -> Member | None:
        """One instance of whatever the group launches from, as a pending member. A refusal is told as a
        failed activity, and the zone (or the whole group) is left alone for a while."""
        group = self.group
        self.changed = True
        try:
            specification, machine = self._start(zone)
        except ServiceError as refusal:
            self._refused(zone, cause, refusal)
            return None
        group.refusing_zones.pop(zone, None)
        member = group.members[machine.id] = Member(
            id=machine.id,
            zone=machine.zone,
            subnet_id=machine.subnet_id,
            instance_type=machine.instance_type,
            image_id=machine.image_id,
            launched_at=machine.launched_at,
            template=specification.template,
            configuration=specification.configuration,
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
        return member

    def _start(self, zone: str) -> tuple[LaunchSpecification, Machine]:
        specification = self._specifications.next()[0]
        return specification, self.compute.launch(
            specification.data, subnet_id=self._subnet(zone), tags=self._tags(specification)
        )

    def _refused(self, zone: str, cause: str, refusal: ServiceError) -> None:
        group = self.group
        message = wording.launch_message(refusal.message)
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
            earlier = group.refusing_zones.get(zone)
            group.refusing_zones[zone] = backoff.after_failure(earlier, self.now)
        else:
            group.launch_backoff = backoff.after_failure(group.launch_backoff, self.now)

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
