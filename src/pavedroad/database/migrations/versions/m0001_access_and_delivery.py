"""Tokens, audit, deployments with their progress, turns and retirements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pavedroad.database.tables import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_index("ix_audit_at", "audit", ["at"])
    _make_append_only("audit")
    op.create_table(
        "deployments",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("region", sa.String(40), nullable=False),
        sa.Column("server_group", sa.String(300), nullable=False),
        sa.Column("image_id", sa.String(100), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("strategy", sa.String(20), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("cancelled_by", sa.String(200), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("console", sa.Text(), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_deployments"),
        sa.UniqueConstraint("id", name="uq_deployments_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deployments_cluster", "deployments", ["cluster", "number"])
    op.create_index("ix_deployments_server_group", "deployments", ["server_group"])
    op.create_table(
        "progress",
        sa.Column("deployment", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "number", name="pk_progress"),
        sa.ForeignKeyConstraint(["deployment"], ["deployments.id"], name="fk_progress_deployment"),
    )
    op.create_table(
        "turns",
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("doing", sa.String(200), nullable=False),
        sa.Column("executor", sa.String(100), nullable=False),
        sa.Column("taken_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("cluster", name="pk_turns"),
    )
    op.create_table(
        "retirements",
        sa.Column("server_group", sa.String(300), nullable=False),
        sa.Column("cluster", sa.String(300), nullable=False),
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("desired", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("shrink_at", Moment(), nullable=False),
        sa.Column("delete_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("server_group", name="pk_retirements"),
    )


def _make_append_only(table: str) -> None:
    """The database itself refuses to change or remove what was recorded."""
    refusal = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
