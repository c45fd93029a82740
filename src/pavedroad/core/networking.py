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

OUTSIDE = "TCP and DNS, through a gate in a user namespace"
"""How instances with networks of their own reach the outside world, and this machine them, without root."""
