"""The files of a source folder: which of them count, and one digest over them all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from pavedroad.bakery.reading import read_text
from pavedroad.core.errors import InvalidInput

MANIFEST = "paved.yaml"
_IGNORE_FILES = (".gitignore", ".pavedignore")
# Never source: other tools' books, and what is built anew in the bakery.
_NEVER = GitIgnoreSpec.from_lines(
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


def files_of(folder: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[SourceFile]:
    """What is shipped, by path: not what .gitignore, .pavedignore and `exclude` name, and, if there is an
    `include`, only what it names. Raises InvalidInput for links that lead out and what cannot be read."""
    only = GitIgnoreSpec.from_lines(include) if include else None
    without = GitIgnoreSpec.from_lines(exclude)
    found = (
        file
        for file in _walk(folder, "", (_NEVER,))
        if not without.match_file(file.path) and (only is None or only.match_file(file.path))
    )
    return sorted(found, key=lambda file: file.path)


def _walk(folder: Path, prefix: str, specs: tuple[GitIgnoreSpec, ...]) -> Iterator[SourceFile]:
    lines = [
        _below(prefix, line)
        for name in _IGNORE_FILES
        for line in (read_text(folder, name) or "").splitlines()
    ]
    if lines:
        specs = (*specs, GitIgnoreSpec.from_lines(lines))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be read: {error.strerror}.", next_step="Give this user the right to read it."
        ) from error
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if not _ignored(f"{path}/", specs) and not (Path(entry.path) / "pyvenv.cfg").exists():
                yield from _walk(Path(entry.path), f"{path}/", specs)
        elif not _ignored(path, specs):
            file = _source_file(path, Path(entry.path), prefix)
            if file is not None:
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


def _ignored(path: str, specs: tuple[GitIgnoreSpec, ...]) -> bool:
    """The deepest ignore file that has a word on it decides."""
    for spec in reversed(specs):
        verdict = spec.check_file(path).include
        if verdict is not None:
            return verdict
    return False


def _below(prefix: str, line: str) -> str:
    """A pattern of a nested ignore file, as the top one would have it."""
    pattern = line.rstrip("\n")
    if not prefix or not pattern.strip() or pattern.startswith("#"):
        return pattern
    bang, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    anchored = "/" in pattern.rstrip("/")
    return f"{bang}/{prefix}{pattern.lstrip('/')}" if anchored else f"{bang}/{prefix}**/{pattern}"


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
