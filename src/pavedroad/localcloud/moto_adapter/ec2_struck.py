# pyright: basic, reportAttributeAccessIssue=false
"""moto's instances, for the faults that are aimed at them."""

from __future__ import annotations

from datetime import datetime

from moto.ec2.models.instance_types import INSTANCE_TYPES

from pavedroad.localcloud.faults.ports import Struck
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance


class MotoInstances:
    """`pavedroad.localcloud.faults.ports.Instances`."""

    def find(self, instance_id: str) -> Struck | None:
        one = _found(instance_id)
        if one is None:
            return None
        memory = INSTANCE_TYPES.get(one.instance_type, {}).get("MemoryInfo", {}).get("SizeInMiB", 1024)
        return Struck(
            one.id,
            one.ec2_backend.region_name,
            one.availability_zone or "",
            one.life.state,
            one.lifecycle == "spot",
            int(memory),
        )

    def fail(self, instance_id: str, reason: str, now: datetime) -> None:
        if (one := _found(instance_id)) is not None:
            one.life.fail(reason, now, ends=one.ends)

    def interrupt(self, instance_id: str, at: datetime) -> None:
        if (one := _found(instance_id)) is not None:
            one.interruption = at

    def spare(self, instance_id: str) -> None:
        if (one := _found(instance_id)) is not None:
            one.interruption = None


def _found(instance_id: str) -> LocalInstance | None:
    return next((one for backend in ec2_backend.backends() if (one := backend.by_id.get(instance_id))), None)
