"""Where builds run: rooms for code that is not ours, and what is needed for code that is."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from pavedroad.bakery.running import Report, Room, Runner, build_environment
from pavedroad.core import confinement, seclusion

_MOST_HOMES = 20


@dataclass(frozen=True, slots=True)
class Runners:
    """Of one bake. `own` is for code of the application, which finds what its earlier builds have left in its
    home. A layer may be another application's too, so `apart`, where there is nothing yet, is for the code of
    packages, and `at_large` for what runs no code of either."""

    own: Runner
    apart: Runner
    at_large: Runner


class Rooms:
    """`homes/` below the bakery's folder has one an application, `fetched/` what no build can write to."""

    def __init__(self, bakery: Path, step_seconds: float) -> None:
        self._homes = bakery / "homes"
        self._fetched = bakery / "fetched"
        self._step_seconds = step_seconds
        self._seclusion = seclusion.way()

    @property
    def said(self) -> str:
        """How builds are walled in, a sentence."""
        way = self._seclusion
        return confinement.sentence("builds", own_users=way == "users", own_view=way == "view")

    def runners(self, application: str, folder: Path, report: Report) -> Runners:
        """For the source in `work` below this folder. Blocks."""
        temporary = folder / "tmp"
        temporary.mkdir()
        environment = build_environment(
            os.environ,
            TMPDIR=str(temporary),
            NO_COLOR="1",
            UV_NO_PROGRESS="1",
            UV_PYTHON_DOWNLOADS="never",
            # An image's files have other times than those that were compiled.
            PYC_INVALIDATION_MODE="UNCHECKED_HASH",
        )
        home = self._home_of(application)
        fresh = folder / "home"
        fresh.mkdir()
        user = seclusion.user_named(application) if self._seclusion == "users" else None
        room = Room(home, temporary, user, secluded=self._seclusion != "none")
        own = Runner(folder / "work", environment, report, self._step_seconds, room)
        apart = replace(own, room=replace(room, home=fresh))
        return Runners(own, apart, own.at_large(self._fetched))

    def _home_of(self, application: str) -> Path:
        home = self._homes / application
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(home)
        homes = sorted(self._homes.iterdir(), key=lambda it: it.stat().st_mtime, reverse=True)
        for old in homes[_MOST_HOMES:]:
            shutil.rmtree(old, ignore_errors=True)
        return home
