"""A saved state that does not load stops the cloud: what is said of it, on the way out of two processes."""

from __future__ import annotations

import json
from pathlib import Path

from pavedroad.core.errors import StateUnreadable

EXIT_STATUS = 8
"""Of the API process, of the launcher, and of the commands that wait for it."""


def damaged(path: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The saved state {path} is damaged: {why}.",
        next_step="Put a copy of it in its place; or move it away, with all that lies beside it, to begin "
        "with an empty cloud.",
    )


def of_another(path: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The saved state {path} cannot be read by this version: {why}.",
        next_step="Install the version of Pavedroad that wrote it, or put a copy of the file from before in "
        "its place.",
    )


def missing(path: Path, folder: Path) -> StateUnreadable:
    return StateUnreadable(
        f"The saved state {path} is missing, and {folder} holds what it knew of.",
        next_step="Put a copy of it back; or move that folder away to begin with an empty cloud.",
    )


def tell(refusal: StateUnreadable, path: Path) -> None:
    """To who started this process, and looks there."""
    path.write_text(json.dumps([refusal.sentence, refusal.next_step]))


def told(path: Path) -> StateUnreadable:
    """What a process has told there."""
    try:
        sentence, next_step = json.loads(path.read_text())
    except (OSError, ValueError):
        return StateUnreadable("The saved state cannot be read.", next_step="Read the cloud's log.")
    return StateUnreadable(sentence, next_step=next_step)
