"""What strangers send is kept in little memory, and not without end; what is signed has room all the same."""

from __future__ import annotations

from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import cast

import pytest

from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.api.unproven import IN_MEMORY, Unproven
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.api.doors import FORM, URL, Door, Knock, Signer


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
    for knock in (
        Knock("PUT", f"{URL}/bucket/key", {}, more),
        Knock("POST", f"{URL}/bucket", upload, more),
        Knock("POST", f"{URL}/", FORM, more),
    ):
        assert door.knock(knock).code == "SlowDown"
        assert door.knock(knock.but(body=b"x" * 1000)).code != "SlowDown"  # what was refused is forgotten
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
