"""The audit log: what was done, by whom, to what, and how it ended. It only grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.access.model import Actor, AuditEntry, AuditQuery, Principal
from pavedroad.access.tables import AuditRow
from pavedroad.core.clock import Clock
from pavedroad.core.errors import PavedError
from pavedroad.database.engine import Database

_SECRET = ("token", "secret", "password", "passwd", "authorization", "credential", "private_key", "api_key")
_HIDDEN = "(hidden)"
_LONGEST = 2000


DESTROYING = frozenset(
    {
        "cancel",
        "destroy",
        "destroy-cluster",
        "end-fault",
        "end-session",
        "forget-image",
        "manage-tokens",
        "prune-images",
        "resize",
        "shrink",
        "start-fault",
    }
)
"""What takes something away for good is written down before it is done."""


class Audit:
    """Writes and reads the log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(
        self,
        principal: Principal,
        action: str,
        subject: str,
        outcome: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one entry; values under names that speak of secrets are left out."""
        await self._database.write(
            lambda session: self.add(session, principal.actor, action, subject, outcome, detail)
        )

    def add(  # noqa: PLR0917 - the same order as `record`
        self,
        session: Session,
        who: Actor,
        action: str,
        subject: str,
        outcome: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one entry in the transaction of what it tells of."""
        session.add(
            AuditRow(
                at=self._clock.now(),
                principal=who.name,
                kind=who.kind,
                actor_id=who.id,
                action=action,
                subject=subject,
                outcome=outcome,
                detail=_without_secrets(detail or {}),
            )
        )

    async def begin(
        self, principal: Principal, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write down that something which destroys is about to be done; raises where that cannot be, so that
        it is not done."""
        if action in DESTROYING:
            await self.record(principal, action, subject, "begun", detail)

    @asynccontextmanager
    async def watch(
        self,
        principal: Principal,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
        *,
        begins: bool = True,
    ) -> AsyncGenerator[dict[str, Any]]:
        """Record how the body ends, and of what destroys that it `begins` as well; what the body puts into
        the given dict is recorded with its end."""
        told = dict(detail or {})
        if begins:
            await self.begin(principal, action, subject, told)
        try:
            yield told
        except PavedError as error:
            outcome = "refused" if error.status < 500 else "failed"
            await self.record(principal, action, subject, outcome, {**told, "reason": error.sentence})
            raise
        except (Exception, asyncio.CancelledError) as error:
            reason = f"{type(error).__name__}"
            await asyncio.shield(
                self.record(principal, action, subject, "failed", {**told, "reason": reason})
            )
            raise
        await self.record(principal, action, subject, "done", told)

    async def entries(self, query: AuditQuery) -> list[AuditEntry]:
        """Newest first."""
        statement = sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(query.limit)
        for column, wanted in (
            (AuditRow.principal, query.principal),
            (AuditRow.action, query.action),
            (AuditRow.subject, query.subject),
            (AuditRow.outcome, query.outcome),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if query.since is not None:
            statement = statement.where(AuditRow.at >= query.since)
        if query.until is not None:
            statement = statement.where(AuditRow.at < query.until)
        if query.before is not None:
            statement = statement.where(AuditRow.id < query.before)
        rows = await self._database.read(lambda session: session.scalars(statement).all())
        return [_entry(row) for row in rows]


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        principal=row.principal,
        action=row.action,
        subject=row.subject,
        outcome=row.outcome,
        detail=row.detail,
        kind=row.kind,
        actor_id=row.actor_id,
    )


def _without_secrets(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _HIDDEN if any(word in name.lower() for word in _SECRET) else _safe(item)
        for name, item in value.items()
    }


def _safe(item: object) -> object:
    match item:
        case Mapping():
            return _without_secrets(cast("Mapping[str, Any]", item))
        case str():
            return item if len(item) <= _LONGEST else item[:_LONGEST] + "…"
        case Sequence():
            return [_safe(part) for part in cast("Sequence[object]", item)]
        case None | bool() | int() | float():
            return item
        case _:
            return str(item)
