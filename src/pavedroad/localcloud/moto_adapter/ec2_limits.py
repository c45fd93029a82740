# pyright: basic
"""How many more instances an account may have: EC2's limits, by instances and by vCPUs.

`PAVED_CLOUD_INSTANCE_LIMIT` and `PAVED_CLOUD_VCPU_LIMIT` set them, for each account and region.
"""

from __future__ import annotations

import os

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_types import vcpus

INSTANCE_LIMIT = int(os.environ.get("PAVED_CLOUD_INSTANCE_LIMIT", "2000"))
"""Instances that are not terminated."""
VCPU_LIMIT = int(os.environ.get("PAVED_CLOUD_VCPU_LIMIT", "16000"))
"""vCPUs of running instances, of one bucket and market."""
_BUCKETS = {
    "f": "F",
    "g": "G and VT",
    "v": "G and VT",
    "p": "P",
    "x": "X",
    "i": "Standard",
    "u": "High Memory",
}


def bucket(instance_type: str) -> str:
    """The limit that a type counts against: AWS has one for the common families together."""
    return "Inf" if instance_type.startswith("inf") else _BUCKETS.get(instance_type[:1], "Standard")


def room_for(
    backend: LocalEC2Backend,
    low: int,
    *,
    high: int | None = None,
    instance_type: str = "",
    spot: bool = False,
) -> int:
    """How many of `low` to `high` instances the account may have more."""
    alive = [one for one in backend.by_id.values() if one.life.state != "terminated"]
    room = INSTANCE_LIMIT - len(alive)
    if room < low:
        raise ServiceError(
            "InstanceLimitExceeded",
            f"You have requested more instances ({len(alive) + low}) than your current instance limit of "
            f"{INSTANCE_LIMIT} allows for the specified instance type. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )
    if instance_type:
        room = min(room, _room_of_vcpus(alive, low, instance_type, spot=spot))
    return min(room, high if high is not None else room)


def _room_of_vcpus(alive: list, low: int, instance_type: str, *, spot: bool) -> int:
    own = bucket(instance_type)
    used = sum(
        vcpus(one.instance_type)
        for one in alive
        if one.life.should_run and (one.lifecycle == "spot") == spot and bucket(one.instance_type) == own
    )
    room = max(0, VCPU_LIMIT - used) // vcpus(instance_type)
    if room >= low:
        return room
    if spot:
        raise ServiceError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    raise ServiceError(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {VCPU_LIMIT} allows for the "
        "instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )
