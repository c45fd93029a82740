"""The Python interpreters and node programs that base images name."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import uv

from pavedroad.bakery.running import Runner
from pavedroad.core.errors import BakeFailed, InvalidInput

_PYTHON = re.compile(r"python(?P<version>3(?:\.\d+)?)?")
_NODE = re.compile(r"node(?P<major>\d+)?")


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter of this machine, as virtual environments link to it."""

    program: Path
    version: str

    @property
    def base(self) -> str:
        return f"python{'.'.join(self.version.split('.')[:2])}"


@dataclass(frozen=True, slots=True)
class Node:
    """`program` is None where no fitting node is on PATH: then one from the package index is shipped."""

    program: Path | None
    version: str
    npm: tuple[str, ...]

    @property
    def base(self) -> str:
        return f"node{self.version.split('.')[0]}" if self.version else "node"


async def find_python(base: str | None, requires: str | None, runner: Runner) -> Python:
    """For a base image's name, or, without one, for what the project requires."""
    match = _PYTHON.fullmatch(base or "python")
    if match is None:
        raise InvalidInput(
            f"build.base: found '{base}'; allowed for kind python: python3 or python3.<minor>."
        )
    wanted = match["version"] or requires or "3"
    quiet = Runner(runner.folder, runner.environment, lambda _: None, runner.time_limit)
    find = (
        uv.find_uv_bin(),
        "python",
        "find",
        "--system",
        "--no-python-downloads",
        "--no-project",
        "--quiet",
    )
    try:
        said = await quiet.run(f"Finding Python {wanted}", [*find, "--show-version", wanted])
        place = await quiet.run(f"Finding Python {wanted}", [*find, wanted])
    except BakeFailed:
        raise BakeFailed(
            f"There is no Python {wanted} on this machine.",
            next_step="Install it, or name another base: build: {base: python3}.",
        ) from None
    return Python(Path(place.splitlines()[-1]), said.splitlines()[-1])


async def find_node(base: str | None, runner: Runner) -> Node:
    """The one on PATH, if it is of the wanted major version."""
    match = _NODE.fullmatch(base or "node")
    if match is None:
        raise InvalidInput(f"build.base: found '{base}'; allowed for kind node: node or node<major>.")
    path = runner.environment["PATH"]
    program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if program and npm:
        quiet = Runner(runner.folder, runner.environment, lambda _: None, runner.time_limit)
        said = (await quiet.run("Asking node for its version", [program, "--version"])).strip().lstrip("v")
        if match["major"] in {None, said.split(".")[0]}:
            return Node(Path(program), said, (npm,))
    return Node(None, match["major"] or "", ())
