"""Who owns what, as S3 names accounts: by canonical ids."""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache(maxsize=256)
def canonical_id(account: str) -> str:
    """Of an account's number."""
    return hashlib.sha256(f"canonical user of {account}".encode()).hexdigest()


def owner(account: str) -> dict[str, str]:
    """As the API tells it."""
    return {"ID": canonical_id(account), "DisplayName": account}
