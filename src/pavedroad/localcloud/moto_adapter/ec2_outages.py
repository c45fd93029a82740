"""What is made to fail on purpose, for moto's EC2: launches are refused, zones are shown as they are."""

from __future__ import annotations

from moto.ec2.models import availability_zones_and_regions as moto_zones

from pavedroad.localcloud.faults.effects import NO_FAULTS
from pavedroad.localcloud.ports import Faults

_heeded: list[Faults] = [NO_FAULTS]


def heed(faults: Faults) -> None:
    """From now on these faults hold for every account and region."""
    _heeded[:] = [faults]


def is_down(zone: str) -> bool:
    return _heeded[0].zone_is_down(zone)


def can_launch(zone: str, instance_type: str = "") -> bool:
    return _heeded[0].launch_refusal(zone, instance_type) is None


def refuse_launch(zone: str, instance_type: str) -> None:
    """Raises EC2's error where nothing of the type can be launched in the zone."""
    if refusal := _heeded[0].launch_refusal(zone, instance_type):
        raise refusal


class Zone(moto_zones.Zone):
    """A zone whose state is true. moto finds its members by the name of its class."""

    @property
    def state(self) -> str:
        return "unavailable" if _heeded[0].zone_is_down(self.name) else "available"

    @state.setter
    def state(self, state: str) -> None:
        pass
