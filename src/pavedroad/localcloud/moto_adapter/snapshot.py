# pyright: basic, reportGeneralTypeIssues=false
"""moto's backends as one object to pickle, and back."""

from __future__ import annotations

import moto
from moto.backends import get_backend
from moto.core.base_backend import BackendDict

VERSION: str = moto.__version__
Dump = dict[str, dict[str, dict[str, object]]]


def dump() -> Dump:
    """Service, account and region (or partition) to backend: live objects, to be pickled at once."""
    return {
        known.service_name: {account: dict(regions) for account, regions in known.items()}
        for known in BackendDict._instances
    }


def load(saved: Dump) -> None:
    """Put the backends in the place of those that there are."""
    for service, accounts in saved.items():
        known = get_backend(service)  # pyright: ignore[reportCallIssue, reportArgumentType]
        for account, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(known[account], region, backend)
