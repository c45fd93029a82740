"""Node services, baked with npm and booted from their layers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pavedroad.core.errors import BakeFailed, InvalidInput
from tests.bakery.kitchen import Kitchen, read, write

MANIFEST = """
    application: web
    owner: team-road
    command: node server.js
"""
PACKAGE = {"name": "web", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}}
SERVER = """
    const http = require("http");
    const ms = require("ms");
    http.createServer((_, answer) => answer.end(`${ms(60000)} %s ${process.version}`))
        .listen(process.env.PORT, process.env.HOST);
"""


def source(folder: Path, text: str, *, more: str = "", package: dict[str, object] | None = None) -> Path:
    return write(
        folder,
        {
            "paved.yaml": MANIFEST + more,
            "package.json": json.dumps({**PACKAGE, **(package or {})}),
            "server.js": SERVER % text,
        },
    )


needs_node = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="there is no node and npm: apt-get install npm"
)


@needs_node
async def test_modules_become_a_shared_layer_that_changed_source_leaves_alone(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    first = await kitchen.bake(source(tmp_path / "web", "one"))
    made = await kitchen.image_manifest(first)
    assert [(layer["path"], layer["shared"]) for layer in made["layers"]] == [
        (".", False),
        (".modules", True),
    ]
    with kitchen.booted(await kitchen.root(first), made) as url:
        assert read(url).startswith("1m one")
    second = await kitchen.bake(source(tmp_path / "web", "two"))
    changed = await kitchen.image_manifest(second)
    assert changed["layers"][1] == made["layers"][1]
    with kitchen.booted(await kitchen.root(second), changed) as url:
        assert read(url).startswith("1m two")


@needs_node
async def test_a_build_command_has_the_development_modules(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(
        tmp_path / "web",
        "built",
        more="    build: {kind: node, command: npm run build}\n",
        package={
            "devDependencies": {"mkdirp": "3.0.1"},
            "scripts": {"build": "mkdirp out && cp server.js out/server.js && rm server.js"},
        },
    )
    (folder / "paved.yaml").write_text(
        (folder / "paved.yaml").read_text().replace("server.js", "out/server.js")
    )
    result = await kitchen.bake(folder)
    root = await kitchen.root(result)
    assert not (root / "node_modules" / "mkdirp").exists()
    with kitchen.booted(root, await kitchen.image_manifest(result)) as url:
        assert read(url).startswith("1m built")


async def test_without_a_fitting_node_one_is_shipped(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "env", "cp", "rm"):
        (programs / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(programs))
    result = await kitchen.bake(source(tmp_path / "web", "shipped"))
    made = await kitchen.image_manifest(result)
    assert [layer["path"] for layer in made["layers"]] == [".", ".node", ".modules"]
    made["environment"]["PATH"] = str(programs)
    with kitchen.booted(await kitchen.root(result), made) as url:
        assert read(url).startswith("1m shipped v")


@needs_node
async def test_an_unknown_module_fails_with_what_npm_says(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = source(tmp_path / "web", "x", package={"dependencies": {"ms": "999.0.0"}})
    with pytest.raises(BakeFailed, match=r"(?s)npm install failed.*No matching version found for ms@999"):
        await kitchen.bake(folder)


@pytest.mark.parametrize("text", ["{", "[]", "7"])
async def test_a_broken_package_json_is_refused(kitchen: Kitchen, tmp_path: Path, text: str) -> None:
    folder = source(tmp_path / "web", "x")
    (folder / "package.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"package\.json is not"):
        await kitchen.bake(folder)
