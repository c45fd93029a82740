"""Nothing that a client can send makes moto's own services fail as if the fault were ours."""

from __future__ import annotations

import json
import logging

import pytest
from moto.core.utils import get_service_model

from tests.localcloud.moto_adapter.bench import VERSIONS, Bench
from tests.localcloud.moto_adapter.generated import parameters, query_of

_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:  # pyright: ignore[reportUnusedFunction]
    caplog.set_level(logging.CRITICAL)


def fine(status: int, body: bytes) -> bool:
    text = body.lower()
    return (
        (status < 500 or (status == 501 and b"<Code>NotImplemented</Code>" in body))
        and b"internalfailure" not in text
        and b"internalerror" not in text
        and b"traceback" not in text
        and b"<html" not in text
    )


@pytest.mark.parametrize("service", ["iam", "sts", "sns"])
@pytest.mark.parametrize("shape", ["nothing", "required", "everything"])
def test_every_operation_of_the_query_services(bench: Bench, service: str, shape: str) -> None:
    model = get_service_model(service)
    wrong: list[str] = []
    for operation in model.operation_names:
        asked = model.operation_model(operation).input_shape
        made = {} if shape == "nothing" else parameters(asked, everything=shape == "everything")
        form = {} if shape == "nothing" else member_query(query_of(asked, made))
        body = "&".join(
            f"{name}={value}"
            for name, value in {"Action": operation, "Version": VERSIONS[service], **form}.items()
        )
        answer = bench.send(service, body.encode())
        if not fine(answer.status, answer.body):
            wrong.append(f"{operation}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


def member_query(form: dict[str, str]) -> dict[str, str]:
    """Lists of the query protocol have a `member` before each number."""
    return {
        ".".join(f"member.{part}" if part.isdigit() else part for part in name.split(".")): value
        for name, value in form.items()
    }


@pytest.mark.parametrize("shape", ["nothing", "required", "everything", "garbage"])
def test_every_operation_of_sqs(bench: Bench, shape: str) -> None:
    model = get_service_model("sqs")
    wrong: list[str] = []
    for operation in model.operation_names:
        asked = model.operation_model(operation).input_shape
        made = {} if shape == "nothing" else parameters(asked, everything=shape == "everything")
        body = b"{[" if shape == "garbage" else json.dumps(made, default=str).encode()
        headers = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0"}
        answer = bench.send("sqs", body, headers=headers)
        if not fine(answer.status, answer.body):
            wrong.append(f"{operation}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def bucket(bench: Bench) -> str:
    assert bench.send("s3", method="PUT", path="/swept").status == 200
    assert bench.send("s3", b"x", method="PUT", path="/swept/key").status == 200
    return "swept"


_SETTINGS = [
    "lifecycle",
    "tagging",
    "cors",
    "policy",
    "acl",
    "versioning",
    "encryption",
    "website",
    "logging",
    "notification",
    "replication",
    "accelerate",
    "requestPayment",
    "publicAccessBlock",
    "ownershipControls",
    "object-lock",
    "inventory&id=a",
    "analytics&id=a",
    "metrics&id=a",
    "intelligent-tiering&id=a",
    "delete",
    "uploads",
    "select&select-type=2",
    "restore",
    "legal-hold",
    "retention",
    "torrent",
    "attributes",
    "uploadId=none",
    "uploadId=none&partNumber=1",
    "partNumber=x",
    "partNumber=99999",
    "uploadId=none&partNumber=0",
]
_BODIES = (
    b"",
    b"garbage",
    b"<a/>",
    b"<LifecycleConfiguration><Rule/></LifecycleConfiguration>",
    f"<Wrong {_NAMESPACE}><Rule><ID>1</ID></Rule></Wrong>".encode(),
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"\xff\xfe\x00",
    b"{}",
)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", ["/{bucket}", "/{bucket}/key", "/{bucket}/none", "/no-such-bucket/key"])
def test_s3_with_whatever_settings_and_bodies(bench: Bench, bucket: str, method: str, path: str) -> None:
    wrong: list[str] = []
    for setting in _SETTINGS:
        for body in _BODIES if method in ("PUT", "POST") else (b"",):
            where = f"{path.format(bucket=bucket)}?{setting}"
            answer = bench.send("s3", body, method=method, path=where, headers={"content-type": "text/xml"})
            if not fine(answer.status, answer.body):
                wrong.append(f"{method} {where} {body!r}: {answer.status} {answer.body[:200]!r}")
            bench.send("s3", method="PUT", path=f"/{bucket}")
            bench.send("s3", b"x", method="PUT", path=f"/{bucket}/key")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "query",
    [
        "list-type=2&continuation-token=nonsense",
        "list-type=2&continuation-token=",
        "list-type=9",
        "max-keys=-1",
        "max-keys=x",
        "list-type=2&max-keys=99999999999999999999",
        "encoding-type=nonsense",
        "versions&version-id-marker=x",
        "uploads&max-uploads=x",
        "uploads&upload-id-marker=x",
        "marker=%00",
        "prefix=%FF%FE",
    ],
)
def test_lists_of_s3_with_odd_parameters(bench: Bench, bucket: str, query: str) -> None:
    answer = bench.send("s3", method="GET", path=f"/{bucket}?{query}")
    assert fine(answer.status, answer.body), (answer.status, answer.body)


@pytest.mark.parametrize(
    "headers",
    [
        {"range": "bytes=x-y"},
        {"range": "bytes=9-1"},
        {"range": "bytes=100-200"},
        {"if-modified-since": "yesterday"},
        {"x-amz-copy-source": "nowhere"},
        {"x-amz-copy-source": "/a/b?versionId=c"},
        {"x-amz-tagging": "a=b&c"},
        {"content-md5": "nonsense"},
        {"x-amz-acl": "nonsense"},
        {"x-amz-storage-class": "nonsense"},
        {"x-amz-server-side-encryption": "nonsense"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_objects_of_s3_with_odd_headers(
    bench: Bench, bucket: str, method: str, headers: dict[str, str]
) -> None:
    answer = bench.send("s3", b"x", method=method, path=f"/{bucket}/key", headers=headers)
    assert fine(answer.status, answer.body), (answer.status, answer.body)


@pytest.mark.parametrize("service", ["iam", "sts", "sns"])
def test_large_bodies_are_answered(bench: Bench, service: str) -> None:
    answer = bench.send(service, b"Action=ListUsers&Junk=" + b"x" * (15 * 2**20))
    assert fine(answer.status, answer.body), answer.status
