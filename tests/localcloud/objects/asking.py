"""Operations of S3 in this process, without a wire."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import Content
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.objects.bodies import received_of
from pavedroad.localcloud.objects.call import Call, Event, Result
from pavedroad.localcloud.objects.model import Bucket, Store
from pavedroad.localcloud.objects.operations import OPERATIONS, PREPARED

ACCOUNT = "123456789012"
_numbers = count()


class Asking:
    """One bucket of a store of its own, and what is asked of it. The clock stands, but for who turns it."""

    def __init__(self, folder: Path, versioning: str = "", *, locks_objects: bool = False) -> None:
        self.now = datetime(2026, 5, 4, 3, 2, 1, 5000, UTC)
        self.contents = BlobStore(folder / f"objects-{next(_numbers)}")
        self.store = Store()
        self.events: list[Event] = []
        self.lock = threading.RLock()
        self.bucket = self.made("bucket")
        self.bucket.versioning = versioning
        self.bucket.locks_objects = locks_objects

    def made(self, name: str) -> Bucket:
        bucket = Bucket(name, ACCOUNT, "us-east-1", self.now)
        self.store.buckets[name] = bucket
        return bucket

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def result(self, operation: str, **parameters: Any) -> Result:
        received = None
        if operation in ("PutObject", "UploadPart"):
            algorithm = parameters.pop("ChecksumAlgorithm", "")
            body = parameters.pop("Body", b"")
            received = received_of([body], self.contents, [algorithm] if algorithm else [])
        call = Call(
            operation=operation,
            store=self.store,
            contents=self.contents,
            lock=self.lock,
            parameters={"Bucket": "bucket", **parameters},
            now=self.now,
            account=ACCOUNT,
            region="us-east-1",
            principal=f"arn:aws:iam::{ACCOUNT}:user/tester",
            received=received,
            events=self.events,
        )
        call = PREPARED.get(operation, lambda it: it)(call)
        with self.lock:
            return OPERATIONS[operation](call)

    def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The members of the answer, with the body as bytes."""
        members = dict(self.result(operation, **parameters).members)
        if isinstance(members.get("Body"), Content):
            content: Content = members["Body"]
            with content.file as file:
                members["Body"] = b"".join(iter(lambda: file.read(1 << 16), b""))
            content.demand()
        return members

    def refused(self, operation: str, **parameters: Any) -> ServiceError:
        try:
            found = self.result(operation, **parameters)
        except ServiceError as error:
            return error
        raise AssertionError(f"{operation} was not refused: {found}")

    def put(self, key: str, body: bytes = b"", **parameters: Any) -> dict[str, Any]:
        return self.ask("PutObject", Key=key, Body=body, **parameters)

    def read(self, key: str, **parameters: Any) -> bytes:
        return self.ask("GetObject", Key=key, **parameters)["Body"]

    def uploaded(self, key: str, *parts: bytes, complete: bool = True, **created: Any) -> dict[str, Any]:
        """An object in parts; its answer at the end, or that of its beginning with the parts that it has."""
        begun = self.ask("CreateMultipartUpload", Key=key, **created)
        algorithm = created.get("ChecksumAlgorithm", "")
        told: list[dict[str, Any]] = []
        for number, body in enumerate(parts, 1):
            named = {"Key": key, "UploadId": begun["UploadId"], "PartNumber": number}
            said = self.ask("UploadPart", **named, Body=body, ChecksumAlgorithm=algorithm)
            checksum = {k: v for k, v in said.items() if algorithm and k == f"Checksum{algorithm}"}
            told.append({"PartNumber": number, "ETag": said["ETag"], **checksum})
        if not complete:
            return {**begun, "Parts": told}
        return self.ask(
            "CompleteMultipartUpload",
            Key=key,
            UploadId=begun["UploadId"],
            MultipartUpload={"Parts": told},
        )
