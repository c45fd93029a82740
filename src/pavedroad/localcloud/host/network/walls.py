"""Security groups as one table of nftables: who may open a connection to whom. All else is dropped."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.network import failing
from pavedroad.localcloud.host.network.place import METADATA_PORT, Place
from pavedroad.localcloud.wanted import Permission, SecurityGroup

_PORTED = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_ICMP = ("icmp", "1")
_ALL_PORTS = ((-1, -1), (0, 65535))
_LARGEST_PROTOCOL = 255


def table(
    place: Place,
    groups: Mapping[str, SecurityGroup],
    guests: Mapping[str, int],
    balancers: Iterable[str],
    resolvers: Iterable[str],
    *,
    troubles: Mapping[str, Trouble],
) -> str:
    """For `nft -f`, which replaces the whole table at once. `guests` are slots by address, and `troubles` are
    of those whose network is made to fail.

    Instances with the same groups share a pair of chains. What may leave goes on to `arriving`, which asks
    the groups of whoever it is for.
    """
    combinations = _combinations(groups, guests)
    used = {group_id for combination in combinations.values() for group_id in combination}
    names = {group_id: f"g{number}" for number, group_id in enumerate(sorted(groups))}
    numbers = {combination: number for number, combination in enumerate(sorted(set(combinations.values())))}
    named = {
        it
        for group_id in used
        for rule in (*groups[group_id].ingress, *groups[group_id].egress)
        for it in rule.groups
    }
    inbound = [f"{it} : goto to_{numbers[combinations[it]]}" for it in sorted(combinations)]
    outbound = [
        f'"{place.link(guests[it])}" . {source} : goto from_{numbers[combinations[it]]}'
        for it in sorted(combinations)
        for source in (it, place.outside(guests[it]))
    ]
    parts = [
        f"add table inet {place.table}",
        f"delete table inet {place.table}",
        f"table inet {place.table} {{",
    ]
    for group_id in sorted(named & groups.keys()):
        parts += _collection("set", names[group_id], "ipv4_addr", sorted(set(groups[group_id].members)))
    parts += _collection("set", "balancers", "ipv4_addr", sorted(set(balancers)))
    parts += _collection("set", "resolvers", "ipv4_addr", sorted(set(resolvers)))
    parts += _collection("map", "inbound", "ipv4_addr : verdict", inbound, late=True)
    parts += _collection("map", "outbound", "ifname . ipv4_addr : verdict", outbound, late=True)
    for group_id in sorted(used):
        group, name = groups[group_id], names[group_id]
        parts += _chain(f"{name}_in", _lets(group.ingress, "saddr", names, named, "accept"))
        parts += _chain(f"{name}_out", _lets(group.egress, "daddr", names, named, "goto arriving"))
    for combination, number in numbers.items():
        parts += _chain(f"to_{number}", [*(f"jump {names[it]}_in" for it in combination), "drop"])
        parts += _chain(f"from_{number}", [*(f"jump {names[it]}_out" for it in combination), "drop"])
    losing, failures = failing.chains(place, guests, troubles)
    parts += _collection("map", "failing", "ifname : verdict", failures, late=True)
    for name, rules in losing.items():
        parts += _chain(name, rules)
    parts += _fixed(place)
    # Elements that name chains come after these.
    parts.append("}")
    parts += _elements(place, "failing", failures)
    parts += _elements(place, "inbound", inbound)
    parts += _elements(place, "outbound", outbound)
    return "\n".join(parts) + "\n"


def _combinations(
    groups: Mapping[str, SecurityGroup], guests: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """Each guest's groups; those that no group has yet are left out, and nothing gets through to them."""
    found: dict[str, list[str]] = {}
    for group_id in sorted(groups):
        for address in dict.fromkeys(groups[group_id].members):
            if address in guests:
                found.setdefault(address, []).append(group_id)
    return {address: tuple(ids) for address, ids in found.items()}


def _fixed(place: Place) -> Iterator[str]:
    links = f'"{place.prefix}*"'
    yield from _chain(
        "arriving",
        [
            "ip daddr vmap @inbound",
            f"ip daddr {place.gateway} tcp dport {place.port} accept",
            "ip daddr @balancers accept",
            "fib daddr type local drop",
            "ip daddr 127.0.0.0/8 drop",
            f"ip daddr {place.outside_network} drop",
            "accept",
        ],
    )
    yield from _chain(
        "leaving",
        [
            "ct state established,related accept",
            # As on AWS, no group keeps an instance from its metadata and its resolver.
            f"ip daddr {place.gateway} tcp dport {METADATA_PORT} accept",
            "ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept",
            "iifname . ip saddr vmap @outbound",
            "drop",
        ],
    )
    yield from _chain("entering", ["ct state established,related accept", "ip daddr vmap @inbound", "drop"])
    leave, enter = f"iifname {links} goto leaving", f"oifname {links} goto entering"
    for name, hook, rules in (
        ("forwarded", "forward", [leave, enter]),
        ("received", "input", [leave]),
        ("sent", "output", [enter]),
    ):
        head = f"type filter hook {hook} priority filter; policy accept;"
        yield from _chain(name, [head, *failing.HOOKS[hook], *rules])
    metadata = f"ip daddr 169.254.169.254 tcp dport 80 dnat ip to {place.gateway}:{METADATA_PORT}"
    yield from _chain(
        "redirected",
        ["type nat hook prerouting priority dstnat; policy accept;", f"iifname {links} {metadata}"],
    )
    yield from _chain(
        "translated",
        [
            "type nat hook postrouting priority srcnat; policy accept;",
            f"ip saddr {place.outside_network} oifname != {links} masquerade",
        ],
    )


def _lets(
    permissions: Iterable[Permission],
    side: str,
    names: Mapping[str, str],
    known: set[str],
    verdict: str,
) -> list[str]:
    """The rules that end in the verdict for what is permitted."""
    rules: dict[str, None] = {}
    for permission in permissions:
        what = _what(permission)
        if what is None:
            continue
        whom = [it for cidr in permission.cidrs if (it := _network(cidr, side)) is not None]
        whom += [f"ip {side} @{names[it]}" for it in permission.groups if it in names and it in known]
        for one in whom:
            rules[" ".join(part for part in (one, what, verdict) if part)] = None
    return list(rules)


def _network(cidr: str, side: str) -> str | None:
    """Empty for every address; None for what is no network of IPv4."""
    with suppress(ValueError):
        network = ipaddress.IPv4Network(cidr, strict=False)
        return f"ip {side} {network}" if network.prefixlen else "meta nfproto ipv4"
    return None


def _what(permission: Permission) -> str | None:
    """The protocol and its ports; None for what does not exist here."""
    protocol, first, last = permission.protocol.lower(), permission.first, permission.last
    if protocol == "-1":
        return ""
    if ported := _PORTED.get(protocol):
        if (first, last) in _ALL_PORTS:
            return f"meta l4proto {ported}"
        return f"{ported} dport {first}" if first == last else f"{ported} dport {first}-{last}"
    if protocol in _ICMP:
        if first == -1:
            return "meta l4proto icmp"
        return f"icmp type {first}" + ("" if last == -1 else f" icmp code {last}")
    if protocol.isascii() and protocol.isdigit() and int(protocol) <= _LARGEST_PROTOCOL:
        return f"meta l4proto {int(protocol)}"
    return None


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f" chain {name} {{", *(f"  {rule}" for rule in rules), " }"]


def _collection(kind: str, name: str, of: str, elements: list[str], *, late: bool = False) -> list[str]:
    lines = [f" {kind} {name} {{", f"  type {of};"]
    if elements and not late:
        lines.append(f"  elements = {{ {', '.join(elements)} }}")
    return [*lines, " }"]


def _elements(place: Place, name: str, elements: list[str]) -> list[str]:
    if not elements:
        return []
    return [f"add element inet {place.table} {name} {{ {', '.join(elements)} }}"]
