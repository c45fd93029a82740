"""What the API process tells the host process to make true, and what the host answers is true.

The API sends `Wanted` changes over HTTP on a Unix socket (routes in `docs/explanation/private-cloud.md`);
the host's `Actual` comes back as a long poll. Both are level-triggered: losing a message loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pavedroad.core.networking import Listening
from pavedroad.localcloud.codec import Codec

GuestState = Literal["starting", "running", "stopping", "exited", "failed"]
ProbeState = Literal["initial", "healthy", "unhealthy"]
Ailment = Literal["hung", "cpu", "memory", "disk", "network", "clock"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of an image's root: `digest` names a zstd-compressed tar in the image store; `path` is where
    it goes below the root. A shared layer is linked in, read-only by convention; others are copied."""

    digest: str
    path: str
    shared: bool


@dataclass(frozen=True, slots=True)
class GuestImage:
    """What to boot. Without layers and command it is a bare machine: user data runs, then it idles."""

    id: str
    layers: tuple[Layer, ...] = ()
    command: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    stop_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What a guest's instance type gives it."""

    cpus: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Affliction:
    """What is made to fail in a guest while it is there: by the fault's id, with the numbers of its kind."""

    id: str
    ailment: Ailment
    numbers: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Guest:
    """An instance that there should be. `boot` rises by one for every start or reboot that is wanted."""

    id: str
    boot: int
    region: str
    zone: str
    address: str
    image: GuestImage
    user_data: str
    """Base64, as the API has it."""
    instance_type: str
    environment: dict[str, str]
    metadata: dict[str, str]
    """IMDS paths below `/latest/` (without leading slash) to their texts, e.g. `meta-data/instance-id`."""
    require_token: bool = False
    """IMDSv2 only."""
    metadata_enabled: bool = True
    metadata_hops: int = 1
    """How many routers a session token may pass on its way."""
    """Else its metadata service refuses everything."""
    running: bool = True
    """Else it is stopped, and keeps its disk: what is not wanted at all loses it."""
    limits: Limits | None = None
    failed: bool = False
    """The machine under it has failed: it is ended without being told."""
    afflictions: tuple[Affliction, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestStatus:
    """A guest as it is. `reason` says how it ended: `exited with status 3`, `killed by signal 9 (SIGKILL)`,
    `could not start: No such file or directory: './serve'`."""

    id: str
    boot: int
    state: GuestState
    pid: int | None
    started_at: float | None
    ended_at: float | None
    exit_status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A target group's health check. `matcher` is AWS's: `200`, `200,202`, `200-399`."""

    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"]
    path: str
    interval_seconds: float
    timeout_seconds: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a target group sends requests. `id` is an instance id or an ip, as registered. `probe_port`
    may differ from `port`. A draining target gets no new requests and is not probed."""

    id: str
    address: str
    port: int
    probe_port: int
    zone: str
    draining: bool
    via: str = ""
    """The address of a relay that leads to it, while its network is made to fail."""

    @property
    def reached_at(self) -> str:
        return self.via or self.address


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Clients stay with a target by a cookie, the balancer's own or that of the application (`cookie`). A
    classic balancer's is called AWSELB, and of 0 seconds lasts as long as the client's session."""

    kind: Literal["lb_cookie", "app_cookie"]
    seconds: int
    cookie: str = ""
    classic: bool = False


@dataclass(frozen=True, slots=True)
class Least:
    """How many targets must be healthy, by number and by percentage; 0 where that is not asked."""

    count: int = 1
    percentage: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """A target group that some listener uses, so its targets are probed and balanced over."""

    arn: str
    protocol: Literal["HTTP", "HTTPS", "TCP", "SSL"]
    probe: Probe
    targets: tuple[Target, ...]
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "round_robin"
    anomaly_mitigation: bool = False
    slow_start_seconds: int = 0
    stickiness: Stickiness | None = None
    cross_zone: bool = True
    """Else a node sends to the targets of its own zone alone."""
    fail_open: Least = Least()
    """With fewer healthy targets, all are sent to."""
    fail_over: Least = Least()
    """With fewer healthy targets in a zone, the balancer's own address leaves that zone out."""
    proxy_protocol: bool = False
    """Each connection begins with a line that says whose it is."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule's condition. `field` is AWS's (`path-pattern`, `host-header`, `http-header`,
    `http-request-method`, `query-string`, `source-ip`); `name` is the header's. Any value matches; a
    query-string value is `key=value` or `value`, with AWS's wildcards `*` and `?`. `expressions` are regular
    expressions, in place of values."""

    field: str
    values: tuple[str, ...]
    name: str = ""
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """Weighted shares by target group ARN. All zero or empty answers 503. A client stays with its target
    group for `sticky_seconds`, where that is not 0."""

    weights: dict[str, int]
    sticky_seconds: int = 0


@dataclass(frozen=True, slots=True)
class FixedResponse:
    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """AWS's redirect: each part may hold `#{protocol} #{host} #{port} #{path} #{query}`."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True, slots=True)
class Transform:
    """What is sent on in place of a request's host, or of its path and query: every match of `regex` becomes
    `replace`, in which `$1` is the first group."""

    part: Literal["host", "url"]
    regex: str
    replace: str


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must match. Lower priority comes first; the default, without conditions, comes last."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Action
    transforms: tuple[Transform, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A balancer's presence in a zone that is up."""

    zone: str
    address: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS listener shows; `names` are those that it is for."""

    arn: str
    names: tuple[str, ...]
    chain: str = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """The first certificate is the default; `ciphers` are OpenSSL's names, for what is older than TLS 1.3."""

    certificates: tuple[Certificate, ...]
    oldest: str
    newest: str
    ciphers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manners:
    """How a front treats connections and headers: AWS's attributes of balancers and listeners."""

    client_keep_alive_seconds: int = 3600
    http2: bool = True
    drop_invalid_headers: bool = False
    preserve_host: bool = False
    forwarded_for: Literal["append", "preserve", "remove"] = "append"
    forwarded_for_port: bool = False
    tls_headers: bool = False
    server_header: bool = True
    tls_header_names: dict[str, str] = field(default_factory=dict[str, str])
    """Other names for `x-amzn-tls-version` and `x-amzn-tls-cipher-suite`."""
    response_headers: dict[str, str] = field(default_factory=dict[str, str])
    """Set on every answer."""


@dataclass(frozen=True, slots=True)
class Front:
    """A listener: where Envoy listens, and its rules in order, the default last. `address` is the balancer's
    own, which reaches every zone; `nodes` listen on the same port, each for its zone. One that `streams`
    hands connections on as they are, to the only target group of its only rule, whatever the zone."""

    arn: str
    address: str
    port: int
    rules: tuple[Rule, ...]
    idle_timeout_seconds: int = 60
    nodes: tuple[Node, ...] = ()
    asked_port: int = 0
    """The port that the listener was asked for, where it is another; 0 else."""
    tls: Tls | None = None
    manners: Manners = field(default_factory=Manners)
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """What one rule of a security group lets through. `protocol` is a name or IANA's number, `-1` for all;
    `first` and `last` are ports, or ICMP's type and code, and -1 for any."""

    protocol: str
    first: int = -1
    last: int = -1
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group, with the addresses that have it: instances' and balancers'."""

    id: str
    ingress: tuple[Permission, ...]
    egress: tuple[Permission, ...]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A probed target. `reason` is AWS's code (`Target.Timeout`, `Target.ResponseCodeMismatch`,
    `Target.FailedHealthChecks`, `Elb.InitialHealthChecking`), `description` a sentence. `active` counts
    requests and connections in flight, so that draining can end early; None while unknown."""

    pool_arn: str
    target_id: str
    port: int
    state: ProbeState
    reason: str
    description: str
    active: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """All of it. `revision` rises with every change."""

    revision: int
    guests: tuple[Guest, ...]
    pools: tuple[Pool, ...]
    fronts: tuple[Front, ...]
    groups: tuple[SecurityGroup, ...] = ()
    """Where instances have networks of their own; none elsewhere."""


@dataclass(frozen=True, slots=True)
class Actual:
    """All of it. `epoch` is the host process's own; another epoch means that the host was started anew.
    `revision` rises with every change. `routed` is the `Wanted.revision` that Envoy has acknowledged;
    `refused` says which fronts could not be opened, and why; `impaired` which are open and do not serve all
    that they should; `listening` where guests' services listen that ask for every address."""

    epoch: str
    revision: int
    routed: int
    guests: tuple[GuestStatus, ...]
    targets: tuple[TargetStatus, ...]
    refused: dict[str, str]
    impaired: dict[str, str] = field(default_factory=dict[str, str])
    listening: Listening = "machine"


@dataclass(frozen=True, slots=True)
class WantedChange:
    """What changed in `Wanted` (`PATCH /wanted`): by id or ARN, null for what is no longer wanted."""

    epoch: str
    revision: int
    guests: dict[str, Guest | None] = field(default_factory=dict[str, "Guest | None"])
    pools: dict[str, Pool | None] = field(default_factory=dict[str, "Pool | None"])
    fronts: dict[str, Front | None] = field(default_factory=dict[str, "Front | None"])
    groups: dict[str, SecurityGroup | None] = field(default_factory=dict[str, "SecurityGroup | None"])


@dataclass(frozen=True, slots=True)
class ActualChange:
    """What changed in `Actual` since a revision (`GET /actual?changes=1`); its `gone` tells it from a whole
    `Actual`: the ids of guests that the host has forgotten."""

    epoch: str
    revision: int
    routed: int
    guests: tuple[GuestStatus, ...]
    targets: tuple[TargetStatus, ...]
    refused: dict[str, str]
    gone: tuple[str, ...]
    impaired: dict[str, str] = field(default_factory=dict[str, str])


WIRE = Codec({Action: {"forward": Forward, "fixed-response": FixedResponse, "redirect": Redirect}})
"""How both sides of the socket write it."""
