"""Sign-in links, good once and for minutes, and the sessions of browsers that they begin.

The database keeps digests of both. A session stems from a token and never outlives it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.access.model import NewSession, SessionView, SignInLink, TokenView
from pavedroad.access.tables import SessionRow, SignInLinkRow, TokenRow
from pavedroad.access.tokens import is_good, view_of
from pavedroad.core.clock import Clock
from pavedroad.core.errors import NotFound, Unauthenticated
from pavedroad.database.engine import Database

LINK_MARK = "once_"
_LINK_LASTS = timedelta(minutes=10)
_IDLE = timedelta(hours=12)
_LONGEST = timedelta(days=30)
_SEEN_EVERY = timedelta(minutes=1)
_LINKS_AT_ONCE = 100
"""Of one token: whoever makes many takes none from another."""
_SESSIONS_AT_ONCE = 100
"""Of one token, likewise."""
_OPEN = "Type `paved open` for a new one."


class Sessions:
    """Makes and redeems links; begins, finds, lists and ends sessions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make_link(self, token_id: str) -> SignInLink:
        """A link that signs in whoever the token speaks for."""
        secret = LINK_MARK + secrets.token_urlsafe(32)
        now = self._clock.now()
        row = SignInLinkRow(
            digest=_digest(secret), token_id=token_id, made_at=now, expires_at=now + _LINK_LASTS, used_at=None
        )

        def work(session: Session) -> None:
            session.execute(sa.delete(SignInLinkRow).where(SignInLinkRow.made_at < now - _LONGEST))
            own = SignInLinkRow.token_id == token_id
            kept = sa.select(SignInLinkRow.digest).where(own).order_by(SignInLinkRow.made_at.desc())
            surplus = SignInLinkRow.digest.not_in(kept.limit(_LINKS_AT_ONCE))
            session.execute(sa.delete(SignInLinkRow).where(own, surplus))
            session.add(row)

        await self._database.write(work)
        return SignInLink(secret, row.expires_at)

    async def redeem(
        self, secret: str, *, browser: str, remote: str
    ) -> tuple[TokenView, NewSession, list[str]]:
        """The token that a link stands for, with a session as `begin` makes it; that uses the link up."""
        now = self._clock.now()

        def work(session: Session) -> tuple[TokenView, NewSession, list[str]] | str:
            link = session.get(SignInLinkRow, _digest(secret), with_for_update=True)
            if link is None:
                return "There is no such sign-in link."
            if link.used_at is not None:
                return "This sign-in link was used before; each is good once."
            if link.expires_at <= now:
                return "This sign-in link has expired; each is good for 10 minutes."
            token = session.get(TokenRow, link.token_id)
            if token is None or not is_good(token, now):
                return "The token that this sign-in link stems from has expired or was revoked."
            link.used_at = now
            view = view_of(token)
            return view, *_begun(session, view, now, browser, remote)

        found = await self._database.write(work)
        if isinstance(found, str):
            raise Unauthenticated(found, next_step=_OPEN)
        return found

    async def begin(self, token: TokenView, *, browser: str, remote: str) -> tuple[NewSession, list[str]]:
        """A session for who has shown that the token is theirs; and the ids of the oldest that it ended."""
        now = self._clock.now()
        return await self._database.write(lambda session: _begun(session, token, now, browser, remote))

    async def find(self, secret: str, *, seen: bool) -> tuple[SessionView, TokenView] | None:
        """The session with this secret, if it is good; `seen` keeps it from idling out."""
        now = self._clock.now()
        wanted = (
            sa.select(SessionRow, TokenRow)
            .join(TokenRow, TokenRow.id == SessionRow.token_id)
            .where(SessionRow.digest == _digest(secret))
        )
        found = await self._database.read(lambda session: session.execute(wanted).one_or_none())
        if found is None:
            return None
        row, token = found
        if not is_good(token, now) or row.ended_at is not None or _until(row) <= now:
            return None
        if seen and now - row.seen_at > _SEEN_EVERY:
            row.seen_at = now
            touched = sa.update(SessionRow).where(SessionRow.id == row.id).values(seen_at=now)
            await self._database.write(lambda session: session.execute(touched))
        return _view(row, token.name), view_of(token)

    async def all(self, token_id: str | None = None) -> list[SessionView]:
        """Those that last, newest first; of one token or of all."""
        now = self._clock.now()
        wanted = (
            sa.select(SessionRow, TokenRow)
            .join(TokenRow, TokenRow.id == SessionRow.token_id)
            .where(SessionRow.ended_at.is_(None), SessionRow.seen_at > now - _IDLE)
            .order_by(SessionRow.created_at.desc(), SessionRow.id)
        )
        if token_id is not None:
            wanted = wanted.where(SessionRow.token_id == token_id)
        rows = await self._database.read(lambda session: session.execute(wanted).all())
        found = [(row, token) for row, token in rows if is_good(token, now)]
        return [_view(row, token.name) for row, token in found if _until(row) > now]

    async def end(self, session_id: str, token_id: str | None = None) -> SessionView:
        """End one, of that token where one is named."""
        now = self._clock.now()

        def work(session: Session) -> SessionView | None:
            row = session.get(SessionRow, session_id)
            token = session.get(TokenRow, row.token_id) if row else None
            if row is None or token is None or token_id not in (None, token.id):
                return None
            row.ended_at = row.ended_at or now
            return _view(row, token.name)

        found = await self._database.write(work)
        if found is None:
            raise NotFound(f"There is no session '{session_id}'.", next_step="List them: paved session list.")
        return found


def _begun(
    session: Session, token: TokenView, now: datetime, browser: str, remote: str
) -> tuple[NewSession, list[str]]:
    secret, longest = secrets.token_urlsafe(32), now + _LONGEST
    row = SessionRow(
        id=f"ses-{secrets.token_hex(6)}",
        digest=_digest(secret),
        token_id=token.id,
        browser=browser[:200],
        remote=remote[:100],
        created_at=now,
        seen_at=now,
        expires_at=min(longest, token.expires_at or longest),
        ended_at=None,
    )
    session.execute(sa.delete(SessionRow).where(SessionRow.created_at < now - 2 * _LONGEST))
    own = SessionRow.token_id == token.id
    order = (SessionRow.ended_at.is_not(None), SessionRow.created_at.desc(), SessionRow.id)
    surplus = sa.select(SessionRow.id).where(own).order_by(*order).offset(_SESSIONS_AT_ONCE - 1)
    ended = list(session.scalars(surplus))
    session.execute(sa.delete(SessionRow).where(SessionRow.id.in_(ended)))
    session.add(row)
    return NewSession(_view(row, token.name), secret), ended


def _until(row: SessionRow) -> datetime:
    return min(row.seen_at + _IDLE, row.expires_at)


def _view(row: SessionRow, name: str) -> SessionView:
    return SessionView(
        id=row.id,
        name=name,
        token_id=row.token_id,
        browser=row.browser,
        remote=row.remote,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=_until(row),
        ended_at=row.ended_at,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
