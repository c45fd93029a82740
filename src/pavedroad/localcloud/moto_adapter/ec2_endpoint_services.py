# pyright: basic, reportAttributeAccessIssue=false
"""The services that a network may have endpoints of: those that AWS has, by their names.

moto asks each of its services, and imports them all for it with the state lock held.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, COVERED_ENDPOINT_SERVICES, VPCBackend

_GATEWAYS = ("dynamodb", "s3")


def install() -> None:
    VPCBackend._collect_default_endpoint_services = staticmethod(lambda _account, region: _services(region))


@cache
def _services(region: str) -> list[dict[str, Any]]:
    zones = [zone.name for zone in RegionsAndZonesBackend.zones[region]]
    made = BaseBackend.default_vpc_endpoint_service_factory
    gateways = [made(region, zones, name, "Gateway", private_dns_names=False) for name in _GATEWAYS]
    names = sorted({*AWS_ENDPOINT_SERVICES, *COVERED_ENDPOINT_SERVICES} - {"dynamodb"})
    interfaces = [made(region, zones, name) for name in names]
    return [service for found in (*gateways, *interfaces) for service in found]
