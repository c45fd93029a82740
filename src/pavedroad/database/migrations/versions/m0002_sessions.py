"""Sign-in links, sessions, and who acted by kind and id rather than by name alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pavedroad.database.tables import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("token_id", sa.String(40), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_links"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("token_id", sa.String(40), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("remote", sa.String(100), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
    )
    op.create_index("ix_sessions_token_id", "sessions", ["token_id"])
    for table, kind, id_ in (("audit", "kind", "actor_id"), ("deployments", "who_kind", "who_id")):
        op.add_column(table, sa.Column(kind, sa.String(20), nullable=False, server_default="unknown"))
        op.add_column(table, sa.Column(id_, sa.String(40), nullable=False, server_default=""))
