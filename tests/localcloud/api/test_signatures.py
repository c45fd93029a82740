"""Each way to ask, with each attack: what is signed by a key of the cloud passes, and nothing else does."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Known
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pavedroad.localcloud.api.signatures.forms import form_of
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.api.doors import (
    ENDED,
    FORM,
    JSON,
    NOW,
    OWN,
    SERVICES,
    SESSION,
    URL,
    Door,
    Knock,
    Signer,
)

ACTION = b"Action=DescribeVpcs&Version=2016-11-15"
WHO = f"{URL}/?Action=GetCallerIdentity&Version=2011-06-15"
Attack = Callable[[Signer], Knock]


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def sign(monkeypatch: pytest.MonkeyPatch) -> Signer:
    return Signer(monkeypatch)


@pytest.mark.parametrize("by", [OWN, SESSION], ids=["own", "session"])
@pytest.mark.parametrize(
    "knock",
    [
        lambda s, by: s.header("ec2", ACTION, by=by, headers=FORM),
        lambda s, by: s.header("acm", b"{}", by=by, headers=JSON),
        lambda s, by: s.header("s3", b"content", by=by, method="PUT", url=f"{URL}/bucket/key"),
        lambda s, by: s.header("s3", by=by, method="GET", url=f"{URL}/bucket/a%20b/%C3%BC~c?list-type=2&a"),
        lambda s, by: s.header("route53", by=by, method="GET", url=f"{URL}/2013-04-01/a%20b?x=%2F"),
        lambda s, by: s.header("s3", by=by, method="GET", url="http://bucket.s3.localhost:4566/key"),
        lambda s, by: s.address("s3", by=by, url=f"{URL}/bucket/key?versionId=1"),
        lambda s, by: s.address("sts", by=by, url=WHO),
        lambda s, by: s.header("ec2", ACTION, by=by, at=NOW - timedelta(minutes=14), headers=FORM),
        lambda s, by: s.header("ec2", ACTION, by=by, at=NOW + timedelta(minutes=14), headers=FORM),
    ],
)
def test_what_is_signed_by_a_key_of_the_cloud_passes_again_and_again(
    door: Door, sign: Signer, knock: Callable[[Signer, Known], Knock], by: Known
) -> None:
    asked = knock(sign, by)
    assert door.knock(asked).code == ""
    assert door.knock(asked).code == ""  # a replay within its time is AWS's too
    assert not any(it.anonymous for service in door.services.values() for it in service.heard)


STRANGER = Known("AKIASTRANGERSTRANGER", "its secret")
LIAR = Known(OWN.access_key, "not its secret")
LOST = Known(SESSION.access_key, SESSION.secret_key)
FORGED = Known(SESSION.access_key, SESSION.secret_key, "not its token")
EXTRA = Known(OWN.access_key, OWN.secret_key, "a token")


def _ec2(sign: Signer, **more: Any) -> Knock:
    return sign.header("ec2", ACTION, headers=FORM, **more)


def _put(sign: Signer, **more: Any) -> Knock:
    return sign.header("s3", b"content", **(dict[str, Any](method="PUT", url=f"{URL}/bucket/key") | more))


ATTACKS: list[tuple[str, Attack, str]] = [
    ("unsigned form", lambda s: Knock("POST", f"{URL}/", FORM, ACTION), "MissingAuthenticationToken"),
    (
        "unsigned address",
        lambda s: Knock("GET", f"{URL}/?{ACTION.decode()}&UserData=x", {}),
        "MissingAuthenticationToken",
    ),
    ("unsigned json", lambda s: Knock("POST", f"{URL}/", JSON, b"{}"), "MissingAuthenticationToken"),
    ("unsigned faults", lambda s: Knock("DELETE", f"{URL}/_pavedroad/faults", {}), "unauthenticated"),
    ("stranger's ec2", lambda s: _ec2(s, by=STRANGER), "AuthFailure"),
    ("stranger's s3", lambda s: _put(s, by=STRANGER), "InvalidAccessKeyId"),
    ("stranger's sts", lambda s: s.header("sts", b"", by=STRANGER, headers=FORM), "InvalidClientTokenId"),
    (
        "stranger's acm",
        lambda s: s.header("acm", b"{}", by=STRANGER, headers=JSON),
        "UnrecognizedClientException",
    ),
    ("stranger's sqs", lambda s: s.header("sqs", b"{}", by=STRANGER, headers=JSON), "InvalidClientTokenId"),
    ("stranger's address", lambda s: s.address("s3", by=STRANGER), "InvalidAccessKeyId"),
    (
        "stranger's faults",
        lambda s: s.header("pavedroad", by=STRANGER, url=f"{URL}/_pavedroad/faults"),
        "unauthenticated",
    ),
    ("liar's ec2", lambda s: _ec2(s, by=LIAR), "AuthFailure"),
    ("liar's s3", lambda s: _put(s, by=LIAR), "SignatureDoesNotMatch"),
    ("liar's sts", lambda s: s.header("sts", b"", by=LIAR, headers=FORM), "SignatureDoesNotMatch"),
    ("liar's acm", lambda s: s.header("acm", b"{}", by=LIAR, headers=JSON), "InvalidSignatureException"),
    ("liar's address", lambda s: s.address("sts", by=LIAR, url=WHO), "SignatureDoesNotMatch"),
    (
        "liar's faults",
        lambda s: s.header("pavedroad", by=LIAR, url=f"{URL}/_pavedroad/faults"),
        "unauthenticated",
    ),
    ("no token", lambda s: _put(s, by=LOST), "InvalidToken"),
    ("another token", lambda s: s.header("sts", b"", by=FORGED, headers=FORM), "InvalidClientTokenId"),
    ("a token too many", lambda s: s.header("sts", b"", by=EXTRA, headers=FORM), "InvalidClientTokenId"),
    ("expired token", lambda s: s.header("sts", b"", by=ENDED, headers=FORM), "ExpiredToken"),
    ("expired token of s3", lambda s: _put(s, by=ENDED), "ExpiredToken"),
    (
        "expired token of acm",
        lambda s: s.header("acm", b"{}", by=ENDED, headers=JSON),
        "ExpiredTokenException",
    ),
    ("expired token of an address", lambda s: s.address("s3", by=ENDED), "ExpiredToken"),
    ("another body", lambda s: _ec2(s).but(body=ACTION.replace(b"Vpcs", b"Tags")), "AuthFailure"),
    ("another body of s3", lambda s: _put(s).but(body=b"evil!!!"), "XAmzContentSHA256Mismatch"),
    ("another digest", lambda s: _put(s).saying(x_amz_content_sha256="0" * 64), "SignatureDoesNotMatch"),
    (
        "an unsigned payload",
        lambda s: _put(s).saying(x_amz_content_sha256="UNSIGNED-PAYLOAD"),
        "SignatureDoesNotMatch",
    ),
    ("another path", lambda s: _put(s).but(url=f"{URL}/bucket/other"), "SignatureDoesNotMatch"),
    ("another query", lambda s: _put(s).but(url=f"{URL}/bucket/key?acl"), "SignatureDoesNotMatch"),
    ("another method", lambda s: _put(s).but(method="DELETE"), "SignatureDoesNotMatch"),
    (
        "another name of this machine",
        lambda s: _put(s).saying(host="localhost:4566"),
        "SignatureDoesNotMatch",
    ),
    (
        "another signed header",
        lambda s: _put(s, headers={"x-amz-meta-a": "b"}).saying(x_amz_meta_a="c"),
        "SignatureDoesNotMatch",
    ),
    ("an unsigned header of S3's", lambda s: _put(s).saying(x_amz_acl="public-read"), "AccessDenied"),
    (
        "no signed host",
        lambda s: _put(s).saying(authorization=_put(s).headers["authorization"].replace("host;", "")),
        "AuthorizationHeaderMalformed",
    ),
    ("signed long ago", lambda s: _ec2(s, at=NOW - timedelta(minutes=16)), "RequestExpired"),
    ("signed long ago for s3", lambda s: _put(s, at=NOW - timedelta(minutes=16)), "RequestTimeTooSkewed"),
    (
        "signed long ago for sts",
        lambda s: s.header("sts", b"", at=NOW - timedelta(hours=1), headers=FORM),
        "SignatureDoesNotMatch",
    ),
    ("signed tomorrow", lambda s: _put(s, at=NOW + timedelta(minutes=16)), "RequestTimeTooSkewed"),
    (
        "a later date in an old signature",
        lambda s: _put(s, at=NOW - timedelta(hours=1)).saying(x_amz_date=f"{NOW:%Y%m%dT%H%M%SZ}"),
        "SignatureDoesNotMatch",
    ),
    (
        "an address whose time is over",
        lambda s: s.address("s3", at=NOW - timedelta(seconds=61)),
        "AccessDenied",
    ),
    (
        "an address of sts whose time is over",
        lambda s: s.address("sts", at=NOW - timedelta(hours=1), url=WHO),
        "SignatureDoesNotMatch",
    ),
    ("an address of tomorrow", lambda s: s.address("s3", at=NOW + timedelta(days=1)), "RequestTimeTooSkewed"),
    ("an address for ever", lambda s: s.address("s3", lasts=604801), "AuthorizationQueryParametersError"),
    ("an address for no time", lambda s: s.address("s3", lasts=0), "AuthorizationQueryParametersError"),
    (
        "an address made to last",
        lambda s: _longer(s.address("s3", at=NOW - timedelta(seconds=61))),
        "SignatureDoesNotMatch",
    ),
    (
        "an address of something else",
        lambda s: _elsewhere(s.address("s3", url=f"{URL}/bucket/key")),
        "SignatureDoesNotMatch",
    ),
    (
        "half an address",
        lambda s: Knock("GET", f"{URL}/?X-Amz-Credential={quote(_SCOPE)}", {}),
        "AuthorizationQueryParametersError",
    ),
    (
        "an empty signature",
        lambda s: Knock(
            "GET",
            f"{URL}/",
            {"authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature="},
        ),
        "AuthorizationHeaderMalformed",
    ),
    (
        "no date",
        lambda s: Knock(
            "GET",
            f"{URL}/",
            {"authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0"},
        ),
        "AuthorizationHeaderMalformed",
    ),
    (
        "a sham of version 2",
        lambda s: Knock(
            "GET",
            f"{URL}/bucket",
            {"authorization": f"AWS {OWN.access_key}:c2ln", "date": f"{NOW:%a, %d %b %Y %H:%M:%S GMT}"},
        ),
        "SignatureDoesNotMatch",
    ),
    (
        "a sham of version 2's address",
        lambda s: Knock(
            "GET",
            (f"{URL}/b?AWSAccessKeyId={OWN.access_key}&Signature=x&Expires={int(NOW.timestamp()) + 60}"),
            {},
        ),
        "SignatureDoesNotMatch",
    ),
    (
        "an old address of version 2",
        lambda s: Knock(
            "GET",
            (f"{URL}/b?AWSAccessKeyId={OWN.access_key}&Signature=x&Expires={int(NOW.timestamp()) - 1}"),
            {},
        ),
        "AccessDenied",
    ),
    (
        "a link that says more",
        lambda s: Knock("GET", f"{URL}/?{_LINK}", {}, ACTION),
        "MissingAuthenticationToken",
    ),
    (
        "a link that is sent",
        lambda s: Knock("POST", f"{URL}/?{_LINK}", FORM, b"Action=DeleteTopic"),
        "MissingAuthenticationToken",
    ),
    (
        "a link with a target",
        lambda s: Knock("GET", f"{URL}/?{_LINK}", {"x-amz-target": "SNS.DeleteTopic"}),
        "MissingAuthenticationTokenException",
    ),
    (
        "a link of two minds",
        lambda s: Knock("GET", f"{URL}/?{_LINK}&Action=DeleteTopic", {}),
        "MissingAuthenticationToken",
    ),
    (
        "a link to another service",
        lambda s: Knock(
            "GET", f"http://bucket.localhost:4566/?{_LINK}", {"authorization": f"Any Credential={_SCOPE}"}
        ),
        "IncompleteSignature",
    ),
    (
        "a link to another service, of a key",
        lambda s: Knock("GET", f"{URL}/?{_LINK}", {"authorization": f"AWS4-ANY Credential={_SCOPE}"}),
        "IncompleteSignature",
    ),
    (
        "two credentials",
        lambda s: _also(
            s.header("ec2", ACTION, headers=FORM), f"Credential={_SCOPE.replace('/s3/', '/sts/')}, "
        ),
        "IncompleteSignature",
    ),
    (
        "a credential among the names",
        lambda s: _also(
            s.header("ec2", ACTION, headers=FORM),
            f"SignedHeaders=Credential={_SCOPE.replace('/s3/', '/sts/')}, ",
        ),
        "IncompleteSignature",
    ),
    (
        "an identity that nobody vouches for",
        lambda s: Knock(
            "POST", f"{URL}/", FORM, b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=x"
        ),
        "InvalidIdentityToken",
    ),
]
_SCOPE = f"{OWN.access_key}/{NOW:%Y%m%d}/us-east-1/s3/aws4_request"
_LINK = "Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:1:topic:id&Version=2010-03-31"


def _longer(knock: Knock) -> Knock:
    return knock.but(url=knock.url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))


def _also(knock: Knock, said: str) -> Knock:
    return knock.saying(
        authorization=knock.headers["authorization"].replace("HMAC-SHA256 ", f"HMAC-SHA256 {said}")
    )


def _elsewhere(knock: Knock) -> Knock:
    return knock.but(url=knock.url.replace("/key?", "/other?"))


@pytest.mark.parametrize(("attack", "code"), [it[1:] for it in ATTACKS], ids=[it[0] for it in ATTACKS])
def test_everybody_else_is_refused_in_the_services_own_words(
    door: Door, sign: Signer, attack: Attack, code: str
) -> None:
    answer = door.knock(attack(sign))
    assert (answer.code, answer.status // 100) == (code, 4)
    assert not any(service.heard for service in door.services.values())


def test_a_link_of_a_notification_is_visited_unsigned(door: Door) -> None:
    assert door.knock(Knock("GET", f"{URL}/?{_LINK}", {})).code == ""


def test_s3_hears_of_a_caller_without_a_key_that_it_has_none(door: Door) -> None:
    assert door.knock(Knock("GET", f"{URL}/bucket/key", {})).code == ""
    assert [it.anonymous for it in door.services["s3"].heard] == [True]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": ""},
        {"host": "rebound.example"},
        {"host": "127.evil.example:4566"},
        {"host": "127.0.0.1.evil.example:4566"},
        {"host": "localhost.evil.example"},
        {"host": "ec2.us-east-1.amazonaws.com"},
        {"host": "127.0.0.1:80"},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.evil.example"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"origin": "http://localhost.evil.example:4566"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": URL},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/", "/_pavedroad/health", "/_pavedroad/faults"])
@pytest.mark.parametrize("mode", ["signed only", "open"])
def test_no_page_and_no_other_name_gets_in_signed_or_not(
    door: Door, sign: Signer, headers: dict[str, str], path: str, mode: str
) -> None:
    door = door.open() if mode == "open" else door
    host = headers.get("host") or "127.0.0.1:4566"
    signed = sign.header("ec2", ACTION, url=f"http://{host}{path}", headers=FORM)
    answer = door.knock(signed.saying(**{name.replace("-", "_"): it for name, it in headers.items()}))
    assert (answer.status, answer.code) in ((403, "AccessDenied"), (403, "forbidden"))
    assert not any(service.heard for service in door.services.values())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, ""),
        ({"user-agent": "curl/8"}, ""),
        ({"user-agent": "Mozilla/5.0", "sec-fetch-site": "none"}, ""),
        ({"user-agent": "Mozilla/5.0"}, "AccessDenied"),
        ({"referer": "https://evil.example/"}, "AccessDenied"),
    ],
)
def test_an_open_cloud_takes_addresses_by_any_key_but_from_no_old_browser(
    door: Door, sign: Signer, headers: dict[str, str], code: str
) -> None:
    address = f"{URL}/?Action=RunInstances&Version=2016-11-15"
    asked = [sign.address("s3", by=STRANGER, lasts=it) for it in (604800, 0, 604801)]
    for it in (sign.address("ec2", by=STRANGER, url=address), *asked):
        expected = "AuthorizationQueryParametersError" if it in asked[1:] else ""
        assert door.open().knock(it.but(headers=headers)).code == (code or expected)
    assert door.open().knock(Knock("GET", f"{URL}/bucket", headers)).code == code
    form = ACTION + b"&AWSAccessKeyId=any&SignatureVersion=2&Signature=x"
    assert door.open().knock(Knock("POST", f"{URL}/", FORM | headers, form)).code == code
    assert door.open().knock(_ec2(sign, by=STRANGER).saying(**{"user-agent": "Mozilla/5.0"})).code == ""


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_older_signatures_of_s3_are_taken(
    door: Door, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(botocore.auth, "formatdate", lambda **_: f"{NOW:%a, %d %b %Y %H:%M:%S GMT}")
    monkeypatch.setattr("time.time", NOW.timestamp)
    for kind in (botocore.auth.HmacV1Auth, botocore.auth.HmacV1QueryAuth):
        for by in (OWN, SESSION):
            asked = AWSRequest(method, f"{URL}/bucket/a%20key?acl", headers={"x-amz-meta-a": "b"})
            kind(by).add_auth(asked)
            headers = {name.lower(): value for name, value in asked.headers.items()}
            knock = Knock(method, str(asked.url), headers)
            assert door.knock(knock).code == ""
            assert door.knock(knock.but(url=knock.url.replace("/bucket/", "/other/"))).code == (
                "SignatureDoesNotMatch"
            )


def test_an_older_address_leads_into_no_other_bucket_by_another_host(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", NOW.timestamp)
    asked = AWSRequest("GET", f"{URL}/bucket/key")
    botocore.auth.HmacV1QueryAuth(OWN).add_auth(asked)
    query = urlsplit(str(asked.url)).query
    for address, code in (
        (f"{URL}/bucket/key", ""),
        ("http://bucket.localhost:4566/key", ""),
        ("http://other.localhost:4566/bucket/key", "SignatureDoesNotMatch"),
        ("http://www.other.localhost:4566/bucket/key", "SignatureDoesNotMatch"),
        ("http://bucket.localhost:4566/bucket/key", "SignatureDoesNotMatch"),
    ):
        assert (door.knock(Knock("GET", f"{address}?{query}", {})).code, address) == (code, address)


@pytest.mark.parametrize("in_form", [False, True], ids=["address", "form"])
def test_an_older_call_says_nothing_twice(door: Door, in_form: bool) -> None:
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
    for more, code in (("", ""), ("Action=RunInstances&", "IncompleteSignature")):
        form = (more + whole).encode() if in_form else b""
        url = f"{URL}/" if in_form else f"{URL}/?{more}{whole}"
        assert door.knock(Knock(method, url, FORM if in_form else {}, form)).code == code


def test_a_part_of_a_form_says_once_what_it_is() -> None:
    names = [f'Content-Disposition: form-data; name="{it}"' for it in ("key", "x-ignore-it")]
    for said in (names, names[::-1]):
        part = "\r\n".join(["--B", *said, "", "elsewhere", "--B--", ""]).encode()
        with pytest.raises(ServiceError, match="twice"):
            form_of(BytesIO(part), "multipart/form-data; boundary=B")


_TIMES = st.sampled_from(
    ["20260701T120000Z", "99991231T235959Z", "20261399T999999Z", "0001-01-01T00:00:00+14:00"]
)
_WORDS = (
    st.text(max_size=12) | _TIMES | st.sampled_from([OWN.access_key, "host", "2", "HmacSHA256", "9" * 5000])
)
_NAMES = st.sampled_from(
    [
        *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"),
        *("X-Amz-Signature", "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "Expires", "Timestamp"),
        *("SignatureVersion", "SignatureMethod", "Action", "Version", "x-amz-acl", "TopicArn"),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.dictionaries(_NAMES, _WORDS),
    credential=st.sampled_from([f"{OWN.access_key}/20260701/us-east-1/{it}/aws4_request" for it in SERVICES])
    | _WORDS,
    header=st.sampled_from(
        ["", "AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=0", "AWS {}:x"]
    ),
    date=_TIMES | st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=9),
    in_form=st.booleans(),
)
def test_nonsense_is_refused_and_never_breaks(
    door: Door, said: dict[str, str], credential: str, header: str, date: str, in_form: bool
) -> None:
    query = urlencode({"X-Amz-Credential": credential, "X-Amz-Algorithm": "AWS4-HMAC-SHA256"} | said)
    latin = credential.encode("latin-1", "replace").decode("latin-1").replace("\n", "")
    headers = {"authorization": header.format(latin), "x-amz-date": date}
    form = urlencode(said).encode() if in_form else b""
    asked = Knock(
        "POST", f"{URL}/" if in_form else f"{URL}/?{query}", headers | (FORM if in_form else {}), form
    )
    answer = door.knock(asked)
    assert answer.status in (400, 401, 403) or door.services["s3"].heard[-1].anonymous
