"""What strangers send is kept in little memory, and not without end; what is signed has room all the same."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import ExitStack
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import cast

import pytest

from pavedroad.localcloud.api.scope import Scope
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.api.signatures.gate import SignedOnly
from pavedroad.localcloud.api.signatures.message import Message
from pavedroad.localcloud.api.unproven import IN_MEMORY, Unproven
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.api.doors import FORM, NOW, OWN, URL, Door, Heard, Knock, Signer, keys


def test_there_is_room_again_when_a_body_is_gone() -> None:
    unproven = Unproven(at_once=10)
    with ExitStack() as there:
        there.enter_context(unproven.keeping())(6)
        keep = there.enter_context(unproven.keeping())
        keep(4)
        with pytest.raises(ServiceError) as refusal:
            keep(1)
        assert (refusal.value.code, refusal.value.status) == ("SlowDown", 503)
    with unproven.keeping() as keep:
        keep(10)


def test_bodies_of_strangers_have_an_end_together_and_those_that_are_signed_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pavedroad.localcloud.api.server.Unproven", lambda: Unproven(at_once=1000))
    door, sign = Door(), Signer(monkeypatch)
    more = b"x" * 1001
    upload = {"content-type": "multipart/form-data; boundary=x"}
    field = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n'
    for knock in (
        Knock("PUT", f"{URL}/bucket/key", {}, more),
        Knock("POST", f"{URL}/bucket", upload, field + more[len(field) :]),
        Knock("POST", f"{URL}/", FORM, more),
    ):
        assert door.knock(knock).code == "SlowDown"
        less = knock.but(body=knock.body[:1000])
        assert door.knock(less).code != "SlowDown"  # what was refused is forgotten
    for service in ("s3", "sts"):
        assert door.knock(sign.header(service, more, method="PUT", url=f"{URL}/bucket/key")).code == ""


@pytest.mark.parametrize("size", [IN_MEMORY, IN_MEMORY + 1])
def test_a_body_of_a_stranger_is_on_disk_soon(size: int) -> None:
    door = Door()
    rolled: list[object] = []
    handle = door.services["s3"].handle

    def look(request: ApiRequest) -> ApiResponse:
        rolled.append(vars(cast("SpooledTemporaryFile[bytes]", request.stream))["_rolled"])
        return handle(request)

    door.services["s3"].handle = look
    assert door.knock(Knock("PUT", f"{URL}/bucket/key", {}, b"x" * size)).code == ""
    assert rolled == [size > IN_MEMORY]


class Open(Heard):
    """S3, with a bucket that is open to all."""

    def check_anonymous(self, request: ApiRequest) -> None:
        if not request.path.startswith("/open/"):
            raise ServiceError("AccessDenied", "Access Denied", 403)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr("pavedroad.localcloud.api.server.Unproven", lambda: Unproven(at_once=1000))
    door = Door()
    door.services["s3"] = Open("s3")
    door.endpoint = door.with_services()
    return door


def test_who_may_write_without_a_key_sends_what_is_as_large_as_others_may(door: Door) -> None:
    assert door.knock(Knock("PUT", f"{URL}/open/key", {}, b"x" * 100_000)).code == ""
    assert door.services["s3"].heard[-1].length == 100_000
    assert door.knock(Knock("PUT", f"{URL}/closed/key", {}, b"x" * 100_000)).code == "AccessDenied"
    assert door.knock(Knock("PUT", f"{URL}/closed/key", {}, b"x")).code == "AccessDenied"
    assert len(door.services["s3"].heard) == 1


@pytest.mark.parametrize("headers", [{}, {"x-amz-decoded-content-length": str(5 * 2**30 + 1)}])
def test_more_than_s3_takes_is_refused_before_it_has_come(door: Door, headers: dict[str, str]) -> None:
    said = {"content-length": str(5 * 2**30 + 1)} | headers
    answer = door.knock(Knock("PUT", f"{URL}/open/key", said))
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert door.knock(Knock("PUT", f"{URL}/open/key", {"content-length": str(5 * 2**30)})).code == ""


def form(content: bytes, *, secret: str = OWN.secret_key) -> Knock:
    """One whose policy allows a file of up to 100,000 bytes."""
    ends = NOW + timedelta(minutes=5)
    said = {
        "expiration": ends.isoformat(),
        "conditions": [{"bucket": "bucket"}, {"key": "key"}, ["content-length-range", 5, 100_000]],
    }
    policy = base64.b64encode(json.dumps(said).encode())
    signature = base64.b64encode(hmac.new(secret.encode(), policy, hashlib.sha1).digest())
    fields = {
        "key": b"key",
        "awsaccesskeyid": OWN.access_key.encode(),
        "policy": policy,
        "signature": signature,
    }
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    file = b'--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%b\r\n' % content
    body = b"".join([*parts, file]) + b"--B--\r\n"
    return Knock("POST", f"{URL}/bucket", {"content-type": "multipart/form-data; boundary=B"}, body)


def test_a_form_that_has_said_who_sends_it_is_as_large_as_its_policy_allows(door: Door) -> None:
    assert door.knock(form(b"x" * 100_000)).code == ""
    assert door.knock(form(b"x" * 100_001)).code == "EntityTooLarge"
    assert door.knock(form(b"x")).code == "EntityTooSmall"
    assert door.knock(form(b"x" * (2 << 20))).code == "EntityTooLarge"
    assert door.knock(form(b"x" * 100_000, secret="of nobody")).code == "SignatureDoesNotMatch"
    assert len(door.services["s3"].heard) == 1


def test_the_fields_of_a_form_have_an_end_together() -> None:
    field = b'--B\r\nContent-Disposition: form-data; name="%d"\r\n\r\n' + b"x" * 60_000 + b"\r\n"
    body = b"".join(field % number for number in range(20))
    answer = Door().knock(form(b"").but(body=body))
    assert answer.code == "MaxPostPreDataLengthExceeded"


def test_a_form_that_says_itself_whose_it_is_has_an_end_of_its_own_and_one_that_is_signed_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door, sign = Door(), Signer(monkeypatch)
    form = b"Action=GetCallerIdentity&Version=2011-06-15&Much=".ljust(3 * 2**20 + 1, b"x")
    assert door.knock(Knock("POST", f"{URL}/", FORM, form[:-1])).code == "MissingAuthenticationToken"
    assert door.knock(Knock("POST", f"{URL}/", FORM, form)).code == "RequestEntityTooLarge"
    assert door.knock(sign.header("sts", form)).code == ""


def test_a_form_that_says_itself_whose_it_is_is_read_where_nobody_waits_for_it() -> None:
    class Looking(SignedOnly):
        def admit_form(self, message: Message, called: Scope, form: bytes) -> None:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            super().admit_form(message, called, form)

    door = Door(Looking(keys))
    assert door.knock(Knock("POST", f"{URL}/", FORM, b"Action=X")).code == "MissingAuthenticationToken"
