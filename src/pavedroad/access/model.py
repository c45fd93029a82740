"""Who asks, what they may do, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Role(StrEnum):
    """What a token's bearer is."""

    ADMIN = "admin"
    DEPLOYER = "deployer"
    VIEWER = "viewer"


_EVERYONE = frozenset(Role)
_DEPLOYERS = frozenset({Role.ADMIN, Role.DEPLOYER})
_ADMINS = frozenset({Role.ADMIN})

ALLOWED: Final[dict[str, frozenset[Role]]] = {
    "view": _EVERYONE,
    "bake": _DEPLOYERS,
    "deploy": _DEPLOYERS,
    "cancel": _DEPLOYERS,
    "rollback": _DEPLOYERS,
    "enable": _DEPLOYERS,
    "disable": _DEPLOYERS,
    "resize": _DEPLOYERS,
    "destroy": _DEPLOYERS,
    "destroy-cluster": _DEPLOYERS,
    "start-fault": _DEPLOYERS,
    "end-fault": _DEPLOYERS,
    "read-audit": _DEPLOYERS,
    "manage-tokens": _ADMINS,
}
"""Every action with the roles that may do it; what is not here nobody may."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone, or something, that asks."""

    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token without its secret."""

    id: str
    name: str
    roles: tuple[Role, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the only time that its secret is shown."""

    token: TokenView
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What someone did, or tried, to a subject. `outcome` is done, refused or failed."""

    id: int
    at: datetime
    principal: str
    action: str
    subject: str
    outcome: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries: those that match all that is given, newest first, with ids below `before`."""

    principal: str | None = None
    action: str | None = None
    subject: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 100
