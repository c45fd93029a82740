# pyright: basic
"""Everything that is changed in moto, in one call before the first backend is made."""

from __future__ import annotations

from moto.iam.models import get_account_id_from

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.s3_objects import StoredContents


def install(store: BlobStore, block: Block) -> StoredContents:
    ec2_backend.install(block)
    contents = StoredContents(store)
    contents.install()
    return contents


def account_of(access_key: str) -> str:
    """Whose key it is: a role's that was assumed, or else everybody's."""
    return get_account_id_from(access_key)
