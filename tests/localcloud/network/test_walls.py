"""What security groups become for the kernel."""

from __future__ import annotations

import re
import subprocess

import pytest

from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.place import Place
from pavedroad.localcloud.host.network.walls import table
from pavedroad.localcloud.wanted import Permission, SecurityGroup

PLACE = Place(7, "127.23.0.1", 4566)
EVERYWHERE = ("0.0.0.0/0",)
ALL_OUT = (Permission("-1", cidrs=EVERYWHERE),)
A, B, C = "127.23.0.4", "127.23.0.5", "127.23.0.6"


def group(
    name: str, *ingress: Permission, egress: tuple[Permission, ...] = ALL_OUT, members: tuple[str, ...] = (A,)
) -> SecurityGroup:
    return SecurityGroup(name, ingress, egress, members)


def walls(
    *groups: SecurityGroup,
    guests: tuple[str, ...] = (A, B),
    balancers: tuple[str, ...] = (),
    troubles: dict[str, Trouble] | None = None,
) -> str:
    slots = {address: number for number, address in enumerate(guests, 1)}
    return table(
        PLACE, {it.id: it for it in groups}, slots, balancers, ["192.0.2.53"], troubles=troubles or {}
    )


def chain(text: str, name: str) -> list[str]:
    found = re.search(rf"^ chain {name} {{\n(.*?)^ }}$", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no chain {name}"
    return [line.strip() for line in found[1].splitlines()]


@pytest.mark.parametrize(
    ("permission", "rule"),
    [
        (Permission("tcp", 80, 80, EVERYWHERE), "meta nfproto ipv4 tcp dport 80 accept"),
        (Permission("tcp", 80, 90, ("10.0.0.0/8",)), "ip saddr 10.0.0.0/8 tcp dport 80-90 accept"),
        (Permission("tcp", 0, 65535, ("10.0.0.7/8",)), "ip saddr 10.0.0.0/8 meta l4proto tcp accept"),
        (Permission("17", 53, 53, ("10.1.2.3/32",)), "ip saddr 10.1.2.3/32 udp dport 53 accept"),
        (Permission("icmp", -1, -1, EVERYWHERE), "meta nfproto ipv4 meta l4proto icmp accept"),
        (Permission("icmp", 8, 0, EVERYWHERE), "meta nfproto ipv4 icmp type 8 icmp code 0 accept"),
        (Permission("icmp", 8, -1, EVERYWHERE), "meta nfproto ipv4 icmp type 8 accept"),
        (Permission("47", cidrs=EVERYWHERE), "meta nfproto ipv4 meta l4proto 47 accept"),
        (Permission("-1", cidrs=EVERYWHERE), "meta nfproto ipv4 accept"),
    ],
)
def test_a_permission_lets_in_exactly_that(permission: Permission, rule: str) -> None:
    assert chain(walls(group("sg-1", permission)), "g0_in") == [rule]


@pytest.mark.parametrize(
    "permission",
    [
        Permission("tcp", 80, 80, ("::/0",)),
        Permission("tcp", 80, 80, ("10.0.0.0/8; drop",)),
        Permission("icmpv6", -1, -1, EVERYWHERE),
        Permission("256", cidrs=EVERYWHERE),
        Permission("tcp", 80, 80, groups=("sg-gone",)),
        Permission("-1"),
    ],
)
def test_what_is_not_of_this_network_lets_in_nobody(permission: Permission) -> None:
    assert chain(walls(group("sg-1", permission)), "g0_in") == []


def test_a_group_that_a_rule_names_stands_for_all_its_members() -> None:
    text = walls(
        group("sg-db", Permission("tcp", 5432, 5432, groups=("sg-web",))),
        group("sg-web", members=(B, C)),
    )
    assert chain(text, "g0_in") == ["ip saddr @g1 tcp dport 5432 accept"]
    assert f"set g1 {{\n  type ipv4_addr;\n  elements = {{ {B}, {C} }}" in text


def test_instances_with_the_same_groups_share_their_chains() -> None:
    text = walls(group("sg-1", members=(A, B, C)), group("sg-2", members=(C,)), guests=(A, B, C))
    assert f"inbound {{ {A} : goto to_0, {B} : goto to_0, {C} : goto to_1 }}" in text
    assert chain(text, "to_1") == ["jump g0_in", "jump g1_in", "drop"]


def test_an_instance_of_no_known_group_is_left_out_and_so_reaches_nothing() -> None:
    text = walls(group("sg-1", members=(A,)))
    assert B not in text
    assert chain(text, "leaving")[-2:] == ["iifname . ip saddr vmap @outbound", "drop"]
    assert chain(text, "entering")[-2:] == ["ip daddr vmap @inbound", "drop"]


def test_what_leaves_must_be_let_in_where_it_arrives() -> None:
    text = walls(group("sg-1", egress=(Permission("tcp", 443, 443, EVERYWHERE),)))
    assert chain(text, "g0_out") == ["meta nfproto ipv4 tcp dport 443 goto arriving"]
    assert chain(text, "arriving")[0] == "ip daddr vmap @inbound"


def test_an_instance_may_use_its_own_addresses_alone() -> None:
    assert f'"pv7n1" . {A} : goto from_0, "pv7n1" . 100.71.0.1 : goto from_0' in walls(group("sg-1"))


def test_who_is_cut_off_has_its_metadata_alone() -> None:
    text = walls(group("sg-1"), troubles={A: Trouble(cut=True), "127.23.0.99": Trouble(cut=True)})
    spared = ["ip daddr 127.23.0.1 tcp dport 1338 return", "ip saddr 127.23.0.1 tcp sport 1338 return"]
    assert chain(text, "failing_1") == [*spared, "drop"]
    assert text.count("jump failing_") == 1, "nobody is at the other address"
    assert 'add element inet pavedroad_7 failing { "pv7n1" : jump failing_1 }' in text
    for name, sides in (("forwarded", "io"), ("received", "i"), ("sent", "o")):
        heads = chain(text, name)[1 : 1 + len(sides)]
        assert heads == [f"{side}ifname vmap @failing" for side in sides], "before what lets answers through"


def test_a_share_is_lost_each_way() -> None:
    text = walls(group("sg-1"), troubles={A: Trouble(loss=0.125), B: Trouble(delay_seconds=1)})
    assert chain(text, "failing_1")[-1] == "numgen random mod 1000000 < 125000 drop"
    assert "failing_2" not in text


def test_the_kernel_takes_it(namespaces: None) -> None:
    permissions = [
        Permission("tcp", 80, 90, (*EVERYWHERE, "10.0.0.0/8", "10.1.0.0/16")),
        Permission("udp", 53, 53, groups=("sg-1", "sg-2")),
        Permission("icmp", 8, 0, EVERYWHERE),
        Permission("50", cidrs=EVERYWHERE),
    ]
    many = tuple(f"127.23.{number >> 8}.{number & 255}" for number in range(4, 1004))
    text = walls(
        group("sg-1", *permissions, members=many),
        group("sg-2", members=(*many[:5], "127.23.9.9")),
        group("sg-3", members=()),
        guests=many,
        balancers=("127.23.9.9", "127.23.9.10"),
        troubles={many[0]: Trouble(cut=True), many[1]: Trouble(loss=0.5)},
    )
    checked = subprocess.run(
        ["nft", "-c", "-f", "-"],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        env={"PATH": commands.search_path()},
    )
    assert not checked.stderr
    assert checked.returncode == 0
