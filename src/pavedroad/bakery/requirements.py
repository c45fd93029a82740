"""What a Python project needs, read from its files: the inputs of its dependency layer."""

from __future__ import annotations

import email
import re
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pavedroad.bakery.reading import read_text
from pavedroad.bakery.remote import are_remote, lock_is_remote, logical_lines, settings_are_remote, table
from pavedroad.core.errors import InvalidInput

_INCLUDE = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]+(?P<file>\S+)")
_EDITABLE = re.compile(r"^(?:-e|--editable)[ =]+")


@dataclass(frozen=True, slots=True)
class PythonNeeds:
    """`lock`: install what uv.lock pins. `files`: those to install from, relative to the folder. `lines`:
    requirements besides. `project`: what to install without dependencies. `key`: of all that decides what
    the dependencies are; `whole` says that this may be any file of the folder, since not all of them are
    provably from elsewhere."""

    lock: bool
    files: tuple[str, ...]
    lines: tuple[str, ...]
    project: str | None
    requires_python: str | None
    key: tuple[str, ...]
    whole: bool


def python_needs(folder: Path, packages: tuple[str, ...]) -> PythonNeeds:
    """Of a folder with a pyproject.toml, requirements.txt, setup.py or wheel, or of packages alone."""
    wheels = sorted(folder.glob("*.whl"))
    pyproject = _pyproject(folder)
    if pyproject.keys() & {"project", "build-system"}:
        return _of_pyproject(folder, pyproject, packages)
    if (folder / "requirements.txt").is_file():
        return _of_requirements(folder, pyproject, packages)
    if (folder / "setup.py").is_file():
        return PythonNeeds(
            lock=False,
            files=("setup.py",),
            lines=packages,
            project=".",
            requires_python=None,
            key=packages,
            whole=True,
        )
    if len(wheels) > 1:
        raise InvalidInput(
            f"There are {len(wheels)} wheels in the folder, and an image is made of one.",
            next_step="Leave one there, or name them in a requirements.txt.",
        )
    if wheels:
        return _of_wheel(wheels[0], packages)
    settings, remote = _settings(folder, pyproject)
    return PythonNeeds(
        lock=False,
        files=(),
        lines=packages,
        project=None,
        requires_python=None,
        key=(*settings, *packages),
        whole=not (remote and are_remote(packages)),
    )


def _pyproject(folder: Path) -> dict[str, Any]:
    text = read_text(folder, "pyproject.toml")
    if text is None:
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"pyproject.toml is not TOML: {error}.") from error


def _of_pyproject(folder: Path, read: dict[str, Any], packages: tuple[str, ...]) -> PythonNeeds:
    project = table(read, "project")
    settings, remote = _settings(folder, read)
    declared = _texts(project, "dependencies")
    dynamic = not project or "dependencies" in _texts(project, "dynamic")
    lock = read_text(folder, "uv.lock")
    texts = list[str]()
    files = () if lock is not None else ("pyproject.toml",)
    if not (lock is not None or dynamic or declared) and (folder / "requirements.txt").is_file():
        texts, all_remote = _included(folder, "requirements.txt", set())
        files, remote = ("requirements.txt",), remote and all_remote
    if lock is not None:
        remote = lock_is_remote(lock) and remote
    remote = are_remote([*declared, *packages]) and remote
    return PythonNeeds(
        lock=lock is not None,
        files=files,
        lines=packages,
        project="." if _uv(read).get("package", "build-system" in read) else None,
        requires_python=cast("str | None", project.get("requires-python")),
        key=(*declared, repr(project.get("requires-python")), *settings, lock or "", *texts, *packages),
        whole=not remote or (dynamic and lock is None),
    )


def _of_requirements(folder: Path, read: dict[str, Any], packages: tuple[str, ...]) -> PythonNeeds:
    texts, remote = _included(folder, "requirements.txt", set())
    settings, none_local = _settings(folder, read)
    return PythonNeeds(
        lock=False,
        files=("requirements.txt",),
        lines=packages,
        project=None,
        requires_python=None,
        key=(*settings, *texts, *packages),
        whole=not (are_remote(packages) and remote and none_local),
    )


def _settings(folder: Path, pyproject: dict[str, Any]) -> tuple[list[str], bool]:
    """uv's own, which may name local indexes and sources: their texts, and whether all is from elsewhere."""
    settings = _uv(pyproject)
    texts = [repr({name: settings[name] for name in sorted(settings) if name != "dev-dependencies"})]
    beside = read_text(folder, "uv.toml")
    return [*texts, beside or ""], settings_are_remote(settings) and beside is None


def _included(folder: Path, name: str, seen: set[Path]) -> tuple[list[str], bool]:
    """The texts of a requirements file and of those it includes, and whether all is from elsewhere.

    Editable installs become plain ones: the folder they would point to is gone after the bake.
    """
    root = folder.resolve()
    place = (root / name).resolve()
    if place in seen:
        return [], True
    text = read_text(root, str(place.relative_to(root))) if place.is_relative_to(root) else None
    if text is None:
        raise InvalidInput(f"requirements.txt includes {name}, which is not in the folder.")
    seen.add(place)
    plain = "\n".join(_EDITABLE.sub("", line.strip()) for line in text.splitlines()) + "\n"
    place.write_text(plain)
    lines = logical_lines(plain)
    here = str(place.parent.relative_to(root))
    texts, remote = [plain], are_remote([line for line in lines if not _INCLUDE.match(line)], here)
    for line in lines:
        if match := _INCLUDE.match(line):
            more, also = _included(folder, f"{here}/{match['file']}", seen)
            texts += more
            remote = remote and also
    return texts, remote


def _of_wheel(wheel: Path, packages: tuple[str, ...]) -> PythonNeeds:
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(
                name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)
            )
            metadata = email.message_from_bytes(archive.read(name))
    except (zipfile.BadZipFile, StopIteration, OSError) as error:
        raise InvalidInput(f"{wheel.name} is not a wheel that can be read.") from error
    lines = tuple(str(line) for line in metadata.get_all("Requires-Dist", []))
    requires = metadata.get("Requires-Python")
    return PythonNeeds(
        lock=False,
        files=(),
        lines=(*lines, *packages),
        project=wheel.name,
        requires_python=str(requires) if requires else None,
        key=(*lines, *packages),
        whole=not are_remote([*lines, *packages]),
    )


def _texts(project: dict[str, Any], name: str) -> list[str]:
    value = project.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in cast("list[Any]", value)):
        raise InvalidInput(f"pyproject.toml: project.{name} is not a list of texts.")
    return cast("list[str]", value)


def _uv(pyproject: dict[str, Any]) -> dict[str, Any]:
    return table(table(pyproject, "tool"), "uv")
