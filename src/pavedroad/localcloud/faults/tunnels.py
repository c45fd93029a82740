"""Tunnels make all late that an instance with a network of its own sends. A machine may refuse them."""

from __future__ import annotations

import os

DEVICE = "/dev/net/tun"


def tunnels_possible() -> bool:
    """Whether this user may have tunnels here."""
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True
