"""The files of a source folder: which of them count, and one digest over them all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery import ignoring
from pavedroad.bakery.ignoring import Files, Ignores
from pavedroad.bakery.wildmatch import Patterns
from pavedroad.core.errors import InvalidInput

MANIFEST = "paved.yaml"
_OWN_FILE = ".pavedignore"
# Never source: other tools' books, and what is built anew in the bakery.
_NEVER = Patterns.of(
    [
        ".git",
        ".hg/",
        ".svn/",
        ".venv/",
        "venv/",
        "node_modules/",
        "__pycache__/",
        "*.pyc",
        ".paved/",
        ".tox/",
        ".nox/",
        ".mypy_cache/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".DS_Store",
    ]
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, or a link within the folder. `path` is relative to the folder, with slashes."""

    path: str
    place: Path
    executable: bool
    size: int
    link: str | None


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which entries of a folder are none of its source."""

    own: Files
    git: Ignores

    def ignore(self, place: Path, *, folder: bool) -> bool:
        """What .pavedignore says, else what is never source, else what git says."""
        if (said := self.own.says(place.name, folder=folder)) is not None:
            return said
        if _NEVER.say(place.name, folder=folder) or (folder and (place / "pyvenv.cfg").exists()):
            return True
        return self.git.ignores(place.name, folder=folder)

    def inside(self, place: Path) -> _Rules:
        return _Rules(self.own.below(place), self.git.inside(place))


def files_of(folder: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[SourceFile]:
    """What is shipped of a folder, by path: not what git ignores, unless .pavedignore has another word, nor
    what `exclude` names, and, if there is an `include`, only what it names. Raises InvalidInput for links
    that lead out and what cannot be read."""
    rules = _Rules(Files.of(_OWN_FILE, folder), ignoring.by_git(folder))
    return _among(_walk(folder, "", rules), include, exclude)


def files_sent(
    folder: Path, *, chosen: bool, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> list[SourceFile]:
    """As `files_of` a folder that was sent, so in no repository; `chosen` has been by it already."""
    rules = _Rules(Files.of(_OWN_FILE, folder), Files.of(ignoring.GIT_FILE, folder))
    return _among(_walk(folder, "", None if chosen else rules), include, exclude)


def _among(files: Iterable[SourceFile], include: Sequence[str], exclude: Sequence[str]) -> list[SourceFile]:
    only, without = Patterns.of(include), Patterns.of(exclude)
    found = (file for file in files if not without.name(file.path) and (not include or only.name(file.path)))
    return sorted(found, key=lambda file: file.path)


def _walk(folder: Path, prefix: str, rules: _Rules | None) -> Iterator[SourceFile]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be read: {error.strerror}.", next_step="Give this user the right to read it."
        ) from error
    for entry in entries:
        path, place = f"{prefix}{entry.name}", Path(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules is not None and rules.ignore(place, folder=is_folder):
            continue
        if is_folder:
            yield from _walk(place, f"{path}/", rules and rules.inside(place))
        elif (file := _source_file(path, place, prefix)) is not None:
            yield file


def _source_file(path: str, place: Path, prefix: str) -> SourceFile | None:
    status = place.lstat()
    if stat.S_ISLNK(status.st_mode):
        target = str(place.readlink())
        if target.startswith("/") or os.path.normpath(prefix + target).split("/")[0] == "..":
            raise InvalidInput(
                f"{path} is a link to {target}, outside the folder.",
                next_step=f"Copy the file in, or leave the link out: build: {{exclude: [{path}]}}.",
            )
        return SourceFile(path, place, executable=False, size=0, link=target)
    if not stat.S_ISREG(status.st_mode):
        return None  # sockets, pipes and devices are nobody's source
    return SourceFile(path, place, bool(status.st_mode & stat.S_IXUSR), status.st_size, None)


def digest_of(files: Sequence[SourceFile]) -> str:
    """Of paths, kinds, executable bits and contents. The manifest's part is the recipe's to take."""
    total = hashlib.sha256()
    for file in files:
        if file.path == MANIFEST:
            continue
        mark = "l" if file.link is not None else "x" if file.executable else "f"
        total.update(f"{mark}\0{file.path}\0".encode(errors="surrogateescape"))
        total.update(_content_digest(file))
    return total.hexdigest()


def _content_digest(file: SourceFile) -> bytes:
    if file.link is not None:
        return hashlib.sha256(file.link.encode(errors="surrogateescape")).digest()
    try:
        with file.place.open("rb") as content:
            return hashlib.file_digest(content, "sha256").digest()
    except OSError as error:
        raise InvalidInput(
            f"{file.path} cannot be read: {error.strerror}.", next_step="Give this user the right to read it."
        ) from error


def copy_to(folder: Path, files: Sequence[SourceFile]) -> None:
    """A work folder of its own, without the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if file.path == MANIFEST:
            continue
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.link is not None:
            target.symlink_to(file.link)
        else:
            shutil.copyfile(file.place, target)
            target.chmod(0o755 if file.executable else 0o644)
