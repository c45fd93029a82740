"""Bringing the database's tables to the shape that this version of the platform works with."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from pavedroad.core.errors import Unavailable
from pavedroad.database.engine import Database

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x7061766564  # one process migrates, its peers wait


def migrate(database: Database) -> None:
    """Apply what is missing; blocking, so call it before serving."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    try:
        with database.engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(
            f"The database was written by another version of the platform: {error}.",
            next_step="Install the newer version again, or point PAVED_HOME or the database's URL elsewhere.",
        ) from error
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0].rstrip(".")
        raise Unavailable(
            f"The database cannot be opened: {reason}.",
            next_step="Check that its URL is right and that it is running.",
        ) from error
