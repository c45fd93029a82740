# pyright: basic
"""How many more instances an account may have: EC2's limits, by instances and by vCPUs.

`PAVED_CLOUD_INSTANCE_LIMIT` and `PAVED_CLOUD_VCPU_LIMIT` set them, for each account and region.
"""

from __future__ import annotations

from pavedroad.localcloud import settings
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_types import vcpus

INSTANCE_LIMIT = settings.read("PAVED_CLOUD_INSTANCE_LIMIT")
"""Instances that are not terminated."""
VCPU_LIMIT = settings.read("PAVED_CLOUD_VCPU_LIMIT")
"""vCPUs of running instances, of one bucket and market."""


def room_for(
    backend: LocalEC2Backend,
    low: int,
    *,
    high: int | None = None,
    instance_type: str = "",
    spot: bool = False,
) -> int:
    """How many of `low` to `high` instances the account may have more."""
    alive = backend.census.alive
    room = INSTANCE_LIMIT - alive
    if room < low:
        raise ServiceError(
            "InstanceLimitExceeded",
            f"You have requested more instances ({alive + low}) than your current instance limit of "
            f"{INSTANCE_LIMIT} allows for the specified instance type. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )
    if instance_type:
        room = min(room, _room_of_vcpus(backend, low, instance_type, spot=spot))
    return min(room, high if high is not None else room)


def _room_of_vcpus(backend: LocalEC2Backend, low: int, instance_type: str, *, spot: bool) -> int:
    used = backend.census.vcpus(instance_type, spot=spot)
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
