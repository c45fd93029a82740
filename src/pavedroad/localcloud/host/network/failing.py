"""What is lost on the way to and from instances whose network is made to fail, for the table of walls."""

from __future__ import annotations

from collections.abc import Mapping

from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.network.place import METADATA_PORT, Place

HOOKS = {
    "forward": ("iifname vmap @failing", "oifname vmap @failing"),
    "input": ("iifname vmap @failing",),
    "output": ("oifname vmap @failing",),
}
"""What comes first there: also of connections that are open."""
_SHARES = 1_000_000


def chains(
    place: Place, guests: Mapping[str, int], troubles: Mapping[str, Trouble]
) -> tuple[dict[str, list[str]], list[str]]:
    """Chains by name, and the elements of the map `failing`: a chain an instance, by its link. As on AWS,
    what goes to and from its metadata service is no network's."""
    metadata = [
        f"ip daddr {place.gateway} tcp dport {METADATA_PORT} return",
        f"ip saddr {place.gateway} tcp sport {METADATA_PORT} return",
    ]
    found: dict[str, list[str]] = {}
    elements: list[str] = []
    for address, trouble in sorted(troubles.items()):
        slot = guests.get(address)
        if slot is None or not (trouble.cut or trouble.loss):
            continue
        lost = (
            "drop" if trouble.cut else f"numgen random mod {_SHARES} < {round(trouble.loss * _SHARES)} drop"
        )
        found[f"failing_{slot}"] = [*metadata, lost]
        elements.append(f'"{place.link(slot)}" : jump failing_{slot}')
    return found, elements
