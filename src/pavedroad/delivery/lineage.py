"""Who served when, written down wherever traffic is changed: a rollback goes back by it.

A cluster's line are the groups that served and were not taken back, in the order in which they first took
traffic. One that lost its traffic to a later group stays in it; what lost it to an earlier group was taken
back, with all that came in between. Groups are known by name and making: names are given again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.clouds.model import ServerGroup
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Unavailable
from pavedroad.database.engine import Database
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.model import Phase
from pavedroad.delivery.tables import DeploymentRow, TermRow

_log = logging.getLogger(__name__)
_REMEMBERED = timedelta(days=90)
"""How long it is known of groups that are gone."""

Known = tuple[str, datetime]
"""A server group: its name, and when it was made."""


def known(group: ServerGroup) -> Known:
    return group.name, group.created_at


def go_on(line: Sequence[Known], serving: Sequence[Known]) -> list[Known]:
    """The line once these take the traffic: new ones at its end, and nothing after the last that serves."""
    gone_on = list(dict.fromkeys([*line, *serving]))
    last = max((gone_on.index(group) for group in serving), default=len(gone_on) - 1)
    return gone_on[: last + 1]


class Lineage:
    """Reads and writes the terms of service."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, cluster: Cluster, *weights: Mapping[str, int]) -> None:
        """By these weights the cluster's traffic went, one after the other; by the last it goes now. What
        cannot be written down is seen the next time that someone looks."""

        def work(session: Session) -> None:
            for held in weights:
                serving = [known(group) for group in reversed(cluster.groups) if _takes(group, held)]
                self._note(session, cluster.name, {known(group) for group in cluster.groups}, serving)

        try:
            await self._database.write(work)
        except Unavailable as error:
            _log.warning("who serves %s could not be written down: %s", cluster.name, error.sentence)

    async def line(self, cluster: str, groups: Set[Known], serving: Sequence[Known]) -> list[Known]:
        """The cluster's line, of those of its groups that exist, as these serve now."""
        terms = await self._database.read(lambda session: _terms(session, cluster, groups))
        return go_on(_line(terms), serving)

    def _note(self, session: Session, cluster: str, groups: Set[Known], serving: Sequence[Known]) -> None:
        now = self._clock.now()
        terms = _terms(session, cluster, groups)
        session.add_all(terms)
        under_way = {_known(term) for term in terms if term.ended_at is None}
        for term in terms:
            if term.ended_at is None and _known(term) not in serving:
                term.ended_at = now
        for name, made_at in serving:
            if (name, made_at) not in under_way:
                terms.append(_term(cluster, (name, made_at), now))
                session.add(terms[-1])
        stays = go_on(_line(terms), serving)
        for term in terms:
            term.taken_back = _known(term) not in stays
        gone = sa.delete(TermRow).where(TermRow.cluster == cluster, TermRow.ended_at < now - _REMEMBERED)
        session.flush()
        session.execute(gone.where(TermRow.server_group.not_in([name for name, _ in groups])))


def _takes(group: ServerGroup, weights: Mapping[str, int]) -> bool:
    return any(weights.get(target, 0) > 0 for target in group.target_group_ids)


def _line(terms: Sequence[TermRow]) -> list[Known]:
    return list(dict.fromkeys(_known(term) for term in terms if not term.taken_back))


def _terms(session: Session, cluster: str, groups: Set[Known]) -> list[TermRow]:
    """Of these groups, oldest first, without those that were taken back."""
    wanted = sa.select(TermRow).where(TermRow.cluster == cluster).order_by(TermRow.number)
    if session.scalar(sa.select(TermRow.number).where(TermRow.cluster == cluster).limit(1)) is None:
        return _by_deployments(session, cluster, groups)
    names = [name for name, _ in groups]
    rows = session.scalars(wanted.where(TermRow.server_group.in_(names), TermRow.taken_back.is_(False)))
    return [row for row in rows if _known(row) in groups]


def _by_deployments(session: Session, cluster: str, groups: Set[Known]) -> list[TermRow]:
    """As the journal has it of what was shipped before terms were written down."""
    made = dict(groups)
    wanted = sa.select(DeploymentRow).where(
        DeploymentRow.cluster == cluster,
        DeploymentRow.phase == Phase.SUCCEEDED,
        DeploymentRow.server_group.in_(list(made)),
    )
    terms: list[TermRow] = []
    for row in session.scalars(wanted.order_by(DeploymentRow.number)):
        at = row.finished_at or row.started_at
        if terms:
            terms[-1].ended_at = at
        terms.append(_term(cluster, (row.server_group, made[row.server_group]), at))
    return terms


def _term(cluster: str, group: Known, began_at: datetime) -> TermRow:
    name, made_at = group
    return TermRow(
        cluster=cluster,
        server_group=name,
        made_at=made_at,
        began_at=began_at,
        ended_at=None,
        taken_back=False,
    )


def _known(term: TermRow) -> Known:
    return term.server_group, term.made_at
