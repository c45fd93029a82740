"""Requests of httpx, signed as AWS has it (Signature Version 4)."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pavedroad.core.cloud_key import CloudKey

SERVICE, REGION = "pavedroad", "us-east-1"
"""What is the private cloud's own is no service of AWS, and in no region of it."""


class Signed(httpx.Auth):
    """By a key. Of the headers only those are covered that say what the body is."""

    requires_request_body = True

    def __init__(self, key: CloudKey, service: str = SERVICE, region: str = REGION) -> None:
        self._signer = SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), service, region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        covered = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
        asked = AWSRequest(request.method, str(request.url), headers=covered, data=request.content)
        self._signer.add_auth(asked)
        request.headers.update({name: str(value) for name, value in asked.headers.items()})
        yield request
