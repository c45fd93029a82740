"""A real Postgres for tests, on its own socket; skipped, with the command to type, where there is none."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.waiting import eventually

_INSTALL = "no Postgres on this machine; to run this: apt-get install postgresql"
_SETTINGS = ("fsync=off", "listen_addresses=", "max_connections=60", "shared_buffers=16MB")


def _program(name: str) -> str:
    if found := shutil.which(name):
        return found
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    if not newest:
        pytest.skip(_INSTALL)
    return str(newest[0])


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server's empty database. It refuses to run as root, so then it runs as nobody."""
    initdb, server = _program("initdb"), _program("postgres")
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="paved-pg-", dir="/tmp") as folder:
        data = Path(folder, "data")
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        subprocess.run(
            [initdb, "--pgdata", data, "--username", "paved", "--auth", "trust", "--no-sync"],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        options = [part for setting in _SETTINGS for part in ("-c", setting)]
        with Path(folder, "log").open("wb") as log:
            running = subprocess.Popen(
                [server, "-D", data, "-k", folder, *options], user=user, cwd=folder, stdout=log, stderr=log
            )
        try:
            yield _answering(folder, running)
        finally:
            running.terminate()
            running.wait(30)


def _answering(folder: str, running: subprocess.Popen[bytes]) -> str:
    def ready() -> bool:
        assert running.poll() is None, Path(folder, "log").read_text()
        try:
            psycopg.connect(host=folder, user="paved", dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    eventually(ready, within=60)
    return f"postgresql://paved@/postgres?host={folder}"


@contextmanager
def empty_database(server: str, name: str) -> Iterator[str]:
    """A database of its own on a running server."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
