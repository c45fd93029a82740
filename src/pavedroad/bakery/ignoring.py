"""What is no source of a folder: by git's own word; else by ignore files as git reads them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

from pavedroad.bakery import git
from pavedroad.bakery.reading import read
from pavedroad.bakery.wildmatch import Patterns

GIT_FILE = ".gitignore"


class Ignores(Protocol):
    """Which names of one folder git ignores."""

    def ignores(self, name: str, *, folder: bool) -> bool: ...

    def inside(self, place: Path) -> Ignores:
        """Of a folder in it, that lies at `place`."""
        ...


def by_git(folder: Path) -> Ignores:
    """Up to the root of the repository; without one, by the ignore files of the folder alone."""
    listed = git.files(folder)
    return Files.of_repository(folder) if listed is None else _Listed(_with_folders(listed))


@dataclass(frozen=True, slots=True)
class _Listed:
    """By the list of what git does not ignore, with the folders that lead there."""

    names: frozenset[str]
    at: str = ""

    def ignores(self, name: str, *, folder: bool) -> bool:
        path = f"{self.at}{name}"
        return path not in self.names and not (folder and f"{path}/" in self.names)

    def inside(self, place: Path) -> Ignores:
        if git.is_root(place):
            return by_git(place)
        return replace(self, at=f"{self.at}{place.name}/")


@dataclass(frozen=True, slots=True)
class Files:
    """By the files of this name from where they begin down to the folder `at`; the deepest that has a word on
    something decides. `hidden` is a folder that is ignored as a whole."""

    file: str
    at: str = ""
    levels: tuple[tuple[str, Patterns], ...] = ()
    hidden: bool = False

    @classmethod
    def of(cls, file: str, folder: Path) -> Self:
        return cls(file).reading(folder)

    @classmethod
    def of_repository(cls, folder: Path) -> Self:
        here = Path(os.path.realpath(folder))
        root = git.root_of(here)
        if root is None:
            return cls.of(GIT_FILE, here)
        own = [_config_home() / "git" / "ignore", root / ".git" / "info" / "exclude"]
        found = cls(
            GIT_FILE,
            levels=tuple(("", Patterns.of_file(_content(place.parent, place.name))) for place in own),
        )
        found = found.reading(root)
        for name in here.relative_to(root).parts:
            root /= name
            found = replace(found, hidden=found.ignores(name, folder=True)).below(root)
        return found

    def reading(self, folder: Path) -> Self:
        """With the file of the folder that it is at."""
        content = _content(folder, self.file)
        return (
            self
            if not content
            else replace(self, levels=(*self.levels, (self.at, Patterns.of_file(content))))
        )

    def below(self, place: Path) -> Self:
        return replace(self, at=f"{self.at}{place.name}/").reading(place)

    def says(self, name: str, *, folder: bool) -> bool | None:
        """None where no pattern speaks of it."""
        path = f"{self.at}{name}"
        for start, patterns in reversed(self.levels):
            if (said := patterns.say(path[len(start) :], folder=folder)) is not None:
                return said
        return None

    def ignores(self, name: str, *, folder: bool) -> bool:
        return self.hidden or bool(self.says(name, folder=folder))

    def inside(self, place: Path) -> Ignores:
        return self.of_repository(place) if git.is_root(place) else self.below(place)


def _with_folders(files: Iterable[str]) -> frozenset[str]:
    names = set(files)
    for path in files:
        names.update(f"{folder}/" for folder in PurePosixPath(path).parents)
    return frozenset(names)


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _content(folder: Path, name: str) -> bytes:
    return (read(folder, name) or b"") if folder.is_dir() else b""
