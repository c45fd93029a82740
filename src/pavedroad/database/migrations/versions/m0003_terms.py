"""Who served when, the capacity that a deployment was told, and until when it waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pavedroad.database.tables import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "terms",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("server_group", sa.String(300), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("taken_back", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_terms"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_terms_cluster", "terms", ["cluster", "number"])
    op.add_column("deployments", sa.Column("capacity", sa.String(20), nullable=False, server_default=""))
    op.add_column("progress", sa.Column("until", Moment(), nullable=True))
