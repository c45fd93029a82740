"""Bearer tokens: the secret is shown once, the database keeps its digest only."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.access.model import NewToken, Role, TokenView
from pavedroad.access.naming import FIRST, STARTER, check_name
from pavedroad.access.tables import TokenRow
from pavedroad.core.clock import Clock
from pavedroad.core.errors import NotFound, StateUnreadable, Unavailable
from pavedroad.core.files import write_whole
from pavedroad.database.engine import Database

_MARK = "paved_"  # lets secret scanners know one when they see it
_TOKEN = re.compile(rf"{_MARK}[A-Za-z0-9_-]{{43}}")


class Tokens:
    """Makes, finds, lists and revokes tokens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(
        self, name: str, roles: Iterable[Role], *, by: str, expires_at: datetime | None = None
    ) -> NewToken:
        """A token for someone; its name misleads nobody who reads the log."""
        now = self._clock.now()

        def check(session: Session) -> None:
            if session.get_bind().dialect.name == "postgresql":  # of two at once, one looks after the other
                session.execute(sa.text(f"LOCK TABLE {TokenRow.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))
            check_name(name, [row.name for row in session.scalars(sa.select(TokenRow)) if is_good(row, now)])

        return await self._make(name, roles, by=by, expires_at=expires_at, check=check)

    async def _make(
        self,
        name: str,
        roles: Iterable[Role],
        *,
        by: str,
        expires_at: datetime | None = None,
        check: Callable[[Session], None] = lambda _: None,
    ) -> NewToken:
        """`check` is asked in the same transaction."""
        secret = _MARK + secrets.token_urlsafe(32)
        row = TokenRow(
            id=f"tok-{secrets.token_hex(6)}",
            name=name,
            roles=sorted(roles),
            digest=_digest(secret),
            created_at=self._clock.now(),
            created_by=by,
            expires_at=expires_at,
            revoked_at=None,
        )

        def work(session: Session) -> None:
            check(session)
            session.add(row)

        await self._database.write(work)
        return NewToken(view_of(row), secret)

    async def find(self, secret: str) -> TokenView | None:
        """The token with this secret, if it is good."""
        digest = _digest(secret)
        wanted = sa.select(TokenRow).where(TokenRow.digest == digest)
        row = await self._database.read(lambda session: session.scalar(wanted))
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        return view_of(row) if is_good(row, self._clock.now()) else None

    async def all(self) -> list[TokenView]:
        """Newest first, the revoked ones among them."""
        wanted = sa.select(TokenRow).order_by(TokenRow.created_at.desc(), TokenRow.id)
        return [
            view_of(row) for row in await self._database.read(lambda session: session.scalars(wanted).all())
        ]

    async def revoke(self, token_id: str) -> TokenView:
        now = self._clock.now()

        def work(session: Session) -> TokenView:
            row = session.get(TokenRow, token_id)
            if row is None:
                raise NotFound(f"There is no token '{token_id}'.", next_step="List them: paved token list.")
            row.revoked_at = row.revoked_at or now
            return view_of(row)

        return await self._database.write(work)

    async def keep_first(self, path: Path) -> None:
        """See that the file holds a good administrator's token: keep the one that is there, or make one."""
        try:
            held = await asyncio.to_thread(_read_private, path)
            found = await self.find(held) if held else None
            if found is None or Role.ADMIN not in found.roles:
                made = await self._make(FIRST, [Role.ADMIN], by=STARTER)
                await asyncio.to_thread(_write_private, path, made.secret + "\n")
        except OSError as error:
            raise Unavailable(
                f"The token file {path} cannot be written: {error.strerror}.",
                next_step="Make its folder writable, or set PAVED_HOME to one that is.",
            ) from error


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_good(row: TokenRow, now: datetime) -> bool:
    """Whether it opens anything: neither revoked nor expired."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


def view_of(row: TokenRow) -> TokenView:
    roles = tuple(Role(role) for role in row.roles)
    return TokenView(row.id, row.name, roles, row.created_at, row.created_by, row.expires_at, row.revoked_at)


def check_file(path: Path) -> None:
    """Nothing, or `StateUnreadable` where there is a file that holds no token."""
    try:
        _read_private(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _read_private(path: Path) -> str:
    """The file's token, which from now on only its owner can read; empty when there is no file."""
    try:
        path.chmod(0o600)
        held = path.read_bytes().strip().decode("ascii")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        held = ""
    if not _TOKEN.fullmatch(held):
        raise _unreadable(path, "what it holds is no token")
    return held


def _unreadable(path: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The token file {path} cannot be read: {why}.",
        next_step="Put the token back; or move the file away, and a new one is made at the next start.",
    )


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text.encode())
