# pyright: basic
"""What a launch may ask of AWS and not of a cloud whose machines are processes: refused, not forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.errors import ServiceError

_NOT_OFFERED = {
    "ElasticGpuSpecification": "elastic graphics",
    "ElasticInferenceAccelerators": "inference accelerators",
    "EnablePrimaryIpv6": "IPv6 addresses",
    "Ipv6AddressCount": "IPv6 addresses",
    "Ipv6Addresses": "IPv6 addresses",
    "KernelId": "kernels of their own",
    "LicenseSpecifications": "licenses",
    "RamdiskId": "RAM disks",
}
_CREDITS = ("standard", "unlimited")


def check_options(asked: Mapping[str, Any]) -> None:
    """`asked` by RunInstances' names. That one could hibernate is kept; it is refused when it should."""
    for name, what in _NOT_OFFERED.items():
        if asked.get(name):
            raise _unsupported(f"Instances of this cloud have no {what}: {name} cannot be used.")
    if (asked.get("EnclaveOptions") or {}).get("Enabled"):
        raise _unsupported("Instances of this cloud have no enclaves.")
    if (asked.get("InstanceMarketOptions") or {}).get("MarketType") == "capacity-block":
        raise _unsupported("This cloud has no Capacity Blocks.")
    if (asked.get("PrivateDnsNameOptions") or {}).get("HostnameType") == "resource-name":
        raise _unsupported("Instances of this cloud are named by their addresses.")
    if (asked.get("NetworkPerformanceOptions") or {}).get("BandwidthWeighting") not in (None, "default"):
        raise _unsupported("The network of this cloud has no weights.")
    reserved = asked.get("CapacityReservationSpecification") or {}
    if target := reserved.get("CapacityReservationTarget"):
        named = target.get("CapacityReservationId") or target.get("CapacityReservationResourceGroupArn")
        raise ServiceError(
            "InvalidCapacityReservationId.NotFound", f"The capacity reservation '{named}' does not exist"
        )
    credits_asked = (asked.get("CreditSpecification") or {}).get("CpuCredits")
    if credits_asked and credits_asked not in _CREDITS:
        raise ServiceError(
            "InvalidParameterValue", f"Value ({credits_asked}) for parameter cpuCredits is invalid."
        )


def not_hibernated(why: str) -> ServiceError:
    return ServiceError("UnsupportedHibernationConfiguration", why)


def _unsupported(why: str) -> ServiceError:
    return ServiceError("UnsupportedOperation", why)
