# pyright: basic, reportGeneralTypeIssues=false
"""moto's backends as one object to pickle, and back."""

from __future__ import annotations

import moto
from moto.backends import get_backend
from moto.core.base_backend import BackendDict

VERSION: str = moto.__version__
Dump = dict[str, dict[str, dict[str, object]]]

_KEPT = {"acm", "ec2", "iam", "route53", "s3", "s3control", "sns", "sqs", "sts"}
"""What callers can have something in. moto makes others in passing (Lambda's, for a bucket that would notify
a function; KMS's, for a volume that is encrypted), and not all of those can be pickled."""


def dump() -> Dump:
    """Service, account and region (or partition) to backend: live objects, to be pickled at once."""
    return {
        known.service_name: {account: dict(regions) for account, regions in known.items()}
        for known in BackendDict._instances
        if known.service_name in _KEPT
    }


def load(saved: Dump) -> None:
    """Put the backends in the place of those that there are."""
    for service, accounts in saved.items():
        known = get_backend(service)  # pyright: ignore[reportCallIssue, reportArgumentType]
        for account, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(known[account], region, backend)
                if service == "s3":
                    _know_owners(known, account, region, backend)


def _know_owners(known, account: str, partition: str, backend) -> None:
    """moto looks up who has a bucket's name beside the backends, and would make the bucket again, empty."""
    for name in backend.buckets:
        known.bucket_accounts[name] = (partition, account)
