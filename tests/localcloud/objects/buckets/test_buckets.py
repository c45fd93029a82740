"""Buckets are made, found, listed and deleted, each in its region."""

from __future__ import annotations

import httpx
import pytest

from tests.localcloud.objects.buckets.conftest import Served, refused


@pytest.mark.parametrize("name", ["Upper-case", "with_underscore", "a..b", "192.168.5.4", "xn--x", "a" * 64])
def test_names_are_as_s3_demands(served: Served, name: str) -> None:
    answer = served.signed("PUT", name)
    assert (answer.status_code, "<Code>InvalidBucketName</Code>" in answer.text) == (400, True)


def test_a_bucket_is_of_its_region(served: Served) -> None:
    europe = served.client("s3", "eu-west-1")
    with refused("IllegalLocationConstraintException"):
        europe.create_bucket(Bucket="of-europe")
    with refused("InvalidLocationConstraint"):
        served.s3.create_bucket(
            Bucket="of-nowhere", CreateBucketConfiguration={"LocationConstraint": "eu-nowhere-1"}
        )
    there = {"LocationConstraint": "eu-west-1"}
    europe.create_bucket(Bucket="of-europe", CreateBucketConfiguration=there)
    with refused("BucketAlreadyOwnedByYou", 409):
        europe.create_bucket(Bucket="of-europe", CreateBucketConfiguration=there)
    assert served.s3.get_bucket_location(Bucket="of-europe")["LocationConstraint"] == "eu-west-1"
    europe.put_object(Bucket="of-europe", Key="key", Body=b"x")
    url = served.s3.generate_presigned_url("get_object", Params={"Bucket": "of-europe", "Key": "key"})
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, answer.headers["x-amz-bucket-region"]) == (301, "eu-west-1")
    assert "<Code>PermanentRedirect</Code>" in answer.text
    # boto3 follows.
    assert served.s3.get_object(Bucket="of-europe", Key="key")["Body"].read() == b"x"
    assert served.s3.head_bucket(Bucket="of-europe")["BucketRegion"] == "eu-west-1"


def test_the_home_region_makes_a_bucket_again_and_leaves_it(served: Served) -> None:
    bucket = served.bucket()
    served.s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    served.s3.create_bucket(Bucket=bucket)
    with refused("BucketNotEmpty", 409):
        served.s3.delete_bucket(Bucket=bucket)
    served.s3.delete_object(Bucket=bucket, Key="key")
    served.s3.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket", 404):
        served.s3.list_objects_v2(Bucket=bucket)


def test_buckets_are_listed_in_pages(served: Served) -> None:
    for name in ("paged-b", "paged-a", "paged-c"):
        served.s3.create_bucket(Bucket=name)
    pages = served.s3.get_paginator("list_buckets").paginate(
        Prefix="paged-", PaginationConfig={"PageSize": 2}
    )
    found = [[it["Name"] for it in page["Buckets"]] for page in pages]
    assert found == [["paged-a", "paged-b"], ["paged-c"]]


def test_a_bucket_may_be_named_by_the_host(served: Served) -> None:
    bucket = served.bucket()
    served.s3.put_object(Bucket=bucket, Key="a/b", Body=b"by host")
    for host in (f"{bucket}.localhost", f"{bucket}.s3.localhost", f"{bucket}.s3.us-east-1.localhost"):
        assert served.signed("GET", "a/b", host=host).content == b"by host"
    assert served.signed("GET", f"{bucket}/a/b", host="s3.us-east-1.localhost").content == b"by host"


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "{}/key?versions", "InvalidRequest", 400),
        ("DELETE", "{}?acl", "MethodNotAllowed", 405),
        ("PUT", "{}/key?uploadId=x", "InvalidArgument", 400),
        ("GET", "{}?max-keys=many", "InvalidArgument", 400),
        ("GET", "{}?session", "NotImplemented", 501),
        ("GET", "{}/%ff", "InvalidURI", 400),
    ],
)
def test_what_is_no_call_of_s3_is_refused_and_nothing_is_put(
    served: Served, method: str, path: str, code: str, status: int
) -> None:
    bucket = served.bucket()
    answer = served.signed(method, path.format(bucket))
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True), answer.text
    assert "<RequestId>" in answer.text
    assert "<HostId>" in answer.text
    assert served.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    "document",
    [
        b"<Tagging",
        b"<Other/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging><TagSet/></Tagging>",
        b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        b"<Tagging>" + b"<a>" * 40 + b"</a>" * 40 + b"</Tagging>",
    ],
)
def test_documents_that_are_none_of_s3_are_refused(served: Served, document: bytes) -> None:
    answer = served.signed("PUT", f"{served.bucket()}?tagging", document)
    assert (answer.status_code, "<Code>MalformedXML</Code>" in answer.text) == (400, True)
