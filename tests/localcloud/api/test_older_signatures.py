"""What older signatures do not cover is not heeded; forms that sign themselves are read in little memory."""

from __future__ import annotations

import base64
import hmac
from io import BytesIO
from urllib.parse import quote, urlencode

import pytest

from pavedroad.localcloud.api.signatures.forms import form_of
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.api.doors import FORM, NOW, OWN, URL, Door, Knock


def older(*, in_form: bool) -> Knock:
    """By version 2 of the query protocol."""
    said = {
        "Action": "DescribeVpcs",
        "Version": "2016-11-15",
        "AWSAccessKeyId": OWN.access_key,
        "SignatureVersion": "2",
        "SignatureMethod": "HmacSHA256",
        "Timestamp": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
    }
    method = "POST" if in_form else "GET"
    signed = urlencode(sorted(said.items()), quote_via=quote, safe="-_.~")
    text = f"{method}\n127.0.0.1:4566\n/\n{signed}"
    digest = hmac.digest(OWN.secret_key.encode(), text.encode(), "sha256")
    whole = f"{signed}&{urlencode({'Signature': base64.b64encode(digest)})}"
    return Knock(method, f"{URL}/", FORM, whole.encode()) if in_form else Knock(method, f"{URL}/?{whole}", {})


def test_an_older_call_says_nothing_beside_what_is_signed() -> None:
    door, address, form = Door(), older(in_form=False), older(in_form=True)
    action = b"Action=RunInstances"
    assert [door.knock(it).code for it in (address, form)] == ["", ""]
    assert door.knock(address.but(headers=FORM, body=action)).code == "MissingAuthenticationToken"
    assert door.knock(form.but(url=f"{URL}/?{action.decode()}")).code == "AuthFailure"
    for it in (address, form):
        assert door.knock(it.saying(x_amz_target="Any.RunInstances")).code == "AuthFailure"


def test_a_form_of_many_fields_is_refused_before_it_fills_the_memory() -> None:
    head = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    fields = [f"{head.format(number)}{'x' * 60_000}\r\n" for number in range(20)]
    with pytest.raises(ServiceError, match="too large"):
        form_of(BytesIO("".join([*fields, "--B--\r\n"]).encode()), "multipart/form-data; boundary=B")
