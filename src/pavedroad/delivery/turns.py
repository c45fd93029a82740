"""One at a time: whoever changes a cluster's traffic holds its turn, across crashes and processes.

An operation's turn is a lease: renewed while the operation lives, and another's when it was not. A
deployment's has no end but its own, as its work outlives the process. Whoever writes asks right before
whether the turn is still theirs: a holder never comes back, so its name is the fence.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict, Unavailable
from pavedroad.database.engine import Database
from pavedroad.delivery.lineage import Lineage
from pavedroad.delivery.tables import TurnRow

_log = logging.getLogger(__name__)

LEASE_SECONDS = 20.0
_RENEWALS = 4
"""In the time of one lease."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_OPERATION = "operation-"
_CLEANING = f"{_OPERATION}cleaning-"
_CLEANED_SECONDS = 3.0
"""For which a clean-up is waited for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to change a cluster's traffic, as long as `check` says so."""

    turns: Turns
    cluster: str
    holder: str

    async def check(self) -> None:
        """Nothing, with the lease renewed in the same step; or Conflict, where the turn is another's."""
        await self.turns.renew(self)


class Turns:
    """Turns by cluster. An operation's turn ends with it, or `lease` seconds after its process. What those
    who hold one do to the traffic goes into the `lineage`."""

    def __init__(
        self, database: Database, clock: Clock, executor: str, *, lease: float = LEASE_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor
        self._lease = lease
        self.lineage = Lineage(database, clock)

    @asynccontextmanager
    async def operation(
        self, cluster: str, doing: str, *, patient: bool = False, cleaning: bool = False
    ) -> AsyncGenerator[Turn]:
        """Hold the turn for the body, or Conflict that names who holds it; the patient let them end first,
        and everybody a clean-up that is short."""
        kind = _CLEANING if cleaning else _OPERATION
        turn, pause, waited = self.held(cluster, f"{kind}{uuid.uuid4().hex[:12]}"), _FIRST_PAUSE, 0.0
        while (refusal := await self._take(cluster, turn.holder, doing)) is not None:
            if not patient and (waited >= _CLEANED_SECONDS or not await self._is_cleaned(cluster)):
                raise refusal
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 2, _LONGEST_PAUSE)
        keeping = asyncio.create_task(self._keep(turn))
        try:
            yield turn
        finally:
            keeping.cancel()
            try:
                await self._database.write(lambda session: release(session, turn.holder))
            except Unavailable as error:  # what was done is done; the lease ends by itself
                _log.warning("the turn of %s could not be given back: %s", cluster, error.sentence)

    async def _is_cleaned(self, cluster: str) -> bool:
        row = await self._database.read(lambda session: session.get(TurnRow, cluster))
        return row is None or row.holder.startswith(_CLEANING)

    def held(self, cluster: str, holder: str) -> Turn:
        """The turn that a holder has, if it has it."""
        return Turn(self, cluster, holder)

    async def renew(self, turn: Turn) -> None:
        """Conflict where the turn is not its holder's any more."""

        def work(session: Session) -> None:
            row = session.get(TurnRow, turn.cluster, with_for_update=True)
            if row is None or row.holder != turn.holder:
                whose = f" to another: {row.doing}" if row is not None else ""
                raise Conflict(
                    f"This took too long, and lost its turn at {turn.cluster}{whose}. It changes nothing.",
                    next_step="Look at it, then try again: paved clusters.",
                )
            if row.expires_at is not None:
                row.expires_at = self._clock.now() + timedelta(seconds=self._lease)

        await self._database.write(work)

    async def _keep(self, turn: Turn) -> None:
        while True:
            await asyncio.sleep(self._lease / _RENEWALS)
            try:
                await self.renew(turn)
            except Conflict:
                return  # whoever writes is told
            except Unavailable as error:
                _log.warning("the turn of %s could not be renewed: %s", turn.cluster, error.sentence)

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

    async def _take(self, cluster: str, holder: str, doing: str) -> Conflict | None:
        try:
            return await self._database.write(
                lambda session: self.take(session, cluster, holder, doing, within=self._lease)
            )
        except IntegrityError:
            return await self._take(cluster, holder, doing)  # someone was faster: name them

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
    if holder.startswith(_OPERATION):
        return "Try again when it has ended."
    return f"Wait for it to end, or cancel it: paved cancel {holder}."


def release(session: Session, holder: str) -> None:
    """End a turn, in the caller's transaction; ended already is fine."""
    session.execute(sa.delete(TurnRow).where(TurnRow.holder == holder))
