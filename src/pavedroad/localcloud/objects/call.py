"""A call of an operation, and what operations ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.objects.contents import Received
from pavedroad.localcloud.objects.model import Bucket, Entry, Store
from pavedroad.localcloud.objects.refusals import denied, no_bucket


@dataclass(frozen=True, slots=True)
class Event:
    """What has happened to an object, by S3's name of the event without `s3:`. `entry` is the version or the
    marker that came, or the one that went."""

    name: str
    bucket: Bucket
    key: str
    entry: Entry
    number: int
    """The bucket's, when it happened."""


@dataclass(frozen=True, slots=True)
class Result:
    """`members` by the names of the operation's output; `Body` is bytes or a `Content`. `status` is
    0 for the operation's own; `headers` come besides those of members."""

    members: Mapping[str, Any] = field(default_factory=dict[str, Any])
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` have the model's names and types; what was not said is not among them."""

    operation: str
    store: Store
    contents: BlobStore
    lock: AbstractContextManager[object]
    """The state's. Operations are called with it held; what `PREPARED` has, without."""
    parameters: Mapping[str, Any]
    now: datetime
    """In UTC."""
    account: str
    region: str
    principal: str = ""
    """The caller's ARN."""
    anonymous: bool = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the request; their names are lower case."""
    received: Received | None = None
    """What the request's body brought, where that is contents: checked, counted and kept."""
    made_by: str = ""
    """The event of an object that comes otherwise than by the operation itself (`ObjectCreated:Post`)."""
    copied: Any = None
    """What `PREPARED` has found out for the operation."""
    exists: Callable[[str], bool] = lambda _arn: True
    """Whether there is a queue or a topic of that ARN."""
    events: list[Event] = field(default_factory=list[Event])

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    def structure(self, name: str) -> Mapping[str, Any]:
        """A member that has members; empty where it was not said."""
        return self.parameters.get(name) or {}

    def bucket(self) -> Bucket:
        """The one that was named, if it is whose the caller expects it to be."""
        return self.bucket_named(self.parameters["Bucket"], self.get("ExpectedBucketOwner"))

    def bucket_named(self, name: str, expected_owner: str | None = None) -> Bucket:
        bucket = self.store.buckets.get(name)
        if bucket is None:
            raise no_bucket(name)
        if expected_owner is not None and expected_owner != bucket.account:
            raise denied()
        return bucket

    @property
    def method(self) -> str:
        """HTTP's, of what only reads or not."""
        if self.operation.startswith("Head"):
            return "HEAD"
        if self.operation.startswith(("Get", "List")):
            return "GET"
        return "DELETE" if self.operation.startswith("Delete") else "PUT"

    def happened(self, name: str, bucket: Bucket, key: str, entry: Entry) -> None:
        """To be told of when the lock has been let go."""
        self.events.append(Event(name, bucket, key, entry, bucket.number))


Operation = Callable[[Call], Result]
Preparation = Callable[[Call], Call]
