# pyright: basic, reportAttributeAccessIssue=false
"""Instances as those see them who bound them, and who publish what was measured of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from moto.ec2.models.instance_types import INSTANCE_TYPES

from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.publishing.views import InstanceView
from pavedroad.localcloud.wanted import Limits

_GROUP = "aws:autoscaling:groupName"


@cache
def limits_of(instance_type: str) -> Limits | None:
    """What an instance type gives; None for one that the catalogue does not have."""
    known = INSTANCE_TYPES.get(instance_type)
    if known is None:
        return None
    return Limits(float(known["VCpuInfo"]["DefaultVCpus"]), known["MemoryInfo"]["SizeInMiB"] << 20)


def running_instances() -> Iterator[InstanceView]:
    """Of all accounts and regions; taken with the state lock held, a few at a time."""
    for backend in list(ec2_backend.backends()):
        for one in list(backend.by_id.values()):
            if one.life.state == "running":
                limits = limits_of(one.instance_type)
                yield InstanceView(
                    (one.owner_id, backend.region_name),
                    one.id,
                    one.instance_type,
                    one.image_id,
                    one.tag_map.get(_GROUP),
                    one.private_dns_name,
                    limits.cpus if limits else 1.0,
                    one.monitoring_state == "enabled",
                    one.impaired,
                )
