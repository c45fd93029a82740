"""The keys of the benchmarks' clouds, kept in the environment, where AWS clients look for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pavedroad.core import cloud_key
from pavedroad.core.cloud_key import CloudKey
from pavedroad.core.places import KEY_FILE
from tests.localcloud.signing import signed_headers


def use_key_of(home: Path) -> None:
    """Of the cloud in that folder, or that is to come there."""
    key = cloud_key.ensure(home / KEY_FILE)
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = (
        key.access_key_id,
        key.secret_access_key,
    )


def signed(service: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    key = CloudKey(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    return signed_headers(key, service, "us-east-1", url, "POST", body, headers)
