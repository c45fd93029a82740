"""How the private cloud's instances are on the network."""

from __future__ import annotations

from typing import Literal

Mode = Literal["shared", "namespaces"]
"""All in the machine's network, or each in one of its own, where security groups hold."""

SAID: dict[Mode, str] = {
    "shared": "recorded only",
    "namespaces": "enforced",
}
"""What becomes of security groups."""

Listening = Literal["network", "address", "machine"]
"""Where a service of an instance listens that asks for every address: in a network of its instance's own, at
its instance's own address, or at all of the machine's, of which only one can."""

LISTENS: dict[Listening, str] = {
    "network": "at every address of their instances' own networks, as asked",
    "address": "at their instance's own address where they ask for every one (0.0.0.0)",
    "machine": "at $HOST only: who asks for every address (0.0.0.0) gets the machine's, and the next fails",
}
"""Of services, for people."""

OUTSIDE = "TCP and DNS, through a gate in a user namespace"
"""How instances with networks of their own reach the outside world, and this machine them, without root."""
