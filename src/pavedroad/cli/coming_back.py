"""Whether a platform that cannot be reached will be: its supervisor starts again what dies."""

from __future__ import annotations

import time

from pavedroad.cli.screen import note
from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.core.places import Places
from pavedroad.platform import running
from pavedroad.platform.running import PartView, Running

_SECONDS = 60.0
_BEGINNING_SECONDS = 10.0
_PAUSE = 0.05


class ComingBack:
    """The platform of this home, as its supervisor tells of it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._said = False

    def url(self) -> str:
        """Where it is, or will be in a moment; raises Unavailable where it does not run."""
        runs = self._runs()
        if runs is None:
            killed = running.read(self._places)
            why = f": it was killed (process {killed.pid})" if killed else ""
            raise Unavailable(f"Pavedroad is not running{why}.", next_step="Start it with `paved up`.")
        if not runs.url:
            raise Unavailable(
                "Only the private cloud runs, without the platform.",
                next_step="Stop it with `paved cloud down`, then start both with `paved up`.",
            )
        return runs.url

    def is_worth_waiting(self, url: str, waited: float = 0.0) -> bool:
        """Says so, once, where that address is ours and its process starts. Raises Unavailable where it never
        will, or where `waited`, in seconds, is enough."""
        runs = self._runs()
        if runs is None or runs.url != url:
            return False
        control = _control(runs)
        if control.state == "stopping":
            raise Unavailable("Pavedroad is being stopped.", next_step="Start it again with `paved up`.")
        if control.state == "refused":
            raise StateUnreadable(f"The platform does not start again: {control.reason}.")
        if waited > _SECONDS:
            why = f": {control.reason}" if control.reason else ""
            raise Unavailable(
                f"The platform has not come back within {_SECONDS:.0f} s{why}.",
                next_step=f"Read the logs in {self._places.logs}.",
            )
        if not self._said:
            self._said = True
            again = "" if control.state == "starting" else " again"
            note(f"The platform is starting{again}; waiting for it.")
        return True

    def _runs(self) -> Running | None:
        """None where no supervisor lives; one that has just begun has not written of itself yet."""
        deadline = time.monotonic() + _BEGINNING_SECONDS
        while running.holder(self._places) is not None and time.monotonic() < deadline:
            if runs := running.read(self._places):
                return runs
            time.sleep(_PAUSE)
        return None


def _control(runs: Running) -> PartView:
    return next(part for part in runs.parts if part.address == runs.url)
