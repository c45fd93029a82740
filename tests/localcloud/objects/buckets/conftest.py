"""S3 and SQS behind the endpoint, in this process, with a clock that stands."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.moto_adapter.topics import topics_of
from pavedroad.localcloud.objects.service import ObjectStorage
from pavedroad.localcloud.queues.service import Queueing
from pavedroad.localcloud.state import State
from tests.localcloud.serving import serving
from tests.localcloud.signing import ANYBODY, signed_headers

_numbers = count()


class Served:
    def __init__(self, endpoint: str, objects: ObjectStorage, clock: ManualClock) -> None:
        self.endpoint = endpoint
        self.objects = objects
        self.clock = clock
        self.s3 = self.client("s3")
        self.sqs = self.client("sqs")

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=ANYBODY.access_key_id,
            aws_secret_access_key=ANYBODY.secret_access_key,
            config=Config(retries={"max_attempts": 1}, signature_version="s3v4" if service == "s3" else None),
        )

    def bucket(self, **more: Any) -> str:
        name = f"bucket-{next(_numbers)}"
        self.s3.create_bucket(Bucket=name, **more)
        return name

    def open_bucket(self) -> str:
        """That heeds ACLs, and lets anybody in whom they or a policy let in."""
        return self.bucket(ObjectOwnership="ObjectWriter")

    def anybody(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Without a key."""
        return httpx.request(method, f"{self.endpoint}/{path}", trust_env=False, **more)

    def signed(
        self, method: str, path: str, body: bytes = b"", host: str = "", **more: str
    ) -> httpx.Response:
        """By hand; `host` is called in place of the address."""
        port = self.endpoint.rpartition(":")[2]
        called = f"{host or '127.0.0.1'}:{port}"
        headers = signed_headers(ANYBODY, "s3", "us-east-1", f"http://{called}/{path}", method, body, {})
        return httpx.request(
            method,
            f"{self.endpoint}/{path}",
            headers={**headers, "host": called},
            content=body,
            trust_env=False,
        )

    def queue(self) -> tuple[str, str]:
        """Its address and its ARN."""
        url = self.sqs.create_queue(QueueName=f"heard-{next(_numbers)}")["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def heard(self, url: str) -> list[Any]:
        """What has come since, in order."""
        found: list[Any] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for it in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=it["ReceiptHandle"])
                found.append(json.loads(it["Body"]))
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    state, clock = State(), ManualClock(datetime.now(UTC))
    queues = Queueing(state, clock)
    contents = BlobStore(tmp_path_factory.mktemp("objects"))
    objects = ObjectStorage(state, clock, contents, lambda *_: queues, topics_of)
    with serving(objects, queues) as endpoint:
        yield Served(endpoint, objects, clock)


@contextmanager
def refused(code: str, status: int = 400) -> Generator[dict[str, Any]]:
    """Of a call of boto3's; gives the error's other members when it is over."""
    said: dict[str, Any] = {}
    with pytest.raises(ClientError) as error:
        yield said
    told: Any = error.value.response
    said.update(told["Error"])
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
