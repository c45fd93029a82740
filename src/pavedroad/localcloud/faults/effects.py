"""What the faults that last come to, for whoever asks: zones, launches, instances."""

from __future__ import annotations

from collections.abc import Iterable

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.faults.model import Fault
from pavedroad.localcloud.wanted import Affliction, Ailment

_AILMENTS: dict[str, Ailment] = {
    "instance-hung": "hung",
    "instance-cpu": "cpu",
    "instance-memory": "memory",
    "instance-disk": "disk",
    "network": "network",
    "clock-skew": "clock",
}


class Effects:
    """`pavedroad.localcloud.ports.Faults`, made anew whenever a fault starts or ends. Asked of every instance
    in every pass of a controller: where nothing fails, it costs a look into an empty dictionary."""

    def __init__(self, active: Iterable[Fault] = ()) -> None:
        self._zones: dict[str, Fault] = {}
        self._capacity: dict[str, list[str]] = {}
        self._instances: dict[str, list[Affliction]] = {}
        for fault in active:
            self._take(fault)

    def _take(self, fault: Fault) -> None:
        if fault.kind == "zone-down":
            self._put_down(fault.target, fault)
        elif fault.kind == "region-down":
            for letter in "abc":
                self._put_down(fault.target + letter, fault)
        elif fault.kind == "capacity":
            self._capacity.setdefault(fault.target, []).append(fault.text("instance_type"))
        elif ailment := _AILMENTS.get(fault.kind):
            numbers = {
                name: float(value) for name, value in fault.parameters.items() if not isinstance(value, str)
            }
            self._instances.setdefault(fault.target, []).append(Affliction(fault.id, ailment, numbers))

    def _put_down(self, zone: str, fault: Fault) -> None:
        """A zone that is dead in one way is not merely out of reach in another."""
        known = self._zones.get(zone)
        if known is None or known.flag("unreachable"):
            self._zones[zone] = fault

    @property
    def refusing_zones(self) -> frozenset[str]:
        """Where some launch is refused."""
        return frozenset(self._zones) | frozenset(self._capacity)

    def zone_is_down(self, zone: str) -> bool:
        return zone in self._zones

    def launch_refusal(self, zone: str, instance_type: str) -> ServiceError | None:
        if zone not in self._zones and not {"", instance_type} & set(self._capacity.get(zone, ())):
            return None
        return ServiceError(
            "InsufficientInstanceCapacity",
            f"We currently do not have sufficient {instance_type} capacity in the Availability Zone you "
            f"requested ({zone}). Our system will be working on provisioning additional capacity.",
            500,
        )

    def failure(self, zone: str) -> str:
        fault = self._zones.get(zone)
        if fault is None or fault.flag("unreachable"):
            return ""
        return f"the Availability Zone {zone} has failed"

    def is_impaired(self, instance_id: str, zone: str) -> bool:
        return any(
            it.ailment == "hung" or it.numbers.get("cut") or it.numbers.get("loss_percent", 0) >= 100
            for it in self.afflictions(instance_id, zone)
        )

    def afflictions(self, instance_id: str, zone: str) -> tuple[Affliction, ...]:
        own = self._instances.get(instance_id)
        fault = self._zones.get(zone)
        if fault is None:
            return tuple(own) if own else ()
        cut = Affliction(fault.id, "network", {"cut": 1.0, "at_once": 1.0})
        return (*(own or ()), cut)


NO_FAULTS = Effects()
