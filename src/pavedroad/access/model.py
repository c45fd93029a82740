"""Who asks, what they may do, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal


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
    "cancel-bake": _DEPLOYERS,
    "forget-image": _DEPLOYERS,
    "prune-images": _DEPLOYERS,
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
    "make-link": _EVERYONE,
    "end-session": _EVERYONE,
    "manage-sessions": _ADMINS,
    "manage-tokens": _ADMINS,
}
"""Every action with the roles that may do it; what is not here nobody may."""


Kind = Literal["system", "token", "session", "stranger", "unknown"]
"""What acts: the platform by itself, the bearer of a token, a browser's session, someone who showed nothing
good; unknown is what was written down before kinds were."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as it is written down. Names are for people; kind and id say who it was."""

    name: str
    kind: Kind
    id: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """By what someone is known: a token, or a session that stems from one, and until when that is good."""

    kind: Kind = "system"
    id: str = ""
    token_id: str = ""
    until: datetime | None = None

    @property
    def ids(self) -> frozenset[str]:
        """Of all that has to last for this to be good."""
        return frozenset(filter(None, (self.id, self.token_id)))


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone, or something, that asks; without a credential it is the platform itself."""

    name: str
    roles: frozenset[Role]
    credential: Credential = Credential()

    @property
    def actor(self) -> Actor:
        return Actor(self.name, self.credential.kind, self.credential.id)


def may(principal: Principal, action: str) -> bool:
    """Whether a role of theirs allows it."""
    return bool(principal.roles & ALLOWED.get(action, frozenset()))


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
class SignInLink:
    """Good once, for minutes; the database has its digest only."""

    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A browser that is signed in, by a token's leave. It ends at `expires_at` unless it is used before."""

    id: str
    name: str
    token_id: str
    browser: str
    remote: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun, with the secret for its cookie."""

    session: SessionView
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What someone did, or tried, to a subject. `outcome` is done, refused or failed; of what destroys it is
    begun first. `kind` and `actor_id` say who it was, whatever they are called: the platform itself, or a
    token or session by its id."""

    id: int
    at: datetime
    principal: str
    action: str
    subject: str
    outcome: str
    detail: dict[str, Any]
    kind: Kind = "unknown"
    actor_id: str = ""


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
