"""The Python interpreters and node programs that base images name."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import uv

from pavedroad.bakery.running import Runner
from pavedroad.core.confinement import SYSTEM_PATH, installation_of
from pavedroad.core.errors import BakeFailed, InvalidInput

_PYTHON = re.compile(r"python(?P<version>3(?:\.[0-9]+)?)?")
_NODE = re.compile(r"node(?P<major>[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter of this machine, as virtual environments link to it."""

    program: Path
    version: str

    @property
    def seen(self) -> tuple[str, ...]:
        """What a build must see to run it."""
        return installation_of(str(self.program))

    @property
    def base(self) -> str:
        return f"python{'.'.join(self.version.split('.')[:2])}"


@dataclass(frozen=True, slots=True)
class Node:
    """`program` is None where no fitting node is on PATH: then one from the package index is shipped."""

    program: Path | None
    version: str
    npm: tuple[str, ...]
    tree: Path | None = None
    """Where the shipped one is, once it is there."""

    @property
    def seen(self) -> tuple[str, ...]:
        """What a build must see to run it."""
        if self.program is not None:
            return installation_of(str(self.program))
        return (str(self.tree),) if self.tree is not None else ()

    @property
    def is_of_the_system(self) -> bool:
        """Found without being named, on this machine and any alike."""
        return self.program is not None and str(self.program.parent) in SYSTEM_PATH.split(":")

    @property
    def base(self) -> str:
        return f"node{self.version.split('.')[0]}" if self.version else "node"


class Interpreters:
    """Finds them, and remembers while they stay as they are."""

    def __init__(self) -> None:
        self._pythons: dict[str, tuple[Python, int]] = {}
        self._nodes: dict[tuple[Path, int], str] = {}

    async def python(self, base: str | None, requires: str | None, runner: Runner) -> Python:
        """For a base image's name, or, without one, for what the project requires."""
        match = _PYTHON.fullmatch(base or "python")
        if match is None:
            raise InvalidInput(
                f"build.base: found '{base}'; allowed for kind python: python3 or python3.<minor>."
            )
        wanted = match["version"] or requires or "3"
        known, modified = self._pythons.get(wanted, (None, 0))
        if known is None or _modified(known.program) != modified:
            known = await _find_python(wanted, runner)
            self._pythons[wanted] = known, _modified(known.program)
        return known

    async def node(self, base: str | None, runner: Runner) -> Node:
        """The one on PATH, if it is of the wanted major version."""
        match = _NODE.fullmatch(base or "node")
        if match is None:
            raise InvalidInput(f"build.base: found '{base}'; allowed for kind node: node or node<major>.")
        path = runner.environment["PATH"]
        program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if program and npm:
            mark = Path(program), _modified(Path(program))
            if mark not in self._nodes:
                asked = f"exec {shlex.quote(program)} -p 'process.version + \" \" + process.execPath'"
                self._nodes[mark] = (await _ask(runner, asked)).lstrip("v")
            version, _, place = self._nodes[mark].partition(" ")
            if match["major"] in {None, version.split(".")[0]}:
                beside = Path(place).with_name("npm")
                return Node(Path(place), version, (str(beside) if beside.exists() else npm,))
        return Node(None, match["major"] or "", ())


async def _find_python(wanted: str, runner: Runner) -> Python:
    find = shlex.join(
        [uv.find_uv_bin(), "python", "find", "--system", "--no-project", "--no-python-downloads"]
    )
    name = shlex.quote(wanted)
    try:
        place = await _ask(runner, f"exec {find} --resolve-links {name} 2>/dev/null")
        version = await _ask(runner, f"exec {find} --show-version {name} 2>/dev/null")
    except BakeFailed:
        raise BakeFailed(
            f"There is no Python {wanted} on this machine.",
            next_step="Install it, or name another base: build: {base: python3}.",
        ) from None
    return Python(Path(place), version)


async def _ask(runner: Runner, line: str) -> str:
    # Beside the source: what is in there is nobody's settings.
    quiet = replace(runner, report=_keep_quiet, folder=runner.folder.parent)
    return (await quiet.run("Looking for an interpreter", ["/bin/sh", "-c", line])).strip()


def _keep_quiet(line: str) -> None:
    """What finding an interpreter says is nobody's progress."""


def _modified(program: Path) -> int:
    return program.stat().st_mtime_ns if program.exists() else 0
