"""One at a time: whoever changes a cluster's traffic holds its turn, across crashes and processes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict
from pavedroad.database.engine import Database
from pavedroad.delivery.tables import TurnRow

_OPERATION_SECONDS = 60.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Turns:
    """Turns by cluster. An operation's turn ends with it, with its process, or when its time is over."""

    def __init__(self, database: Database, clock: Clock, executor: str) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor

    @asynccontextmanager
    async def operation(
        self, cluster: str, doing: str, *, within: float = _OPERATION_SECONDS, patient: bool = False
    ) -> AsyncGenerator[None]:
        """Hold the turn for the body, or Conflict that names who holds it; the patient let them end first."""
        holder, pause = f"operation-{uuid.uuid4().hex[:12]}", _FIRST_PAUSE
        while (refusal := await self._take(cluster, holder, doing, within)) is not None:
            if not patient:
                raise refusal
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        try:
            yield
        finally:
            await self._database.write(lambda session: release(session, holder))

    async def operations_end(self, cluster: str) -> None:
        """Return once no operation holds the turn; a deployment may."""
        while True:
            row = await self._database.read(lambda session: session.get(TurnRow, cluster))
            if row is None or row.expires_at is None or row.expires_at <= self._clock.now():
                return
            await asyncio.sleep(_FIRST_PAUSE)

    async def forget_operations(self) -> None:
        """Drop what this executor's earlier process held when it died."""
        gone = sa.delete(TurnRow).where(TurnRow.executor == self._executor, TurnRow.expires_at.is_not(None))
        await self._database.write(lambda session: session.execute(gone))

    async def _take(self, cluster: str, holder: str, doing: str, within: float) -> Conflict | None:
        try:
            return await self._database.write(
                lambda session: self.take(session, cluster, holder, doing, within=within)
            )
        except IntegrityError:
            return await self._take(cluster, holder, doing, within)  # someone was faster: name them

    def take(
        self, session: Session, cluster: str, holder: str, doing: str, *, within: float | None
    ) -> Conflict | None:
        """Take the turn in the caller's transaction, or say who has it. Taking it twice is fine."""
        now = self._clock.now()
        row = session.get(TurnRow, cluster, with_for_update=True)
        if row is not None and row.holder == holder:
            return None
        if row is not None and (row.expires_at is None or row.expires_at > now):
            return Conflict(
                f"The cluster {cluster} is busy: {row.doing}.",
                next_step=way_out(row.holder),
            )
        if row is not None:
            session.delete(row)
            session.flush()
        session.add(
            TurnRow(
                cluster=cluster,
                holder=holder,
                doing=doing,
                executor=self._executor,
                taken_at=now,
                expires_at=None if within is None else now + timedelta(seconds=within),
            )
        )
        session.flush()
        return None


def way_out(holder: str) -> str:
    """What someone can do who finds the turn taken."""
    if holder.startswith("operation-"):
        return "Try again when it has ended."
    return f"Wait for it to end, or cancel it: paved cancel {holder}."


def release(session: Session, holder: str) -> None:
    """End a turn, in the caller's transaction; ended already is fine."""
    session.execute(sa.delete(TurnRow).where(TurnRow.holder == holder))
