"""Callers without a key do what a policy or an ACL opens to all, and nothing where that is blocked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.objects.buckets.conftest import Served


def statement(
    bucket: str, action: str, effect: str = "Allow", key: str = "/*", **more: Any
) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{bucket}{key}"
    return {"Effect": effect, "Principal": "*", "Action": action, "Resource": resource, **more}


def put_policy(served: Served, bucket: str, *statements: dict[str, Any]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    served.s3.put_bucket_policy(Bucket=bucket, Policy=policy)


@pytest.fixture
def bucket(served: Served) -> str:
    name = served.open_bucket()
    for key in ("key", "secret/key"):
        served.s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


def test_a_policy_opens_what_it_names_and_denies_what_it_denies(served: Served, bucket: str) -> None:
    assert served.anybody("GET", f"{bucket}/key").status_code == 403
    put_policy(
        served,
        bucket,
        statement(bucket, "s3:GetObject"),
        statement(bucket, "s3:*", "Deny", "/secret/*"),
    )
    assert served.anybody("GET", f"{bucket}/key").content == b"x"
    assert served.anybody("HEAD", f"{bucket}/key").status_code == 200
    for method, path in (
        ("GET", "secret/key"),
        ("GET", "none"),
        ("PUT", "key"),
        ("DELETE", "key"),
        ("GET", "key?acl"),
        ("GET", ""),
        ("GET", "?policy"),
    ):
        assert served.anybody(method, f"{bucket}/{path}").status_code == 403, path
    put_policy(served, bucket, statement(bucket, "s3:*"), statement(bucket, "s3:ListBucket", key=""))
    assert served.anybody("GET", f"{bucket}/none").status_code == 404
    assert served.anybody("PUT", f"{bucket}/put", content=b"y").status_code == 200
    assert served.anybody("DELETE", f"{bucket}/put").status_code == 204


@pytest.mark.parametrize(
    ("condition", "open_"),
    [
        ({"StringLike": {"aws:Referer": "http://known/*"}}, True),
        ({"StringLike": {"aws:Referer": "http://other/*"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    ],
)
def test_conditions_hold(served: Served, bucket: str, condition: dict[str, Any], open_: bool) -> None:
    put_policy(served, bucket, statement(bucket, "s3:GetObject", Condition=condition))
    answer = served.anybody("GET", f"{bucket}/key", headers={"referer": "http://known/page"})
    assert (answer.status_code == 200) == open_


def test_acls_open_and_the_block_closes(served: Served, bucket: str) -> None:
    served.s3.put_object_acl(Bucket=bucket, Key="key", ACL="public-read")
    served.s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert served.anybody("GET", f"{bucket}/key").content == b"x"
    assert served.anybody("GET", f"{bucket}/secret/key").status_code == 403
    assert served.anybody("GET", f"{bucket}/").status_code == 200
    assert served.anybody("PUT", f"{bucket}/new", content=b"y").status_code == 200
    put_policy(served, bucket, statement(bucket, "s3:GetObject", key="/secret/*"))
    assert served.anybody("GET", f"{bucket}/secret/key").status_code == 200
    block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    served.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    for path in ("key", "", "secret/key"):
        assert served.anybody("GET", f"{bucket}/{path}").status_code == 403


def test_forms_put_objects_within_their_policy(served: Served, bucket: str) -> None:
    post = served.s3.generate_presigned_post(
        bucket,
        "up/${filename}",
        Fields={"success_action_status": "201", "x-amz-meta-who": "me", "Content-Type": "text/x"},
        Conditions=[
            {"success_action_status": "201"},
            {"x-amz-meta-who": "me"},
            {"Content-Type": "text/x"},
            ["content-length-range", 1, 5],
        ],
    )
    path = post["url"].removeprefix(f"{served.endpoint}/")
    answer = served.anybody("POST", path, data=post["fields"], files={"file": ("f.txt", b"abc")})
    assert (answer.status_code, "<Key>up/f.txt</Key>" in answer.text) == (201, True), answer.text
    found = served.s3.get_object(Bucket=bucket, Key="up/f.txt")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (
        b"abc",
        {"who": "me"},
        "text/x",
    )
    large = served.anybody("POST", path, data=post["fields"], files={"file": ("g.txt", b"abcdef")})
    assert (large.status_code, "<Code>EntityTooLarge</Code>" in large.text) == (400, True)
    other = served.anybody(
        "POST", path, data={**post["fields"], "x-amz-meta-who": "you"}, files={"file": ("h.txt", b"a")}
    )
    assert other.status_code == 403
    assert served.s3.list_objects_v2(Bucket=bucket, Prefix="up/")["KeyCount"] == 1
