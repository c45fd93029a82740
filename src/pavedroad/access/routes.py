"""Access over HTTP: the dependency that all routes share, the audit log, and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pavedroad.access.model import AuditEntry, AuditQuery, Principal, Role, SessionView, TokenView
from pavedroad.access.naming import LONGEST
from pavedroad.access.service import Access

router = APIRouter(prefix="/v1", tags=["access"])


def _access(request: Request) -> Access:
    return cast("Access", request.app.state.access)


async def principal(request: Request) -> Principal:
    """Whoever the request's bearer token speaks for."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == "bearer" else None
    remote = request.client.host if request.client else ""
    found = await _access(request).authenticate(shown, remote=remote)
    request.state.principal = found
    return found


Service = Annotated[Access, Depends(_access)]
Someone = Annotated[Principal, Depends(principal)]


class AuditFilters(BaseModel):
    """All that is given must match."""

    model_config = ConfigDict(extra="forbid")

    principal: str | None = None
    action: str | None = None
    subject: str | None = None
    outcome: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: int | None = None
    limit: int = Field(default=100, ge=1, le=1000)


class AuditPage(BaseModel):
    """Entries newest first; ask again with `before` set to `next` for the older ones."""

    entries: list[AuditEntry]
    next: int | None


class TokenRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST, examples=["ci"])
    roles: list[Role] = Field(min_length=1, examples=[["deployer"]])
    expires_at: AwareDatetime | None = None


class MadeToken(BaseModel):
    """A new token; `secret` is shown this once."""

    token: TokenView
    secret: str


class MadeLink(BaseModel):
    """A path of the portal that signs its opener in, once."""

    path: str = Field(examples=["/login#once_..."])
    expires_at: datetime


@router.get("/audit", summary="What was done, by whom, to what")
async def read_audit(
    access: Service, someone: Someone, filters: Annotated[AuditFilters, Query()]
) -> AuditPage:
    access.authorise(someone, "read-audit")
    entries = await access.audit.entries(AuditQuery(**dict(filters)))
    return AuditPage(entries=entries, next=entries[-1].id if len(entries) == filters.limit else None)


@router.get("/tokens", summary="The tokens, without their secrets")
async def list_tokens(access: Service, someone: Someone) -> list[TokenView]:
    access.authorise(someone, "manage-tokens")
    return await access.tokens.all()


@router.post("/tokens", status_code=201, summary="Make a token; its secret is shown this once")
async def make_token(access: Service, someone: Someone, body: TokenRequest) -> MadeToken:
    detail = {"roles": [str(role) for role in body.roles]}
    async with access.acting(someone, "manage-tokens", body.name, detail) as told:
        expires_at: datetime | None = body.expires_at
        made = await access.tokens.make(body.name, body.roles, by=someone.name, expires_at=expires_at)
        told["id"] = made.token.id
        return MadeToken(token=made.token, secret=made.secret)


@router.delete("/tokens/{token_id}", summary="Revoke a token: it stops working at once")
async def revoke_token(access: Service, someone: Someone, token_id: str) -> TokenView:
    async with access.acting(someone, "manage-tokens", token_id):
        return await access.revoke(token_id)


@router.post("/sign-in-links", status_code=201, summary="Make a link that signs a browser in, once")
async def make_sign_in_link(access: Service, someone: Someone) -> MadeLink:
    """For whoever the token speaks for; good for 10 minutes. What is after `#` reaches no server's log."""
    made = await access.make_link(someone)
    return MadeLink(path=f"/login#{made.secret}", expires_at=made.expires_at)


@router.get("/sessions", summary="The browsers that are signed in; an administrator sees everybody's")
async def list_sessions(access: Service, someone: Someone) -> list[SessionView]:
    access.authorise(someone, "view")
    return await access.sessions.all(access.only(someone))


@router.delete("/sessions/{session_id}", summary="End a session, with all that it follows live")
async def end_session(access: Service, someone: Someone, session_id: str) -> SessionView:
    return await access.end_session(someone, session_id)
