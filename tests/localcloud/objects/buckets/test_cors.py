"""Web pages make what calls a bucket's rules allow, and hear so."""

from __future__ import annotations

import pytest

from tests.localcloud.objects.buckets.conftest import Served

_RULES = {
    "CORSRules": [
        {
            "AllowedMethods": ["GET", "PUT"],
            "AllowedOrigins": ["http://*.example.com"],
            "AllowedHeaders": ["x-amz-*", "Content-Type"],
            "ExposeHeaders": ["ETag", "x-amz-version-id"],
            "MaxAgeSeconds": 30,
        },
        {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
    ]
}


@pytest.fixture
def bucket(served: Served) -> str:
    name = served.bucket()
    served.s3.put_bucket_cors(Bucket=name, CORSConfiguration=_RULES)
    served.s3.put_object(Bucket=name, Key="key", Body=b"x")
    return name


@pytest.mark.parametrize(
    ("origin", "method", "headers", "status"),
    [
        ("http://www.example.com", "PUT", "X-Amz-Date,content-type", 200),
        ("http://www.example.com", "GET", "", 200),
        ("http://www.example.com", "DELETE", "", 403),
        ("http://www.example.com", "PUT", "authorization", 403),
        ("https://www.example.com", "PUT", "", 403),
        ("http://example.org", "HEAD", "", 200),
        ("http://example.org", "PATCH", "", 400),
    ],
)
def test_a_browser_hears_beforehand_what_a_page_may(
    served: Served, bucket: str, origin: str, method: str, headers: str, status: int
) -> None:
    asked = {"origin": origin, "access-control-request-method": method}
    if headers:
        asked["access-control-request-headers"] = headers
    answer = served.anybody("OPTIONS", f"{bucket}/key", headers=asked)
    assert answer.status_code == status, answer.text
    found = answer.headers.get("access-control-allow-origin")
    assert found == (None if status != 200 else "*" if method == "HEAD" else origin)


def test_a_preflight_says_all_that_the_rule_does(served: Served, bucket: str) -> None:
    asked = {
        "origin": "http://a.example.com",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "X-Amz-Date, Content-Type",
    }
    said = served.anybody("OPTIONS", f"{bucket}/key", headers=asked).headers
    assert said["access-control-allow-methods"] == "GET, PUT"
    assert said["access-control-allow-headers"] == "x-amz-date, content-type"
    assert said["access-control-expose-headers"] == "ETag, x-amz-version-id"
    assert said["access-control-max-age"] == "30"
    assert said["access-control-allow-credentials"] == "true"
    assert "Origin" in said["vary"]


def test_without_rules_or_an_origin_nothing_is_allowed(served: Served, bucket: str) -> None:
    asked = {"origin": "http://a.example.com", "access-control-request-method": "GET"}
    answer = served.anybody("OPTIONS", f"{served.bucket()}/key", headers=asked)
    assert (answer.status_code, "CORS is not enabled" in answer.text) == (403, True)
    assert served.anybody("OPTIONS", f"{bucket}/key").status_code == 400


def test_a_presigned_address_answers_a_page_that_may_and_tells_another_nothing(
    served: Served, bucket: str
) -> None:
    path = served.s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"})
    path = path.removeprefix(f"{served.endpoint}/")
    allowed = served.anybody("GET", path, headers={"origin": "http://a.example.com"})
    assert (allowed.content, allowed.headers["access-control-allow-origin"]) == (b"x", "http://a.example.com")
    other = served.anybody("GET", path, headers={"origin": "http://other.org"})
    assert (other.content, "access-control-allow-origin" in other.headers) == (b"x", False)
    refused = served.anybody("GET", f"{bucket}/key", headers={"origin": "http://other.org"})
    assert refused.status_code == 403
