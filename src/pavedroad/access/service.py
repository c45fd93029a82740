"""The gate: who a token or a session speaks for, and what they may do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pavedroad.access.attempts import Attempts
from pavedroad.access.audit import Audit
from pavedroad.access.lasting import Lasting
from pavedroad.access.model import (
    ALLOWED,
    Credential,
    NewSession,
    Principal,
    SessionView,
    SignInLink,
    TokenView,
    may,
)
from pavedroad.access.naming import STRANGER
from pavedroad.access.sessions import LINK_MARK, Sessions
from pavedroad.access.tokens import Tokens
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Forbidden, Unauthenticated
from pavedroad.database.engine import Database

_STRANGER = Principal(STRANGER, frozenset(), Credential("stranger"))
_WRONG = "The token is wrong, expired or revoked."
_HOW = "Send the header 'Authorization: Bearer <token>' with the token that `paved up` keeps."


class Access:
    """Authenticates and authorises. Its books are `tokens`, `sessions` and `audit`; what goes on for as long
    as someone may is in `lasting`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.tokens = Tokens(database, clock)
        self.sessions = Sessions(database, clock)
        self.audit = Audit(database, clock)
        self.lasting = Lasting(clock)
        self.attempts = Attempts(clock, self._tell_of_strangers)

    async def authenticate(self, token: str | None, *, remote: str = "") -> Principal:
        """Whoever a bearer token speaks for; a wrong one is written down, with where it came from."""
        if not token:
            raise Unauthenticated("This needs a token, and there was none.", next_step=_HOW)
        found = await self.tokens.find(token)
        if found is None:
            await self.attempts.failed_call(remote, _WRONG)
            raise Unauthenticated(_WRONG, next_step=_HOW)
        return _bearer(found)

    async def resume(self, secret: str, *, seen: bool = True) -> Principal:
        """Whoever a session's cookie speaks for; `seen` keeps the session from idling out."""
        found = await self.sessions.find(secret, seen=seen)
        if found is None:
            raise Unauthenticated("The session has ended.", next_step="Sign in again: `paved open`.")
        return _browser(*found)

    async def make_link(self, principal: Principal) -> SignInLink:
        """A link that signs in, once, whoever asks for it."""
        async with self.acting(principal, "make-link", "sign-in"):
            return await self.sessions.make_link(principal.credential.token_id)

    async def sign_in(self, shown: str, *, browser: str, remote: str) -> NewSession:
        """Begin a session for who shows a token or a link's secret."""
        try:
            token, begun, ended = await self._begun(shown, browser, remote)
        except Unauthenticated as refusal:
            await self.attempts.failed_sign_in(remote, refusal.sentence)
            raise
        for session_id in ended:
            self.lasting.end(session_id)
        how = {"by": "link" if shown.startswith(LINK_MARK) else "token in the form", "browser": browser}
        who = _browser(begun.session, token)
        await self.audit.record(who, "sign-in", begun.session.id, "done", {**how, "remote": remote})
        return begun

    async def _begun(self, shown: str, browser: str, remote: str) -> tuple[TokenView, NewSession, list[str]]:
        if shown.startswith(LINK_MARK):
            return await self.sessions.redeem(shown, browser=browser, remote=remote)
        found = await self.tokens.find(shown)
        if found is None:
            raise Unauthenticated(_WRONG, next_step="Type `paved open` for a link that signs you in.")
        return found, *await self.sessions.begin(found, browser=browser, remote=remote)

    async def _tell_of_strangers(self, action: str, remote: str, reason: str, count: int) -> None:
        detail = {"reason": reason, "attempts": count}
        await self.audit.record(_STRANGER, action, remote or "unknown", "refused", detail)

    async def end_session(self, principal: Principal, session_id: str) -> SessionView:
        """End one's own session, or any as an administrator; what it follows live ends now."""
        async with self.acting(principal, "end-session", session_id):
            ended = await self.sessions.end(session_id, self.only(principal))
        self.lasting.end(session_id)
        return ended

    async def revoke(self, token_id: str) -> TokenView:
        """Make a token worthless, with all sessions that stem from it."""
        revoked = await self.tokens.revoke(token_id)
        self.lasting.end(token_id)
        return revoked

    def only(self, principal: Principal) -> str | None:
        """The token whose sessions someone may see and end; None is everybody's."""
        everybody = principal.roles & ALLOWED["manage-sessions"]
        return None if everybody else principal.credential.token_id

    def authorise(self, principal: Principal, action: str) -> None:
        """Nothing, or Forbidden."""
        if not may(principal, action):
            needed = " or ".join(sorted(ALLOWED.get(action, ()))) or "none that exists"
            raise Forbidden(
                f"{principal.name} may not {action.replace('-', ' ')}: that takes the role {needed}.",
                next_step="Ask an administrator for a token with that role.",
            )

    @asynccontextmanager
    async def acting(
        self, principal: Principal, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[dict[str, Any]]:
        """The body runs if the principal may, and, where it destroys, once the audit log says that it begins;
        however it ends, the log says so."""
        async with self.audit.watch(principal, action, subject, detail, begins=False) as told:
            self.authorise(principal, action)
            await self.audit.begin(principal, action, subject, told)
            yield told


def _bearer(token: TokenView) -> Principal:
    by = Credential("token", token.id, token.id, token.expires_at)
    return Principal(token.name, frozenset(token.roles), by)


def _browser(session: SessionView, token: TokenView) -> Principal:
    by = Credential("session", session.id, token.id, session.expires_at)
    return Principal(token.name, frozenset(token.roles), by)
