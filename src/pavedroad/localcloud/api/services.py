"""How a service is plugged into the endpoint: a request in, a response out, and its state to keep.

`Service.handle` is called from a worker thread with no lock held: it takes `State.changing()` (or, to read,
`State.lock`) itself, and may wait for the host after it has let go of it. Services that are moto response
classes get all that from `pavedroad.localcloud.moto_adapter.ResponseService`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO, Protocol, runtime_checkable

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Compute, Metrics, Queues, Topics

LARGEST_OBJECT = 5 * 2**30
"""Of S3, that is put in one call."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A call as it came in. `path` and `query` are raw, percent-encoded; header names are lower case;
    `service` and `region` come from the signature's scope, `account` from its key."""

    service: str
    region: str
    account: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    stream: BinaryIO = field(default_factory=BytesIO)
    """The body, decoded (no chunk framing), from its beginning."""
    length: int = 0
    request_id: str = ""
    anonymous: bool = False
    """Its caller has shown no key."""

    def body(self) -> bytes:
        self.stream.seek(0)
        return self.stream.read()


@dataclass(frozen=True, slots=True)
class ApiResponse:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content: Content | None = None
    """In place of the body, where that is large."""


@dataclass(frozen=True, slots=True)
class Content:
    """A part of an open file, from where it stands on."""

    file: BinaryIO
    length: int
    demand: Callable[[], None] = lambda: None
    """Called before the last of it is sent; it raises where that would make damaged contents whole."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stands between a call and its service: it is late, and then perhaps refused."""

    delay_seconds: float = 0.0
    refusal: ServiceError | None = None


class Service(Protocol):
    """One AWS service, by its signing name (`ec2`, `autoscaling`, `elasticloadbalancing`)."""

    @property
    def name(self) -> str: ...

    def handle(self, request: ApiRequest) -> ApiResponse: ...


@runtime_checkable
class OpenToAll(Protocol):
    """A service some of whose calls are for callers who have shown no key."""

    def check_anonymous(self, request: ApiRequest) -> None:
        """`ServiceError` where such a one may not make this call; asked before its body has come."""
        ...


class Form(Protocol):
    """How what a part keeps is written down, in some version of some kind."""

    @property
    def kind(self) -> str: ...

    @property
    def version(self) -> str: ...

    def encode(self, value: Any) -> bytes: ...

    def decode(self, body: bytes, version: str) -> Any:
        """What was written, perhaps by an earlier version; raises where it cannot be had whole."""
        ...


@runtime_checkable
class Durable(Protocol):
    """A service (or controller) that keeps state of its own over a restart. Both are called with the
    state lock held; what `dump` gives is written at once, so it may be live objects."""

    @property
    def form(self) -> Form: ...

    def dump(self) -> object: ...

    def load(self, saved: Any) -> None: ...


ComputeOf = Callable[[str, str], Compute]
"""(account, region) -> EC2 there."""

BalancersOf = Callable[[str, str], Balancers]
"""(account, region) -> ELBv2 there."""

MetricsOf = Callable[[str, str], Metrics]
"""(account, region) -> CloudWatch there."""

TopicsOf = Callable[[str, str], Topics]
"""(account, region) -> SNS there."""

QueuesOf = Callable[[str, str], Queues]
"""(account, region) -> SQS there."""
