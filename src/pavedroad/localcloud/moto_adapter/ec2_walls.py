# pyright: basic
"""Security groups with their rules and members, from moto's EC2 backends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_places
from pavedroad.localcloud.wanted import Permission, SecurityGroup


def security_groups() -> Iterator[SecurityGroup]:
    """Of all accounts and regions; looks with the state lock held. Load balancers' addresses are left out:
    who has those knows their groups."""
    for backend in ec2_backend.backends():
        members = _members(backend)
        for groups in backend.groups.values():
            for group in groups.values():
                yield SecurityGroup(
                    group.id,
                    _permissions(backend, group, group.ingress_rules),
                    _permissions(backend, group, group.egress_rules),
                    tuple(sorted(members.get(group.id, ()))),
                )


def _members(backend: ec2_backend.LocalEC2Backend) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in backend.by_id.values():
        if not one.life.is_over:
            for group in one.security_groups:
                found.setdefault(group.id, set()).add(one.private_dns_name)
    return found


def _permissions(backend: ec2_backend.LocalEC2Backend, group, rules: Iterable) -> tuple[Permission, ...]:
    return tuple(_permission(backend, group, rule) for rule in rules)


def _permission(backend: ec2_backend.LocalEC2Backend, group, rule) -> Permission:
    cidrs = [rule.cidr_ipv4] if rule.cidr_ipv4 else []
    if rule.prefix_list_id:
        prefixes = backend.managed_prefix_lists.get(rule.prefix_list_id)
        entries = prefixes.entries.get(prefixes.version or 1, []) if prefixes else []
        cidrs += [entry["Cidr"] for entry in entries or []]
    cidrs += [real for cidr in cidrs for real in ec2_places.within(backend, group.vpc_id, cidr)]
    source = (rule.source_group or {}).get("GroupId")
    return Permission(
        str(rule.ip_protocol),
        -1 if rule.from_port is None else int(rule.from_port),
        -1 if rule.to_port is None else int(rule.to_port),
        tuple(cidrs),
        (source,) if source else (),
    )
