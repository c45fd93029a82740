"""`paved up --tour`."""

from __future__ import annotations

from pavedroad.cli.client import Client
from pavedroad.core.places import Places


def take(client: Client, places: Places) -> None:
    """Placeholder until the deploy command is there."""
