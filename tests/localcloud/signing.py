"""Clients of a cloud, and requests by hand, signed as SDKs sign theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import boto3
import httpx
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from pavedroad.clouds.signing import Signed
from pavedroad.core.cloud_key import CloudKey

ANYBODY = CloudKey("AKIAEXAMPLEEXAMPLE01", "any")
"""Of endpoints in a test's own process, which know it."""


def signed_headers(
    key: CloudKey,
    service: str,
    region: str,
    url: str,
    method: str,
    body: bytes | None,
    more: Mapping[str, str],
) -> dict[str, str]:
    """Those in `more` with them. A body of None comes in pieces, and is not signed."""
    known = Credentials(key.access_key_id, key.secret_access_key)
    asked = AWSRequest(method, url, headers=dict(more), data=body or b"")
    digest = "UNSIGNED-PAYLOAD" if body is None else hashlib.sha256(body).hexdigest()
    if body is None:
        asked.headers["X-Amz-Content-SHA256"] = digest
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    kind(known, service, region).add_auth(asked)
    return {name: str(value) for name, value in asked.headers.items()}


def by(key: CloudKey, service: str = "pavedroad", region: str = "us-east-1") -> httpx.Auth:
    return Signed(key, service, region)


def client_of(
    service: str,
    endpoint: str,
    key: CloudKey = ANYBODY,
    region: str = "us-east-1",
    config: Config | None = None,
) -> Any:
    return boto3.client(  # pyright: ignore[reportUnknownMemberType, reportCallIssue]
        service,  # pyright: ignore[reportArgumentType]
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=config,
    )
