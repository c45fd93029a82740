"""Python: the dependencies as a shared layer, a virtual environment; the project in the application's own.

A project that is a package gets a small environment of its own over the dependencies' one, so that a changed
source leaves the dependency layer as it is.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import uv

from pavedroad.bakery.builders.bench import Bench
from pavedroad.bakery.interpreters import Python
from pavedroad.bakery.layers import key_of
from pavedroad.bakery.model import Built, Layer
from pavedroad.bakery.requirements import PythonNeeds
from pavedroad.bakery.sizes import spoken
from pavedroad.core.errors import BakeFailed

_VERSION = 1  # of what this builder makes: raise it when that changes
_VENV = ".venv"
_BELOW = f"{_VENV}/dependencies"
# uv's own notes and the shells' scripts: of no use in an image, and different each time.
_LITTER = ("uv_cache.json", ".lock", ".gitignore", "CACHEDIR.TAG", "activate*", "deactivate*", "pydoc.bat")
# What uv says when it did nothing, and of this machine's folders.
_NOISE = re.compile(r"^Using Python .+ environment |^(Checked|Audited) |does not contain any dependencies$")
_PATH_FILE = "_dependencies.pth"
_PACKAGES = "packages.txt"


async def build(bench: Bench, needs: PythonNeeds, python: Python) -> Built:
    path = _BELOW if needs.project else _VENV
    key = key_of(
        "python",
        _VERSION,
        str(python.program),
        python.version,
        needs.key,
        needs.whole and bench.source_digest,
    )

    async def make(folder: Path) -> None:
        await _make_dependencies(bench, needs, python, folder)

    bench.report("Dependencies: looking for their layer")
    layer = await bench.layers.made_from(key, path=path, make=make, anew=bench.anew)
    bench.report(f"Dependencies: {spoken(layer.size)}, packed")
    if bench.build.command:
        tree = await bench.layers.tree(layer)
        command = bench.build.command
        await bench.runners.own.run(
            f"`{command}`",
            ["/bin/sh", "-c", command],
            path=[str(tree / "bin")],
            reads=[tree, *python.seen],
        )
    if needs.project:
        await _install_project(bench, needs.project, python, layer)
    return Built((layer,), (f"{_VENV}/bin",))


async def _make_dependencies(bench: Bench, needs: PythonNeeds, python: Python, folder: Path) -> None:
    await _make_environment(bench, python, folder)
    arguments = [argument for file in needs.files for argument in ("-r", file)]
    if needs.lock:
        locked = await _locked(bench)
        arguments += ["-r", locked]
    if needs.lines:
        extra = bench.work.parent / _PACKAGES
        await asyncio.to_thread(extra.write_text, "\n".join(needs.lines) + "\n")
        arguments += ["-r", str(extra)]
    if arguments:
        install = ["pip", "install", "--compile-bytecode", *arguments]
        await _build(bench, "Installing the dependencies", install, python, folder)
    await asyncio.to_thread(_clean, folder)


async def _locked(bench: Bench) -> str:
    """uv.lock as requirements, without the project and without what only its developers need."""
    target = bench.work / ".requirements-of-lock.txt"
    export = [
        "export",
        "--frozen",
        "--no-dev",
        "--no-emit-project",
        "--no-editable",
        "--no-annotate",
        "--no-header",
    ]
    await _uv(bench, "Reading uv.lock", [*export, "--quiet", "--output-file", target.name], None)
    return target.name


async def _install_project(bench: Bench, project: str, python: Python, layer: Layer) -> None:
    bench.report("Installing the project")
    environment = await asyncio.to_thread(bench.clear, _VENV)
    await _make_environment(bench, python, environment)
    install = ["pip", "install", "--no-deps", "--compile-bytecode", project]
    await _build(bench, "Installing the project", install, python, environment)
    tree = await bench.layers.tree(layer)
    await asyncio.to_thread(_adopt, environment, tree)
    await asyncio.to_thread(_clean, environment)
    if project.endswith(".whl"):
        (bench.work / project).unlink()


async def _make_environment(bench: Bench, python: Python, folder: Path) -> None:
    create = [
        "venv",
        "--relocatable",
        "--quiet",
        "--allow-existing",
        "--no-project",
        "--python",
        str(python.program),
    ]
    await _uv(bench, "Making a virtual environment", [*create, str(folder)], None)


async def _uv(bench: Bench, what: str, arguments: list[str], environment: Path | None) -> None:
    target = ["--python", str(environment / "bin" / "python")] if environment else []
    command = [uv.find_uv_bin(), *arguments, *target]
    await bench.runners.at_large.run(what, command, folder=bench.work, noise=_NOISE)


async def _build(bench: Bench, what: str, arguments: list[str], python: Python, environment: Path) -> None:
    """As `_uv`, where code of packages or of the project runs."""
    program = uv.find_uv_bin()
    runner = bench.runners.own if environment.is_relative_to(bench.work) else bench.runners.apart
    await runner.run(
        what,
        [program, *arguments, "--python", str(environment / "bin" / "python")],
        folder=bench.work,
        reads=[program, bench.work.parent / _PACKAGES, *python.seen],
        writes=[environment],
        noise=_NOISE,
    )
    await asyncio.to_thread(_check, environment, what)


def _check(environment: Path, what: str) -> None:
    """We are about to write in it."""
    for folder in [environment, environment / "bin", *environment.glob("lib/python*/site-packages")]:
        if folder.resolve() != environment.parent.resolve() / folder.relative_to(environment.parent):
            raise BakeFailed(f"{what} made a link of the environment's folder {folder.name}.")


def _adopt(environment: Path, tree: Path) -> None:
    """Make the dependencies part of the project's environment: their modules, their programs, their data.

    Their scripts are copied, since a script finds its interpreter beside itself.
    """
    site = next(environment.glob("lib/python*/site-packages"))
    inside = site.relative_to(environment).as_posix()
    (site / _PATH_FILE).unlink(missing_ok=True)  # it may be a link
    (site / _PATH_FILE).write_text(
        f"import site; site.addsitedir(sitedir + '/../../../dependencies/{inside}')\n"
    )
    for program in sorted((tree / "bin").iterdir()):
        target = environment / "bin" / program.name
        if target.exists() or target.is_symlink() or program.name.startswith("python"):
            continue
        if program.is_file() and not program.is_symlink() and program.open("rb").read(2) == b"#!":
            shutil.copy2(program, target)
        else:
            target.symlink_to(f"../dependencies/bin/{program.name}")
    for other in sorted(tree.iterdir()):
        if not (environment / other.name).exists():
            (environment / other.name).symlink_to(f"dependencies/{other.name}")


def _clean(environment: Path) -> None:
    for pattern in _LITTER:
        for place in [*environment.glob(pattern), *environment.glob(f"bin/{pattern}")]:
            place.unlink()
    for place in environment.glob("lib/python*/site-packages/*.dist-info/uv_cache.json"):
        place.unlink()
    for place in environment.glob("lib64"):
        if place.is_symlink():
            place.unlink()
