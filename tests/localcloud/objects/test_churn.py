"""Objects of S3 that come and go leave nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from pavedroad.localcloud.api.services import ApiResponse
from tests.localcloud.moto_adapter.bench import Answer, Bench

_TIMES = 1000
_HEADERS = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def send(bench: Bench, method: str, path: str, body: bytes = b"") -> ApiResponse:
    answer = bench.send("s3", body, method=method, path=path, headers=_HEADERS)
    assert answer.status in (200, 204), answer.body
    return answer


def put_and_deleted(bench: Bench) -> None:
    send(bench, "PUT", "/churned/key", b"content")
    send(bench, "DELETE", "/churned/key")


def overwritten(bench: Bench) -> None:
    send(bench, "PUT", "/churned/same", b"content")


def version_deleted(bench: Bench) -> None:
    answer = send(bench, "PUT", "/churned-versions/key", b"content")
    version = dict(answer.headers)["x-amz-version-id"]
    send(bench, "DELETE", f"/churned-versions/key?versionId={version}")


def upload_aborted(bench: Bench) -> None:
    upload = Answer(send(bench, "POST", "/churned/large?uploads")).first("UploadId")
    send(bench, "PUT", f"/churned/large?partNumber=1&uploadId={upload}", b"content")
    send(bench, "DELETE", f"/churned/large?uploadId={upload}")


@pytest.mark.slow
@pytest.mark.parametrize("churn", [put_and_deleted, overwritten, version_deleted, upload_aborted])
def test_what_comes_and_goes_over_the_wire_leaves_no_object(
    bench: Bench, churn: Callable[[Bench], None]
) -> None:
    for bucket in ("churned", "churned-versions"):
        send(bench, "PUT", f"/{bucket}")
    settings = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    send(bench, "PUT", "/churned-versions?versioning", settings)
    for _ in range(20):
        churn(bench)  # what is made once is made now
    before = objects()
    for _ in range(200):
        churn(bench)
    assert objects() - before < 150  # of caches that forget; one object each time would be 200


def test_a_thousand_objects_leave_no_object(bench: Bench) -> None:
    send(bench, "PUT", "/churned-much")

    def churn() -> None:
        send(bench, "PUT", "/churned-much/key", b"content")
        send(bench, "DELETE", "/churned-much/key")

    for _ in range(20):
        churn()  # what is made once is made now
    before = objects()
    for _ in range(_TIMES):
        churn()
    assert objects() - before < 50
