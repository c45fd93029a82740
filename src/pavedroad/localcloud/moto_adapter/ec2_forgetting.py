# pyright: basic, reportAttributeAccessIssue=false
"""What moto's EC2 would keep for ever: what has been deleted, its tags, and what volumes were before."""

from __future__ import annotations

from collections.abc import Iterator

_DELETED = {"deleted", "delete-complete", "rejected"}
_SHOWN = (
    *("carrier_gateways", "customer_gateways", "managed_prefix_lists", "nat_gateways", "transit_gateways"),
    *("transit_gateway_attachments", "transit_gateways_route_tables", "vpc_end_points", "vpc_pcxs"),
    *("vpn_connections", "vpn_gateways"),
)
"""They can be described for a few minutes after they have been deleted."""
HOLDERS = {
    "acl": "network_acls",
    "ami": "amis",
    "cagw": "carrier_gateways",
    "cgw": "customer_gateways",
    "dopt": "dhcp_options_sets",
    "eigw": "egress_only_internet_gateways",
    "eipalloc": "addresses",
    "eni": "enis",
    "fl": "flow_logs",
    "igw": "internet_gateways",
    "key": "key_pairs",
    "lt": "launch_templates",
    "nat": "nat_gateways",
    "pcx": "vpc_pcxs",
    "pl": "managed_prefix_lists",
    "rtb": "route_tables",
    "sg": "groups",
    "snap": "snapshots",
    "subnet": "subnets",
    "tgw": "transit_gateways",
    "tgw-attach": "transit_gateway_attachments",
    "tgw-rtb": "transit_gateways_route_tables",
    "vgw": "vpn_gateways",
    "vol": "volumes",
    "vpc": "vpcs",
    "vpce": "vpc_end_points",
    "vpn": "vpn_connections",
}
"""Where what is tagged is, by the beginning of its id. Tags of other kinds, as of instances, go with them."""


def forget_deleted(backend) -> None:
    for name in _SHOWN:
        things = getattr(backend, name)
        for known in [known for known, it in things.items() if _state_of(it) in _DELETED]:
            del things[known]
    tables, gateways = backend.transit_gateways_route_tables, backend.transit_gateways
    for known in [known for known, it in tables.items() if it.transit_gateway_id not in gateways]:
        del tables[known]
    for volume in backend.volumes.values():
        del volume.modifications[:-1]  # AWS tells of the last
    order, templates = backend.launch_template_insert_order, backend.launch_templates
    order[:] = [known for known in order if known in templates]
    there: dict[str, set[str]] = {}
    for tagged in list(backend.tags):
        kind = tagged.rpartition("-")[0]
        if kind in HOLDERS:
            if kind not in there:
                there[kind] = set(ids_of(getattr(backend, HOLDERS[kind])))
            if tagged not in there[kind]:
                del backend.tags[tagged]


def ids_of(things) -> Iterator[str]:
    """Subnets are by zones, security groups by networks, key pairs by names, and addresses in a list."""
    for it in things.values() if isinstance(things, dict) else things:
        if isinstance(it, dict):
            yield from ids_of(it)
        else:
            yield getattr(it, "allocation_id", None) or it.id


def _state_of(thing) -> str:
    """A peering connection's is an object."""
    state = getattr(thing, "state", None) or getattr(thing, "_status", "")
    return getattr(state, "code", state)
