"""Buckets and what is in them, as they are kept. Times are of the wall clock, in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pavedroad.localcloud.api.objects import Blob
from pavedroad.localcloud.objects.keys import Keys

NULL = "null"
"""The id of the version that a key has where its bucket is not versioned."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of contents that are kept."""

    blob: Blob
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Checksum:
    """`value` is S3's text of it: base64, and for a `COMPOSITE` of parts a hyphen and their number."""

    algorithm: str
    value: str
    type: str = "FULL_OBJECT"


@dataclass(frozen=True, slots=True)
class Retention:
    """`mode` is `GOVERNANCE` or `COMPLIANCE`."""

    mode: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """What is still known of a part of the object that was uploaded in parts."""

    number: int
    size: int
    etag: str = ""
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Of an upload that is going on."""

    number: int
    at: datetime
    etag: str
    contents: tuple[Extent, ...]
    checksum: Checksum | None = None
    """The one that was named, or the default."""
    crc64nvme: str = ""
    """Of every part where the upload named no algorithm: the object's is made of them."""

    @property
    def size(self) -> int:
        return sum(extent.length for extent in self.contents)


@dataclass(frozen=True, slots=True)
class Settings:
    """What whoever puts an object says of it, by the names of the API's members."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """`ContentType`, `ContentEncoding`, `ContentLanguage`, `ContentDisposition`, `CacheControl`, `Expires`
    and `WebsiteRedirectLocation`, as they were put."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    encryption: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`ServerSideEncryption`, `SSEKMSKeyId`, `BucketKeyEnabled`, `SSECustomerAlgorithm` and
    `SSECustomerKeyMD5`."""
    storage_class: str = "STANDARD"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    grants: tuple[Mapping[str, Any], ...] | None = None
    """As `Grants` of an ACL has them; None is the owner's full control."""
    retention: Retention | None = None
    legal_hold: str = ""
    """`ON`, `OFF`, or empty where it was never set."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object. `number` rises with every change of a bucket, so it is the order of
    versions, and the sequencer of events."""

    id: str
    number: int
    at: datetime
    owner: str
    """The account's number."""
    etag: str
    """Without quotes."""
    contents: tuple[Extent, ...] = ()
    checksum: Checksum | None = None
    pieces: tuple[Piece, ...] = ()
    """Where it was uploaded in parts."""
    upload: str = ""
    """The id of the upload that it was."""
    settings: Settings = field(default_factory=Settings)
    restored_until: datetime | None = None
    """Of an archived one."""

    @property
    def size(self) -> int:
        return sum(extent.length for extent in self.contents)


@dataclass(frozen=True, slots=True)
class DeleteMarker:
    id: str
    number: int
    at: datetime
    owner: str


Entry = Version | DeleteMarker


@dataclass(slots=True)
class Upload:
    """In parts, and not yet an object."""

    id: str
    key: str
    at: datetime
    owner: str
    initiator: str
    """The caller's ARN."""
    settings: Settings
    algorithm: str = ""
    """Of its checksum, where one was named."""
    checksum_type: str = ""
    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    """By number."""


@dataclass(slots=True)
class Bucket:
    name: str
    account: str
    region: str
    created: datetime
    number: int = 0
    """Rises with every change to its objects."""
    versioning: str = ""
    """`Enabled`, `Suspended`, or empty where it was never set."""
    locks_objects: bool = False
    configuration: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was put, by the operation's name without its verb (`BucketCors`, `PublicAccessBlock`,
    `ObjectLockConfiguration`), as the API's input has it; of several by id, a dictionary of them."""
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    """By id."""
    keys: Keys[Entry] = field(default_factory=Keys[Entry])
    """Every key with its versions, the newest first."""

    def configured(self, name: str, member: str) -> Mapping[str, Any]:
        """What was put by an operation, with or without the member that it is in; empty where nothing was."""
        kept: Mapping[str, Any] = self.configuration.get(name) or {}
        return kept.get(member) or kept

    @property
    def is_empty(self) -> bool:
        return not self.keys and not self.uploads


def first(rules: Sequence[Mapping[str, Any]] | None) -> Mapping[str, Any]:
    """The first of them; empty where there is none."""
    return rules[0] if rules else {}


@dataclass(slots=True)
class Store:
    """All buckets of all accounts, by name: they share one space of names."""

    buckets: dict[str, Bucket] = field(default_factory=dict[str, Bucket])
