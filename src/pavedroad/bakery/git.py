"""What git says of a folder, where there is git and the folder is in a repository that it trusts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60.0
# Of the repository that runs us, as in a hook: the folder has its own.
_OF_A_REPOSITORY = ("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "OBJECT_DIRECTORY", "COMMON_DIR", "NAMESPACE")


@dataclass(frozen=True, slots=True)
class Standing:
    """The commit that a folder is at, as short as git has it, and whether the folder differs from it."""

    commit: str
    dirty: bool


def root_of(folder: Path) -> Path | None:
    """The top of the repository that the folder is in; `.git` is a file in submodules and worktrees."""
    here = Path(os.path.realpath(folder))
    return next((place for place in (here, *here.parents) if is_root(place)), None)


def is_root(folder: Path) -> bool:
    return os.path.lexists(folder / ".git")


def files(folder: Path) -> list[str] | None:
    """What git has or would add, by path from the folder, deleted ones too; a repository inside is one entry.
    None where git does not say."""
    if root_of(folder) is None:
        return None
    said = _ask(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return None if said is None else [os.fsdecode(name) for name in said.split(b"\0") if name]


def ignores(folder: Path) -> bool:
    """Whether an ignore file above says so of the folder as a whole."""
    return _ask(folder, "check-ignore", "-q", ".") is not None


def standing(folder: Path, shipped: Iterable[str] = ()) -> Standing | None:
    """None outside of git, and before its first commit. What is `shipped` though git does not look after it,
    such as an ignored file, is no part of the commit: with it, the folder differs."""
    head = _ask(folder, "rev-parse", "--short=7", "HEAD")
    if not head:
        return None
    changes = _ask(folder, "status", "--porcelain", "--", ".")
    differs = changes is None or bool(changes.strip()) or not _looked_after(folder).issuperset(shipped)
    return Standing(head.decode().strip(), dirty=differs)


def _looked_after(folder: Path) -> frozenset[str]:
    """The files of which git says when they change, by path from the folder."""
    said = _ask(folder, "ls-files", "-z", "-v", "--cached", "--recurse-submodules") or b""
    unchanged = (entry[2:] for entry in said.split(b"\0") if entry.startswith(b"H "))
    return frozenset(os.fsdecode(name) for name in unchanged)


def _ask(folder: Path, *question: str) -> bytes | None:
    named = {f"GIT_{name}" for name in _OF_A_REPOSITORY}
    environment = {name: value for name, value in os.environ.items() if name not in named}
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *question]
    try:
        done = subprocess.run(
            command,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
