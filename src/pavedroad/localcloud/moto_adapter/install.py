# pyright: basic
"""Everything that is changed in moto, in one call before the first backend is made."""

from __future__ import annotations

from moto.iam.models import get_account_id_from

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_facts
from pavedroad.localcloud.moto_adapter.s3_objects import StoredContents


def install(store: BlobStore) -> StoredContents:
    ec2_backend.install()
    ec2_facts.install()
    contents = StoredContents(store)
    contents.install()
    return contents


def account_of(access_key: str) -> str:
    """Whose key it is: a role's that was assumed, or else everybody's."""
    return get_account_id_from(access_key)
