"""What the host measures, for whoever publishes it (`GET /measurements`): counters, never rates.

A counter rises from 0 within its own `boot` or `run`; in another one it begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LimitedBy = Literal["cgroup v2", "cgroup v1", "rlimits"]


@dataclass(frozen=True, slots=True)
class LinkMeasure:
    """What has come in by a guest's link and gone out by it."""

    received_bytes: int
    received_packets: int
    sent_bytes: int
    sent_packets: int


@dataclass(frozen=True, slots=True)
class GuestMeasure:
    """One boot of a guest: what all its processes have used by `at`, those that have ended included.

    Disk bytes, reads and writes are what reached block devices, None where the kernel does not say. The link
    is None where guests share the machine's network. A guest that has ended is there once more with its last
    word, `running` no longer."""

    id: str
    boot: int
    at: float
    running: bool
    cpu_seconds: float
    memory_bytes: int
    read_bytes: int | None
    written_bytes: int | None
    link: LinkMeasure | None = None
    reads: int | None = None
    writes: int | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often which value was seen: the middles of narrow bins, ascending, and their counts."""

    values: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FrontMeasure:
    """A listener's connections, and the bytes of its requests and answers, their heads included.

    `node` is the zone of the node that was asked, empty for the balancer's own address."""

    arn: str
    node: str
    connections: int
    active_connections: int
    refused_connections: int
    tls_errors: int
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class AnswerMeasure:
    """Answers of one kind: `by` says who made them. `pool_arn` is empty where a rule answered, `zone` (the
    target's) where no target was chosen."""

    front_arn: str
    node: str
    pool_arn: str
    zone: str
    by: Literal["target", "balancer"]
    status: int
    count: int


@dataclass(frozen=True, slots=True)
class TimeMeasure:
    """In how many seconds a target group's targets in a zone began to answer a listener's requests."""

    front_arn: str
    node: str
    pool_arn: str
    zone: str
    seconds: Histogram


@dataclass(frozen=True, slots=True)
class PoolMeasure:
    """The connections to a target group's targets."""

    arn: str
    connections: int
    active_connections: int
    failed_connections: int


@dataclass(frozen=True, slots=True)
class TargetMeasure:
    """A target, by pool, address and port. Bytes are those of its requests and answers."""

    pool_arn: str
    address: str
    port: int
    requests: int
    failed_connections: int
    active_requests: int
    taken_bytes: int
    given_bytes: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the balancers have done. In another `run`, which is Envoy's, the counters begin anew."""

    run: str
    fronts: tuple[FrontMeasure, ...]
    answers: tuple[AnswerMeasure, ...]
    times: tuple[TimeMeasure, ...]
    pools: tuple[PoolMeasure, ...]
    targets: tuple[TargetMeasure, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of it. `traffic` is None while no Envoy answers."""

    epoch: str
    at: float
    limited_by: LimitedBy
    guests: tuple[GuestMeasure, ...]
    traffic: Traffic | None
    confined: str = ""
    """How guests are walled in, a sentence."""
