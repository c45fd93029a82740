"""What delivery writes down: deployments, their progress, whose turn it is, who served when, and which groups
retire.

Everything else - groups, weights, health - is read from the cloud, whose tags are the source of truth.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from pavedroad.access.model import Kind
from pavedroad.database.tables import Moment, Table


class DeploymentRow(Table):
    __tablename__ = "deployments"
    __table_args__ = (
        sa.Index("ix_deployments_cluster", "cluster", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(40), unique=True)
    cluster: Mapped[str] = mapped_column(sa.String(300))
    region: Mapped[str] = mapped_column(sa.String(40))
    server_group: Mapped[str] = mapped_column(sa.String(300), index=True)
    image_id: Mapped[str] = mapped_column(sa.String(100))
    version: Mapped[str] = mapped_column(sa.String(200))
    strategy: Mapped[str] = mapped_column(sa.String(20))
    manifest: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    capacity: Mapped[str] = mapped_column(sa.String(20), server_default="")
    phase: Mapped[str] = mapped_column(sa.String(20))
    who: Mapped[str] = mapped_column(sa.String(200))
    who_kind: Mapped[Kind] = mapped_column(sa.String(20), server_default="unknown")
    who_id: Mapped[str] = mapped_column(sa.String(40), server_default="")
    cancelled_by: Mapped[str] = mapped_column(sa.String(200))
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str] = mapped_column(sa.Text)
    console: Mapped[str] = mapped_column(sa.Text)
    url: Mapped[str] = mapped_column(sa.String(500))


class ProgressRow(Table):
    __tablename__ = "progress"

    deployment: Mapped[str] = mapped_column(sa.ForeignKey("deployments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    phase: Mapped[str] = mapped_column(sa.String(20))
    sentence: Mapped[str] = mapped_column(sa.Text)
    until: Mapped[datetime | None] = mapped_column(Moment)


class TurnRow(Table):
    """Who may change a cluster's traffic now. A deployment's turn has no end but its own."""

    __tablename__ = "turns"

    cluster: Mapped[str] = mapped_column(sa.String(300), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(100))
    doing: Mapped[str] = mapped_column(sa.String(200))
    executor: Mapped[str] = mapped_column(sa.String(100))
    taken_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)


class TermRow(Table):
    """From when to when a server group took traffic; `taken_back` where it then lost it to an earlier one."""

    __tablename__ = "terms"
    __table_args__ = (
        sa.Index("ix_terms_cluster", "cluster", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    cluster: Mapped[str] = mapped_column(sa.String(300))
    server_group: Mapped[str] = mapped_column(sa.String(300))
    made_at: Mapped[datetime] = mapped_column(Moment)
    began_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    taken_back: Mapped[bool]


class RetirementRow(Table):
    """A disabled group that will be shrunk and deleted, unless it is enabled before. `id` is the workflow
    that will do it; the sizes are what a rollback gives it back."""

    __tablename__ = "retirements"

    server_group: Mapped[str] = mapped_column(sa.String(300), primary_key=True)
    cluster: Mapped[str] = mapped_column(sa.String(300))
    id: Mapped[str] = mapped_column(sa.String(100))
    minimum: Mapped[int]
    desired: Mapped[int]
    maximum: Mapped[int]
    shrink_at: Mapped[datetime] = mapped_column(Moment)
    delete_at: Mapped[datetime] = mapped_column(Moment)
