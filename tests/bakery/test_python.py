"""Python services, baked with uv and booted from their layers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from pavedroad.bakery.recipe import with_programs
from pavedroad.core.errors import BakeFailed, InvalidInput
from tests.bakery.kitchen import Kitchen, read, write

MANIFEST = """
    application: api
    owner: team-road
    command: {command}
"""
SERVE = """
    import json, os, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer

    {imports}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({{"says": {says}, "prefix": sys.prefix}}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    def main():
        HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()

    if __name__ == "__main__":
        main()
"""


def manifest(command: str = "python serve.py", more: str = "") -> str:
    return MANIFEST.format(command=command) + more


def serve(says: str, imports: str = "") -> str:
    return SERVE.format(says=says, imports=imports)


def project(folder: Path, says: str) -> Path:
    return write(
        folder,
        {
            "paved.yaml": manifest("api"),
            "pyproject.toml": """
                [project]
                name = "api"
                version = "1.0"
                dependencies = ["itsdangerous==2.2.0"]
                [project.scripts]
                api = "api.serving:main"
                [build-system]
                requires = ["hatchling"]
                build-backend = "hatchling.build"
            """,
            "src/api/__init__.py": "",
            "src/api/serving.py": serve(says, "import itsdangerous"),
            "README.md": "An API.",
        },
    )


async def test_requirements_become_a_shared_layer_that_changed_source_leaves_alone(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    source = write(
        tmp_path / "api",
        {
            "paved.yaml": manifest(),
            "requirements.txt": "itsdangerous==2.2.0\n",
            "serve.py": serve("itsdangerous.__version__", "import itsdangerous"),
        },
    )
    first = await kitchen.bake(source)
    made = await kitchen.image_manifest(first)
    assert [(layer["path"], layer["shared"]) for layer in made["layers"]] == [(".", False), (".venv", True)]
    root = await kitchen.root(first)
    with kitchen.booted(root, made) as url:
        assert json.loads(read(url))["says"] == "2.2.0"
    (source / "serve.py").write_text((source / "serve.py").read_text() + "# changed\n")
    second = await kitchen.bake(source)
    assert not second.reused
    assert second.key != first.key
    assert (await kitchen.image_manifest(second))["layers"][1] == made["layers"][1]


async def test_a_package_is_installed_over_its_dependencies_layer(kitchen: Kitchen, tmp_path: Path) -> None:
    source = project(tmp_path / "api", "'one'")
    first = await kitchen.bake(source)
    made = await kitchen.image_manifest(first)
    assert [layer["path"] for layer in made["layers"]] == [".", ".venv/dependencies"]
    root = await kitchen.root(first)
    with kitchen.booted(root, made) as url:
        answer = json.loads(read(url))
    assert answer == {"says": "one", "prefix": str(root / ".venv")}
    source = project(tmp_path / "api", "'two'")
    second = await kitchen.bake(source)
    changed = await kitchen.image_manifest(second)
    assert changed["layers"][1] == made["layers"][1]
    with kitchen.booted(await kitchen.root(second), changed) as url:
        assert json.loads(read(url))["says"] == "two"


async def test_a_lock_is_kept_to(kitchen: Kitchen, tmp_path: Path) -> None:
    source = project(tmp_path / "api", "itsdangerous.__version__")
    text = (source / "pyproject.toml").read_text()
    (source / "pyproject.toml").write_text(text.replace("itsdangerous==2.2.0", "itsdangerous<3"))
    lock = [uv.find_uv_bin(), "lock", "--quiet", "--upgrade-package", "itsdangerous==2.1.2"]
    subprocess.run([*lock, "--python", sys.executable], cwd=source, check=True)
    result = await kitchen.bake(source)
    with kitchen.booted(await kitchen.root(result), await kitchen.image_manifest(result)) as url:
        assert json.loads(read(url))["says"] == "2.1.2"


async def test_packages_alone_need_no_source_and_their_programs_are_found(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    source = write(
        tmp_path / "box",
        {
            "paved.yaml": manifest(
                "gunicorn wsgi:app --bind $HOST:$PORT", '    build: {packages: ["gunicorn==23.0.0"]}\n'
            ),
            "wsgi.py": """
                def app(environ, start):
                    start("200 OK", [])
                    return [b"served"]
            """,
        },
    )
    result = await kitchen.bake(source)
    with kitchen.booted(await kitchen.root(result), await kitchen.image_manifest(result)) as url:
        assert read(url) == "served"


async def test_a_wheel_is_a_source(kitchen: Kitchen, tmp_path: Path) -> None:
    build = [uv.find_uv_bin(), "build", "--wheel", "--quiet", "--python", sys.executable]
    packed = project(tmp_path / "api", "'from a wheel'")
    subprocess.run([*build, "--out-dir", tmp_path / "wheel"], cwd=packed, check=True)
    (tmp_path / "wheel" / ".gitignore").unlink(missing_ok=True)
    source = write(tmp_path / "wheel", {"paved.yaml": manifest("api")})
    result = await kitchen.bake(source)
    root = await kitchen.root(result)
    assert not list(root.glob("*.whl"))
    with kitchen.booted(root, await kitchen.image_manifest(result)) as url:
        assert json.loads(read(url))["says"] == "from a wheel"


async def test_layers_of_the_same_needs_are_the_same_bytes_wherever_they_are_made(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    source = write(
        tmp_path / "api", {"paved.yaml": manifest(), "requirements.txt": "six==1.17.0", "serve.py": ""}
    )
    first = await kitchen.bake(source)
    again = await kitchen.bake(source, rebake=True)
    assert again.image_id != first.image_id
    assert (await kitchen.image_manifest(again)) == (await kitchen.image_manifest(first))


async def test_an_unknown_package_fails_with_what_uv_says(kitchen: Kitchen, tmp_path: Path) -> None:
    source = write(
        tmp_path / "api", {"paved.yaml": manifest(), "requirements.txt": "six==999.0\n", "serve.py": ""}
    )
    with pytest.raises(BakeFailed, match=r"(?s)Installing the dependencies failed.*six==999\.0"):
        await kitchen.bake(source)
    assert await kitchen.bakery.images() == []


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"pyproject.toml": "[project\n"}, r"pyproject\.toml is not TOML"),
        ({"requirements.txt": "-r ../other.txt\n"}, "which is not in the folder"),
        ({"a-1.0-py3-none-any.whl": "no wheel"}, "not a wheel that can be read"),
        ({"a.whl": "x", "b.whl": "x"}, "2 wheels in the folder"),
    ],
)
async def test_a_source_that_makes_no_sense_is_refused(
    kitchen: Kitchen, tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await kitchen.bake(write(tmp_path / "api", {"paved.yaml": manifest(), **files}))


async def test_a_base_that_is_not_there_is_said(kitchen: Kitchen, tmp_path: Path) -> None:
    source = write(
        tmp_path / "api", {"paved.yaml": manifest(more="    build: {kind: python, base: python3.99}\n")}
    )
    with pytest.raises(BakeFailed, match=r"There is no Python 3\.99 on this machine"):
        await kitchen.bake(source)
    (source / "paved.yaml").write_text((source / "paved.yaml").read_text().replace("python3.99", "ubuntu"))
    with pytest.raises(InvalidInput, match=r"build\.base: found 'ubuntu'"):
        await kitchen.bake(source)


def test_the_command_finds_the_images_programs_first() -> None:
    assert with_programs("serve --port $PORT", []) == "serve --port $PORT"
    assert with_programs("serve", [".venv/bin"]) == 'env "PATH=$PWD/.venv/bin:$PATH" serve'
    compound = with_programs("migrate && serve 'x'", [".venv/bin"])
    assert compound.startswith('env "PATH=$PWD/.venv/bin:$PATH" /bin/sh -c ')
