"""The story of each deployment: its row, its progress line by line, and how it ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pavedroad.access.audit import Audit
from pavedroad.access.model import Actor, Principal
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict, NotFound
from pavedroad.core.events import Event, Events
from pavedroad.database.engine import Database, Result
from pavedroad.delivery.failures import Cancelled
from pavedroad.delivery.model import FINAL, DeploymentView, Phase, Progress, WhenBusy
from pavedroad.delivery.tables import DeploymentRow, ProgressRow
from pavedroad.delivery.turns import Turns, release, way_out
from pavedroad.manifest.model import Manifest

_SAME_END = timedelta(seconds=5)
_FINAL = [str(phase) for phase in FINAL]
_TOO_LATE = {
    Phase.FLIPPING: "is taking the traffic already",
    Phase.ROLLING_BACK: "is being taken back already",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A deployment as it is asked for."""

    manifest: Manifest
    image_id: str
    version: str
    when_busy: WhenBusy
    capacity: str = ""


class Journal:
    """Reads and writes the story; whoever follows is woken by events."""

    def __init__(self, database: Database, turns: Turns, audit: Audit, events: Events, clock: Clock) -> None:
        self._database = database
        self._turns = turns
        self._audit = audit
        self._events = events
        self._clock = clock

    async def open(self, principal: Principal, order: Order) -> str:
        """Write a new deployment down, with its cluster's turn unless it is to wait; gives its id."""
        cluster = str(order.manifest.cluster)
        deployment = f"dep-{secrets.token_hex(6)}"
        row = DeploymentRow(
            id=deployment,
            cluster=cluster,
            region=order.manifest.region,
            server_group="",
            image_id=order.image_id,
            version=order.version,
            strategy=order.manifest.strategy.kind,
            manifest=order.manifest.model_dump(mode="json"),
            capacity=order.capacity,
            phase=Phase.QUEUED,
            who=principal.name,
            who_kind=principal.credential.kind,
            who_id=principal.credential.id,
            cancelled_by="",
            started_at=self._clock.now(),
            finished_at=None,
            error="",
            console="",
            url="",
        )

        def work(session: Session) -> None:
            if order.when_busy == "refuse":
                self._refuse_if_busy(session, cluster)
                if refusal := self._turns.take(session, cluster, deployment, _doing(deployment), within=None):
                    raise refusal
            session.add(row)

        try:
            await self._database.write(work)
        except IntegrityError:  # another process took the turn in this very moment
            await self._database.write(work)
        return deployment

    def _refuse_if_busy(self, session: Session, cluster: str) -> None:
        unfinished = sa.select(DeploymentRow.id).where(
            DeploymentRow.cluster == cluster, DeploymentRow.phase.not_in(_FINAL)
        )
        if running := session.scalar(unfinished.order_by(DeploymentRow.number)):
            raise Conflict(
                f"The cluster {cluster} is busy: {_doing(running)}.",
                next_step=f"{way_out(running)} Or deploy in your turn: paved deploy --wait-for-turn.",
            )

    async def take_turn(self, deployment: str) -> str:
        """Nothing when it is this deployment's turn now, else what it waits for."""

        def work(session: Session) -> str:
            row = _row(session, deployment)
            _stop_if_cancelled(row)
            ahead = session.scalar(
                sa.select(DeploymentRow.id)
                .where(DeploymentRow.cluster == row.cluster, DeploymentRow.number < row.number)
                .where(DeploymentRow.phase.not_in(_FINAL))
                .order_by(DeploymentRow.number.desc())
            )
            if ahead is not None:
                return f"Waiting for {_doing(ahead)}."
            refusal = self._turns.take(session, row.cluster, deployment, _doing(deployment), within=None)
            return "" if refusal is None else f"Waiting: {refusal.sentence}"

        try:
            return await self._database.write(work)
        except IntegrityError:  # another process took it in this very moment
            return "Waiting for its turn."

    async def note(self, deployment: str, phase: Phase, sentence: str, until: datetime | None = None) -> None:
        """Add a line, unless it only repeats the last one (a step may run twice)."""

        def work(session: Session) -> Progress | None:
            last = session.scalar(
                sa.select(ProgressRow)
                .where(ProgressRow.deployment == deployment)
                .order_by(ProgressRow.number.desc())
                .limit(1)
            )
            if (
                last is not None
                and (last.phase, last.sentence) == (phase, sentence)
                and _alike(last.until, until)
            ):
                return None
            row = ProgressRow(
                deployment=deployment,
                number=last.number + 1 if last is not None else 1,
                at=self._clock.now(),
                phase=phase,
                sentence=sentence,
                until=until,
            )
            session.add(row)
            _row(session, deployment).phase = phase
            return _progress(row)

        if line := await self._database.write(work):
            told = {
                "number": line.number,
                "at": line.at.isoformat(),
                "phase": phase,
                "sentence": sentence,
                "until": until.isoformat() if until else None,
            }
            self._events.publish(Event("deployment.progress", deployment, told))

    async def waiting_since(self, deployment: str) -> datetime | None:
        """When it first said that it waits for health: a restart does not begin the wait anew."""
        first = sa.select(sa.func.min(ProgressRow.at)).where(
            ProgressRow.deployment == deployment, ProgressRow.phase == Phase.WAITING
        )
        return await self._database.read(lambda session: session.scalar(first))

    async def set_plan(self, deployment: str, *, server_group: str) -> None:
        await self._change(deployment, lambda row: setattr(row, "server_group", server_group))

    async def set_url(self, deployment: str, url: str) -> None:
        await self._change(deployment, lambda row: setattr(row, "url", url))

    async def enter_flip(self, deployment: str) -> None:
        """From here on it is too late to cancel; raises when someone did."""

        def change(row: DeploymentRow) -> None:
            _stop_if_cancelled(row)
            row.phase = Phase.FLIPPING

        await self._change(deployment, change)

    async def check_cancel(self, deployment: str) -> None:
        """Raises when someone cancelled the deployment."""
        await self._database.read(lambda session: _stop_if_cancelled(_row(session, deployment)))

    async def cancel(self, deployment: str, by: str) -> None:
        """Ask it to stop; it does so at its next look."""

        def change(row: DeploymentRow) -> None:
            phase = Phase(row.phase)
            if phase in FINAL:
                raise Conflict(f"The deployment {deployment} has already {phase}.")
            if phase in _TOO_LATE:
                raise Conflict(
                    f"The deployment {deployment} {_TOO_LATE[phase]}.",
                    next_step=f"When it has ended, roll back: paved rollback {row.cluster}.",
                )
            row.cancelled_by = row.cancelled_by or by

        await self._change(deployment, change)

    async def finish(self, deployment: str, phase: Phase, *, error: str = "", console: str = "") -> None:
        """End it, with its turn, once; the audit log says how."""

        def work(session: Session) -> DeploymentRow | None:
            row = _row(session, deployment)
            release(session, deployment)
            if Phase(row.phase) in FINAL:
                return None
            row.phase, row.error, row.console, row.finished_at = phase, error, console, self._clock.now()
            detail = {
                "deployment": deployment,
                "server_group": row.server_group,
                "image": row.image_id,
                "version": row.version,
                "reason": error,
            }
            outcome = "done" if phase is Phase.SUCCEEDED else str(phase)
            who = Actor(row.who, row.who_kind, row.who_id)
            self._audit.add(session, who, "deploy", row.cluster, outcome, detail)
            return row

        row = await self._database.write(work)
        if row is not None:
            told = {"phase": phase, "cluster": row.cluster, "error": error}
            self._events.publish(Event("deployment.finished", deployment, told))
            self._events.publish(Event("cluster.changed", row.cluster, {"why": f"deployment {phase}"}))

    async def view(self, deployment: str) -> DeploymentView:
        def work(session: Session) -> DeploymentView:
            row = _row(session, deployment)
            lines = sa.select(ProgressRow).where(ProgressRow.deployment == deployment)
            found = session.scalars(lines.order_by(ProgressRow.number)).all()
            return _view(row, found)

        return await self._database.read(work)

    async def lines(self, deployment: str, after: int) -> list[Progress]:
        """The lines with a number over `after`."""
        wanted = (
            sa.select(ProgressRow)
            .where(ProgressRow.deployment == deployment, ProgressRow.number > after)
            .order_by(ProgressRow.number)
        )
        return [_progress(row) for row in await self._database.read(lambda s: s.scalars(wanted).all())]

    async def views(self, cluster: str | None, limit: int) -> list[DeploymentView]:
        """Newest first, without their progress."""
        wanted = sa.select(DeploymentRow).order_by(DeploymentRow.number.desc()).limit(limit)
        if cluster is not None:
            wanted = wanted.where(DeploymentRow.cluster == cluster)
        return [_view(row, ()) for row in await self._database.read(lambda s: s.scalars(wanted).all())]

    async def unfinished(self) -> dict[str, str]:
        """The deployments that have not ended, oldest first, each with its cluster."""
        wanted = sa.select(DeploymentRow.id, DeploymentRow.cluster).where(DeploymentRow.phase.not_in(_FINAL))
        rows = await self._database.read(lambda s: s.execute(wanted.order_by(DeploymentRow.number)).all())
        return {row.id: row.cluster for row in rows}

    async def images_under_way(self) -> set[str]:
        """Of the deployments that have not ended."""
        wanted = sa.select(DeploymentRow.image_id).where(DeploymentRow.phase.not_in(_FINAL))
        return set(await self._database.read(lambda session: session.scalars(wanted).all()))

    async def running(self) -> dict[str, str]:
        """The first unfinished deployment of each cluster that has one."""
        unfinished = await self.unfinished()
        return {cluster: deployment for deployment, cluster in reversed(unfinished.items())}

    async def last_region(self, cluster: str) -> str | None:
        """Where a cluster was last deployed to, well or not."""
        wanted = sa.select(DeploymentRow.region).where(
            DeploymentRow.cluster == cluster, DeploymentRow.server_group != ""
        )
        newest = wanted.order_by(DeploymentRow.number.desc()).limit(1)
        return await self._database.read(lambda session: session.scalar(newest))

    async def document(self, deployment: str) -> dict[str, Any]:
        """All that its workflow needs to know."""

        def work(session: Session) -> dict[str, Any]:
            row = _row(session, deployment)
            return {
                "deployment": row.id,
                "manifest": row.manifest,
                "image_id": row.image_id,
                "version": row.version,
                "capacity": row.capacity,
            }

        return await self._database.read(work)

    async def group(self, deployment: str) -> str:
        """The server group that it makes; empty before its plan."""
        return await self._database.read(lambda session: _row(session, deployment).server_group)

    async def last_manifest(self, cluster: str) -> dict[str, Any] | None:
        """What a cluster was last deployed by, well or not."""
        wanted = sa.select(DeploymentRow.manifest).where(DeploymentRow.cluster == cluster)
        newest = wanted.order_by(DeploymentRow.number.desc()).limit(1)
        return await self._database.read(lambda session: session.scalar(newest))

    async def manifest_of(self, server_group: str) -> Manifest | None:
        """What a server group was deployed by, if it was by us."""
        wanted = sa.select(DeploymentRow).where(DeploymentRow.server_group == server_group)
        row = await self._database.read(lambda s: s.scalar(wanted.order_by(DeploymentRow.number.desc())))
        return Manifest.model_validate(row.manifest) if row is not None else None

    async def _change(self, deployment: str, change: Callable[[DeploymentRow], Result]) -> Result:
        return await self._database.write(lambda session: change(_row(session, deployment, locked=True)))


def _row(session: Session, deployment: str, *, locked: bool = False) -> DeploymentRow:
    wanted = sa.select(DeploymentRow).where(DeploymentRow.id == deployment)
    row = session.scalar(wanted.with_for_update() if locked else wanted)
    if row is None:
        raise NotFound(
            f"There is no deployment '{deployment}'.",
            next_step="List them: paved deployments; one cluster's: paved deployments --cluster NAME.",
        )
    return row


def _alike(one: datetime | None, other: datetime | None) -> bool:
    """Whether two ends of a wait are the same, as steps that run twice reckon them."""
    return one == other if one is None or other is None else abs(other - one) < _SAME_END


def _stop_if_cancelled(row: DeploymentRow) -> None:
    if row.cancelled_by:
        raise Cancelled(f"{row.cancelled_by} cancelled the deployment.")


def _doing(deployment: str) -> str:
    return f"deployment {deployment} is in progress"


def _progress(row: ProgressRow) -> Progress:
    return Progress(row.number, row.at, Phase(row.phase), row.sentence, row.until)


def _view(row: DeploymentRow, lines: Sequence[ProgressRow]) -> DeploymentView:
    return DeploymentView(
        id=row.id,
        cluster=row.cluster,
        server_group=row.server_group,
        image_id=row.image_id,
        version=row.version,
        strategy=row.strategy,
        phase=Phase(row.phase),
        who=row.who,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        console=row.console,
        url=row.url,
        progress=tuple(_progress(line) for line in lines),
    )
