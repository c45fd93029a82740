# pyright: basic, reportAttributeAccessIssue=false
"""What must be so before security groups are made and deleted, and rules are added to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.ec2.models.security_groups import SecurityGroup

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_held import refuse_held
from pavedroad.localcloud.moto_adapter.ec2_missing import missing

Asked = dict[str, Any]

_PORTED = {"tcp", "udp", "6", "17"}
_FROM = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"))


def create(backend: LocalEC2Backend, asked: Asked) -> None:
    name = str(asked["GroupName"])
    if name == "default" or name.startswith("sg-"):
        raise ServiceError("InvalidParameterValue", f"Cannot use reserved security group name: {name}")


def delete(backend: LocalEC2Backend, asked: Asked) -> None:
    group = _group(backend, asked)
    if group.is_default:
        raise ServiceError(
            "CannotDelete",
            f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user',
        )
    refuse_held(backend, group.id)


def authorize(backend: LocalEC2Backend, asked: Asked) -> None:
    """Ranges that are ranges, groups and lists that there are, and no rule twice: moto looks at one rule
    after the other."""
    _group(backend, asked)
    seen: set[tuple[Any, ...]] = set()
    for permission in _permissions(asked):
        _check_ports(permission)
        for source in _sources(backend, permission):
            rule = (
                str(permission.get("IpProtocol")).lower(),
                permission.get("FromPort"),
                permission.get("ToPort"),
                source,
            )
            if rule in seen:
                raise ServiceError(
                    "InvalidParameterValue", "The same permission must not appear multiple times"
                )
            seen.add(rule)


def _permissions(asked: Asked) -> list[Asked]:
    """Older clients say the one rule beside the group, without a list."""
    if listed := asked.get("IpPermissions"):
        return listed
    if "CidrIp" not in asked:
        return []
    return [{**asked, "IpRanges": [{"CidrIp": asked["CidrIp"]}]}]


def _sources(backend: LocalEC2Backend, permission: Asked) -> Iterator[tuple[str, Any]]:
    for many, one in _FROM:
        for it in permission.get(many) or ():
            if many == "PrefixListIds" and it.get(one) not in backend.managed_prefix_lists:
                raise ServiceError(
                    "InvalidPrefixListID.NotFound", f"The prefix list ID '{it.get(one)}' does not exist"
                )
            yield one, it.get(one)
    for pair in permission.get("UserIdGroupPairs") or ():
        foreign = pair.get("UserId") not in (None, backend.account_id) or pair.get("VpcPeeringConnectionId")
        group_id = pair.get("GroupId")
        if group_id and not foreign and backend.get_security_group_from_id(group_id) is None:
            raise missing(group_id)
        yield "GroupId", group_id or pair.get("GroupName")


def _check_ports(permission: Asked) -> None:
    protocol = str(permission.get("IpProtocol") or "").lower()
    if not protocol:
        raise ServiceError(
            "InvalidParameterValue",
            "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
        )
    if protocol not in _PORTED:
        return
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if first is None or last is None:
        raise ServiceError(
            "InvalidParameterValue",
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
        )
    for port in (int(first), int(last)):
        if not -1 <= port <= 65535:
            raise ServiceError("InvalidParameterValue", f"Invalid value '{port}' for port: 0 to 65535.")
    if int(first) > int(last):
        raise ServiceError(
            "InvalidParameterValue", f"Invalid TCP/UDP port range ({first} to {last}): it goes backwards."
        )


def _group(backend: LocalEC2Backend, asked: Asked) -> SecurityGroup:
    if group_id := asked.get("GroupId"):
        if (found := backend.get_security_group_from_id(group_id)) is None:
            raise missing(group_id)
        return found
    name = asked.get("GroupName")
    if not name:
        raise ServiceError("MissingParameter", "The request must contain the parameter groupName or groupId")
    default = backend.get_default_vpc()
    found = backend.get_security_group_by_name_or_id(name, default.id if default else None)
    if found is None:
        raise ServiceError(
            "InvalidGroup.NotFound",
            f"The security group '{name}' does not exist in default VPC '{default.id if default else ''}'",
        )
    return found


CHECKS = {
    "AuthorizeSecurityGroupEgress": authorize,
    "AuthorizeSecurityGroupIngress": authorize,
    "CreateSecurityGroup": create,
    "DeleteSecurityGroup": delete,
}
