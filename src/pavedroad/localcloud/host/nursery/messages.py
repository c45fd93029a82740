"""What host, nursery and shims say to each other: one JSON object a packet (`SOCK_SEQPACKET`)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pavedroad.localcloud.host.nursery.cage import Bounds, Cage

LONGEST = 1 << 20
"""Bytes of a packet. Beyond it a boot is refused."""


class Part(NamedTuple):
    """An unpacked layer, and where it goes below the root; shared ones are linked, others copied."""

    source: str
    path: str
    shared: bool


class Boot(NamedTuple):
    """Host to nursery: start this. Its ancillary file descriptors are the guest's channel and, where it has
    one of its own, its network namespace."""

    key: str
    folder: str
    """The instance's own folder; `root`, `console.log` and the script go below it."""
    parts: list[Part]
    command: str
    """Empty for a bare machine."""
    script: str
    """User data to run before the command; empty for none."""
    environment: dict[str, str]
    bounds: Bounds = Bounds()
    cage: Cage | None = None
    """The control group to make for it; without one its bounds hold for each of its processes."""
    ordinary: bool = False
    """Its processes give up what we may do in a user namespace of our own."""
    user: int | None = None
    """Whom its processes are run by; None for our own user."""
    secluded: bool = False
    """Its processes have a view of their own of the machine's folders, as `user` always has."""
    listens: str = ""
    """At which address its programs listen that ask for every one; empty where that is the machine's."""
    readable: tuple[str, ...] = ()
    """What its processes may see besides the system's folders, their own and their interpreters."""


class Stop(NamedTuple):
    """Host to shim: SIGTERM to all, SIGKILL to what is left after the grace."""

    grace: float


class Fail(NamedTuple):
    """Host to shim: the machine under it has failed, SIGKILL to all."""


class Afflict(NamedTuple):
    """Host to shim: this is made to fail in its guest, and nothing else. Of each the fault's id, its ailment
    and its numbers."""

    afflictions: list[list[Any]]


class Running(NamedTuple):
    """Shim to host: this process runs (none on a bare machine), below the shim."""

    pid: int | None
    shim: int = 0


class Ended(NamedTuple):
    """Shim to host: nothing runs any more. `status` is an exit code, negative for a signal."""

    failed: bool
    status: int | None
    reason: str
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0
    """What all its processes have used."""
    passed: list[int] | None = None
    """Of `links.Passed`, where it has a network of its own."""
    operations: list[int] | None = None
    """Reads and writes of disks, where its control group counts them."""


class Gone(NamedTuple):
    """Nursery to host: the shim of this key has ended, and nothing of its guest is left.

    `reason` says what ended the shim, for guests whose shim had no last word."""

    key: str
    reason: str


Message = Boot | Stop | Fail | Afflict | Running | Ended | Gone
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (Boot, Stop, Fail, Afflict, Running, Ended, Gone)
}


def encode(message: Message) -> bytes:
    return json.dumps([type(message).__name__, message._asdict()], separators=(",", ":")).encode()


def decode(packet: bytes) -> Message:
    name, fields = json.loads(packet)
    if name == Boot.__name__:
        parts: list[Any] = fields.pop("parts")
        bounds, cage = Bounds(*fields.pop("bounds")), fields.pop("cage")
        readable: list[str] = fields.pop("readable")
        return Boot(
            parts=[Part(*part) for part in parts],
            bounds=bounds,
            cage=None if cage is None else Cage(*cage),
            readable=tuple(readable),
            **fields,
        )
    return _KINDS[name](**fields)
