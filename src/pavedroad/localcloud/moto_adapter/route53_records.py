# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""Route 53's records and networks by what there is: moto asks its list of changes, which does not know what
was deleted since, and associates a network as often as it is asked to."""

from __future__ import annotations

from moto.route53.exceptions import ResourceRecordAlreadyExists
from moto.route53.models import Route53Backend
from moto.route53.responses import Route53

from pavedroad.localcloud.errors import ServiceError

_moto_change = Route53Backend.change_resource_record_sets
_moto_associate = Route53Backend.associate_vpc_with_hosted_zone
_moto_create = Route53.create_hosted_zone


def install() -> None:
    Route53Backend.change_resource_record_sets = _change
    Route53Backend.associate_vpc_with_hosted_zone = _associate
    Route53.create_hosted_zone = _create


def _change(backend: Route53Backend, zoneid: str, change_list: list[dict]) -> None:
    zone = backend.get_hosted_zone(zoneid)
    there = {_key(it.name, it.type, it.set_identifier) for it in zone.rrsets}
    made = set()
    for change in change_list:
        name = _changed(change)
        if change["Action"] == "DELETE":
            there.discard(name)
            continue
        if change["Action"] == "CREATE":
            if name in there:
                raise ResourceRecordAlreadyExists(name=f"{name[0]}.", _type=name[1])
            made.add(name)
        there.add(name)
    made -= {_changed(it) for it in change_list if it["Action"] == "DELETE"}
    # moto would take what was made, and deleted before this, for what is there.
    zone.rr_changes[:] = [it for it in zone.rr_changes if _changed(it) not in made]
    _moto_change(backend, zoneid, change_list)


def _create(call: Route53):
    """A zone that is given a network is private, whether or not it is called so."""
    if call._get_param("VPC.VPCId"):
        call.params["HostedZoneConfig"] = {**(call._get_param("HostedZoneConfig") or {}), "PrivateZone": True}
    return _moto_create(call)


def _associate(backend: Route53Backend, zone_id: str, vpcid: str, vpcregion: str):
    zone = backend.get_hosted_zone(zone_id)
    if any(it.get("vpc_id") == vpcid for it in zone.vpcs):
        raise ServiceError(
            "ConflictingDomainExists",
            f"The VPC {vpcid} in region {vpcregion} has already been associated with the hosted zone "
            f"{zone_id} with the same domain name.",
        )
    return _moto_associate(backend, zone_id, vpcid, vpcregion)


def _changed(change: dict) -> tuple[str, str, str | None]:
    records = change["ResourceRecordSet"]
    return _key(records["Name"], records["Type"], records.get("SetIdentifier"))


def _key(name: str, kind: str, identifier: str | None) -> tuple[str, str, str | None]:
    return name.strip(".").lower(), kind, identifier or None
