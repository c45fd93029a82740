"""What a Python project needs, read from its files: the inputs of its dependency layer."""

from __future__ import annotations

import email
import re
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pavedroad.core.errors import InvalidInput

_INCLUDE = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]+(?P<file>\S+)")
_EDITABLE = re.compile(r"^(?:-e|--editable)[ =]+")
_LOCAL = re.compile(r"^(?:\.{0,2}/|\.{1,2}(?:$|\[|\s)|file:)|@\s*file:|\.(?:whl|tar\.gz|zip)(?:$|\s)")


@dataclass(frozen=True, slots=True)
class PythonNeeds:
    """`lock`: install what uv.lock pins. `files`: those to install from, relative to the folder. `lines`:
    requirements besides. `project`: what to install without dependencies. `key`: of all that decides what
    the dependencies are; `whole` says that this may be any file of the folder."""

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
        return _of_requirements(folder, packages)
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
    return PythonNeeds(
        lock=False, files=(), lines=packages, project=None, requires_python=None, key=packages, whole=False
    )


def _pyproject(folder: Path) -> dict[str, Any]:
    place = folder / "pyproject.toml"
    if not place.is_file():
        return {}
    try:
        return tomllib.loads(place.read_text(errors="replace"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"pyproject.toml is not TOML: {error}.") from error


def _of_pyproject(folder: Path, read: dict[str, Any], packages: tuple[str, ...]) -> PythonNeeds:
    project = _table(read, "project")
    settings = _table(_table(read, "tool"), "uv")
    declared = cast("list[str]", project.get("dependencies", []))
    dynamic = not project or "dependencies" in cast("list[str]", project.get("dynamic", []))
    lock = (folder / "uv.lock").is_file()
    texts, local = list[str](), False
    files = () if lock else ("pyproject.toml",)
    if not (lock or dynamic or declared) and (folder / "requirements.txt").is_file():
        texts, local = _included(folder, "requirements.txt", set())
        files = ("requirements.txt",)
    key = (
        *declared,
        repr(project.get("requires-python")),
        repr({name: settings[name] for name in sorted(settings) if name != "dev-dependencies"}),
        (folder / "uv.lock").read_text() if lock else "",
        *texts,
        *packages,
    )
    return PythonNeeds(
        lock=lock,
        files=files,
        lines=packages,
        project="." if settings.get("package", "build-system" in read) else None,
        requires_python=cast("str | None", project.get("requires-python")),
        key=key,
        whole=local or "path" in repr(_table(settings, "sources")) or (dynamic and not lock),
    )


def _of_requirements(folder: Path, packages: tuple[str, ...]) -> PythonNeeds:
    texts, local = _included(folder, "requirements.txt", set())
    return PythonNeeds(
        lock=False,
        files=("requirements.txt",),
        lines=packages,
        project=None,
        requires_python=None,
        key=(*texts, *packages),
        whole=local,
    )


def _included(folder: Path, name: str, seen: set[Path]) -> tuple[list[str], bool]:
    """The texts of a requirements file and of those it includes, and whether any names a local path.

    Editable installs become plain ones: the folder they would point to is gone after the bake.
    """
    place = (folder / name).resolve()
    if place in seen:
        return [], False
    if not place.is_relative_to(folder.resolve()) or not place.is_file():
        raise InvalidInput(f"requirements.txt includes {name}, which is not in the folder.")
    seen.add(place)
    lines = [_EDITABLE.sub("", line.strip()) for line in place.read_text(errors="replace").splitlines()]
    place.write_text("\n".join(lines) + "\n")
    texts, local = ["\n".join(lines)], any(_LOCAL.search(line) for line in lines)
    for line in lines:
        if match := _INCLUDE.match(line):
            more, also = _included(
                folder, str(place.parent.relative_to(folder.resolve()) / match["file"]), seen
            )
            texts += more
            local = local or also
    return texts, local


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
        whole=False,
    )


def _table(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name, {})
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
