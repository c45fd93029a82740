# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""Rules of security groups: each of one source with its description, the same as another by what it allows,
and changed whole. moto knows descriptions of address ranges alone, and changes those alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.ec2.exceptions import (
    InvalidCIDRSubnetError,
    InvalidPermissionDuplicateError,
    InvalidSecurityGroupNotFoundError,
    InvalidSecurityGroupRuleIdNotFoundError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import GroupedSecurityRuleView, SecurityGroup, SecurityGroupRule
from moto.ec2.utils import is_valid_cidr, is_valid_ipv6_cidr

from pavedroad.localcloud.errors import ServiceError

_ANY = "-1"
_PORTED = {"tcp", "udp", "icmp"}
_SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")
_CHANGED = ("ip_protocol", "from_port", "to_port", "ip_range", "source_group", "prefix_list_id", "of_list")

_moto_init = SecurityGroupRule.__init__
_moto_describe = EC2Backend._sg_update_description


def install() -> None:
    SecurityGroupRule.of_list = None
    """What is said of the prefix list that a rule lets in."""
    SecurityGroupRule.__init__ = _init
    SecurityGroupRule.__eq__ = _same
    SecurityGroupRule.description = property(_description)
    SecurityGroup._flattened_rules = _grouped
    EC2Backend._sg_update_description = _describe
    EC2Backend.modify_security_group_rules = _modify


def _init(  # noqa: PLR0917 - moto calls it so
    rule, backend, ip_protocol, group_id, from_port, to_port, ip_range, source_group=None, prefix=None, **more
) -> None:
    _moto_init(
        rule, backend, ip_protocol, group_id, from_port, to_port, ip_range, source_group, prefix, **more
    )
    if prefix and prefix.get("Description"):
        rule.of_list = prefix["Description"]


def _description(rule: SecurityGroupRule) -> str | None:
    return rule.ip_range.get("Description") or rule.source_group.get("Description") or rule.of_list


def _allows(rule: SecurityGroupRule) -> tuple[Any, ...]:
    ports = () if rule.ip_protocol == _ANY else (rule.from_port, rule.to_port)
    ranges = tuple(rule.ip_range.get(name) for name in ("CidrIp", "CidrIpv6"))
    group = tuple(rule.source_group.get(name) for name in ("GroupId", "UserId"))
    return (rule.ip_protocol, *ports, *ranges, *group, rule.prefix_list_id)


def _same(rule: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    return _allows(rule) == _allows(other)


def _grouped(_: SecurityGroup, rules: Iterable[SecurityGroupRule]) -> list[GroupedSecurityRuleView]:
    """As DescribeSecurityGroups has them: those of the same protocol and ports together."""
    views: dict[tuple[Any, ...], GroupedSecurityRuleView] = {}
    for rule in rules:
        key = (rule.from_port, rule.to_port, rule.ip_protocol)
        view = views.setdefault(key, GroupedSecurityRuleView(*key))
        if rule.ip_range:
            view.all_ip_ranges.append(rule.ip_range)
        if rule.source_group:
            view.source_groups.append(rule.source_group)
        if rule.prefix_list_id:
            said = {"Description": rule.of_list} if rule.of_list else {}
            view.prefix_list_ids.append({"PrefixListId": rule.prefix_list_id, **said})
    return list(views.values())


def _describe(backend: EC2Backend, asked: SecurityGroupRule, rule: SecurityGroupRule) -> None:
    _moto_describe(backend, asked, rule)
    if asked.prefix_list_id:
        rule.of_list = asked.of_list


def _modify(backend: EC2Backend, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
    """All of them or none."""
    group = backend.get_security_group_by_name_or_id(group_id)
    if group is None:
        raise InvalidSecurityGroupNotFoundError(group_id)
    after: list[tuple[SecurityGroupRule, SecurityGroupRule]] = []
    for rule_id, asked in rules.items():
        rule = group.get_rule(rule_id)
        if rule is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        after.append((rule, _changed(backend, rule, asked)))
    _refuse_twins(group, after)
    for rule, changed in after:
        for name in _CHANGED:
            setattr(rule, name, getattr(changed, name))


def _changed(backend: EC2Backend, rule: SecurityGroupRule, asked: dict[str, Any]) -> SecurityGroupRule:
    source = _source(backend, rule, asked)
    protocol = asked.get("IpProtocol")
    if protocol is None:
        raise ServiceError(
            "InvalidParameterValue",
            "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
        )
    first, last = asked.get("FromPort"), asked.get("ToPort")
    if None in (first, last):
        if str(protocol).lower() in _PORTED:
            raise ServiceError(
                "InvalidParameterValue",
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
            )
        first = last = _ANY
    said = {"Description": asked["Description"]} if asked.get("Description") else {}
    return SecurityGroupRule(
        backend,
        protocol,
        rule.group_id,
        first,
        last,
        {**source, **said} if source.keys() & {"CidrIp", "CidrIpv6"} else None,
        {**source, **said} if "GroupId" in source else None,
        {**source, **said} if "PrefixListId" in source else None,
        is_egress=rule.is_egress,
    )


def _source(backend: EC2Backend, rule: SecurityGroupRule, asked: dict[str, Any]) -> dict[str, str]:
    named = [name for name in _SOURCES if asked.get(name) is not None]
    if len(named) > 1:
        raise ServiceError(
            "InvalidParameterCombination",
            "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified",
        )
    if not named:
        raise ServiceError(
            "MissingParameter",
            "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId",
        )
    kind, value = named[0], str(asked[named[0]])
    there = {
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupId": rule.source_group,
    }
    if not there[kind]:
        raise ServiceError(
            "InvalidParameterValue",
            f"Invalid rule type for security group rule '{rule.id}'. You may not specify {kind} for an "
            f"existing {'IPv4 CIDR ' if rule.cidr_ipv4 else ''}rule of another type.",
        )
    if kind == "CidrIpv4":
        if not is_valid_cidr(value):
            raise InvalidCIDRSubnetError(cidr=value)
        return {"CidrIp": value}
    if kind == "CidrIpv6":
        if not is_valid_ipv6_cidr(value):
            raise InvalidCIDRSubnetError(cidr=value)
        return {"CidrIpv6": value}
    if kind == "PrefixListId":
        if value not in backend.managed_prefix_lists:
            raise ServiceError("InvalidPrefixListID.NotFound", f"The prefix list ID '{value}' does not exist")
        return {"PrefixListId": value}
    if backend.get_security_group_from_id(value) is None:
        raise InvalidSecurityGroupNotFoundError(value)
    return {"GroupId": value, "UserId": backend.account_id, "OwnerId": backend.account_id}


def _refuse_twins(group: SecurityGroup, after: list[tuple[SecurityGroupRule, SecurityGroupRule]]) -> None:
    changed = {rule.id: made for rule, made in after}
    for rules in (group.ingress_rules, group.egress_rules):
        allowed = [_allows(changed.get(rule.id, rule)) for rule in rules]
        if len(set(allowed)) < len(allowed):
            raise InvalidPermissionDuplicateError
