"""The tables come with the package and arrive at start, on SQLite and on Postgres alike."""

from __future__ import annotations

import concurrent.futures
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pavedroad.access import tables as access_tables
from pavedroad.core.errors import InvalidInput, Unavailable
from pavedroad.database.engine import Database, parse_url, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.database.tables import Table
from pavedroad.delivery import tables as delivery_tables

_OWNERS = (access_tables, delivery_tables)


def test_an_empty_database_gets_exactly_the_tables_that_the_code_declares(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert differences == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    before = sa.inspect(database.engine).get_table_names()
    migrate(database)
    assert sa.inspect(database.engine).get_table_names() == before


def test_processes_that_start_together_migrate_once(database: Database) -> None:
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, others))
    for other in others:
        other.close()
    assert "deployments" in sa.inspect(database.engine).get_table_names()


def test_the_audit_log_cannot_be_changed_or_emptied(database: Database) -> None:
    migrate(database)
    with database.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO audit (at, principal, action, subject, outcome, detail) "
                "VALUES ('2026-01-01', 'me', 'deploy', 'hello', 'done', '{}')"
            )
        )
    for forgery in ("UPDATE audit SET principal = 'you'", "DELETE FROM audit"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(sa.text(forgery))


def test_a_database_of_a_newer_platform_is_refused_in_one_sentence(database: Database) -> None:
    migrate(database)
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="another version of the platform"):
        migrate(database)


def test_a_database_that_does_not_answer_is_named_with_a_next_step(tmp_path: Path) -> None:
    database = Database(f"postgresql://paved@/nothing?host={tmp_path}")
    with pytest.raises(Unavailable, match="cannot be opened") as refusal:
        migrate(database)
    assert refusal.value.next_step
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    path.write_text("this is not a database, and it is long enough to be looked at" * 40)
    with pytest.raises(Unavailable, match="it is not a SQLite file"):
        migrate(Database(sqlite_url(path)))


def test_the_sqlite_file_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    database = Database(sqlite_url(path))
    migrate(database)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with database.engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    database.close()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "not a url"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_url(url)
