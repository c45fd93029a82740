"""The endpoint's door in a test's own process: requests are signed by botocore, changed, and knocked with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Known

from pavedroad.localcloud.api.server import Endpoint
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.api.signatures.gate import AnyCredentials, Gate, SignedOnly
from pavedroad.localcloud.api.signatures.keys import Credentials, Keys

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
OWN = Known("AKIAEXAMPLEEXAMPLE01", "its secret")
SESSION = Known("ASIAEXAMPLEEXAMPLE02", "another secret", "a token")
ENDED = Known("ASIAEXAMPLEEXAMPLE03", "a third secret", "an old token")
SERVICES = ("s3", "ec2", "sts", "sqs", "acm", "autoscaling", "monitoring", "sns", "route53")
PORT = 4566
URL = f"http://127.0.0.1:{PORT}"
_PIECE = 64 * 1024
"""Of a body, as servers hand it on."""
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Certificates.ListCertificates"}


def keys(access_key_id: str) -> Credentials | None:
    ends = {SESSION.access_key: NOW + timedelta(hours=1), ENDED.access_key: NOW - timedelta(seconds=1)}
    known = {one.access_key: one for one in (OWN, SESSION, ENDED)}.get(access_key_id)
    if known is None:
        return None
    return Credentials(access_key_id, known.secret_key, known.token or "", ends.get(access_key_id))


@dataclass(frozen=True)
class Knock:
    """A request, as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    def but(self, **changed: Any) -> Knock:
        return replace(self, **changed)

    def saying(self, **headers: str | None) -> Knock:
        """With other headers; None takes one away."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in names}
        return replace(self, headers=kept | {name: it for name, it in names.items() if it is not None})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """AWS's, in XML or JSON; nothing where the door opened."""
        if self.status < 300:
            return ""
        if self.body.startswith(b"{"):
            said = json.loads(self.body)
            return said.get("__type") or said["code"]
        return next(it.text or "" for it in ElementTree.fromstring(self.body).iter() if it.tag == "Code")


@dataclass
class Heard:
    """A service that takes whatever reaches it."""

    name: str
    heard: list[ApiRequest] = field(default_factory=list[ApiRequest])

    def handle(self, request: ApiRequest) -> ApiResponse:
        self.heard.append(request)
        return ApiResponse(200)


class Pages:
    def answers(self, path: str) -> bool:
        return path.startswith("/_pavedroad/faults")

    def handle(self, request: ApiRequest) -> ApiResponse:
        return ApiResponse(200)


class Door:
    def __init__(self, gate: Gate | None = None, known: Keys = keys) -> None:
        self.services = {name: Heard(name) for name in SERVICES}
        self.gate = gate or SignedOnly(known, lambda: NOW)
        self.endpoint = self.with_services()

    def with_services(self) -> Endpoint:
        """As they are now."""
        return Endpoint(self.services.values(), lambda _: "1", dict, gate=self.gate, pages=Pages())

    def open(self) -> Door:
        return Door(AnyCredentials(lambda: NOW))

    def knock(self, knock: Knock) -> Answer:
        return asyncio.run(self._knock(knock))

    async def _knock(self, knock: Knock) -> Answer:
        split = urlsplit(knock.url)
        headers = {"host": split.netloc, "content-length": str(len(knock.body))} | dict(knock.headers)
        said: list[dict[str, Any]] = []
        coming = [knock.body[at : at + _PIECE] for at in range(0, len(knock.body), _PIECE)] or [b""]

        async def receive() -> dict[str, Any]:
            if not coming:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming)}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "method": knock.method,
            "server": ("127.0.0.1", PORT),
            "raw_path": (split.path or "/").encode(),
            "query_string": split.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items() if value],
        }
        await self.endpoint(scope, receive, send)
        given = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return Answer(said[0]["status"], given, b"".join(it.get("body", b"") for it in said[1:]))


class Signer:
    """botocore's signers, at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def header(
        self,
        service: str,
        body: bytes = b"",
        *,
        by: Known = OWN,
        at: datetime = NOW,
        method: str = "POST",
        url: str = f"{URL}/",
        region: str = "us-east-1",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Knock:
        self._at(at)
        asked = AWSRequest(method, url, headers=dict(headers), data=body)
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        kind(by, service, region).add_auth(asked)
        return _knock_of(asked, body)

    def address(
        self,
        service: str,
        *,
        by: Known = OWN,
        at: datetime = NOW,
        method: str = "GET",
        url: str = f"{URL}/",
        lasts: int = 60,
    ) -> Knock:
        self._at(at)
        asked = AWSRequest(method, url)
        kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        kind(by, service, "us-east-1", expires=lasts).add_auth(asked)
        return _knock_of(asked, b"")

    def _at(self, moment: datetime) -> None:
        self._patch.setattr(botocore.auth, "get_current_datetime", lambda: moment)


def _knock_of(asked: AWSRequest, body: bytes) -> Knock:
    headers = {name.lower(): str(value) for name, value in asked.headers.items()}
    return Knock(str(asked.method), str(asked.url), headers, body)
