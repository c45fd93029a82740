"""The command's exit codes. Scripts rely on them: they never change their meaning."""

from __future__ import annotations

from enum import IntEnum

_BY_CODE = {
    "invalid-input": 2,
    "too-large": 2,
    "head-too-large": 2,
    "method-not-allowed": 2,
    "misdirected": 2,
    "too-slow": 3,
    "unavailable": 3,
    "state-unreadable": 8,
    "busy": 3,
    "cloud-failed": 3,
    "not-found": 4,
    "conflict": 5,
    "guarded": 5,
    "cold": 5,
    "deploy-failed": 6,
    "bake-failed": 6,
    "capacity-refused": 6,
    "unauthenticated": 7,
    "forbidden": 7,
    "too-many-attempts": 7,
}


class Exit(IntEnum):
    """What an exit code says."""

    OK = 0
    INTERNAL = 1
    """Something broke inside Pavedroad."""
    USAGE = 2
    """The command, its options or a file make no sense as given."""
    UNAVAILABLE = 3
    """A part is not there: not running, a port in use, Envoy missing, the disk full, the cloud away."""
    NOT_FOUND = 4
    """There is no such application, cluster, server group or other thing."""
    CONFLICT = 5
    """It makes sense, but not now; or a guard refused because it would hurt users."""
    FAILED = 6
    """A bake or a deployment failed or was cancelled; what served before still serves."""
    FORBIDDEN = 7
    """No token, a wrong one, or one that may not do this."""
    UNREADABLE = 8
    """What was saved does not load; nothing of it was changed."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM, or a terminal that was closed."""

    @classmethod
    def of(cls, code: str) -> Exit:
        """For an error's stable code."""
        return cls(_BY_CODE.get(code, 1))
