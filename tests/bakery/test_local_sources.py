"""What requirements name in the folder itself is part of the image: changed, it is shipped changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from pavedroad.bakery.model import BakeResult
from pavedroad.bakery.remote import (
    are_remote,
    lock_is_remote,
    logical_lines,
    npm_is_remote,
    settings_are_remote,
)
from pavedroad.core.errors import InvalidInput
from tests.bakery.kitchen import Kitchen, read, write

MANIFEST = """
    application: {application}
    owner: team-road
    command: python serve.py
"""
SERVE = """
    import os
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import greeting

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(greeting.TEXT.encode())

    HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
GREETING = """
    [project]
    name = "greeting"
    version = "1.0"
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"
"""


def service(folder: Path, greeting: str, files: dict[str, str], application: str = "api") -> Path:
    """A service over a package in `libs/greeting`."""
    return write(
        folder,
        {
            "paved.yaml": MANIFEST.format(application=application),
            "serve.py": SERVE,
            "libs/greeting/pyproject.toml": GREETING,
            "libs/greeting/greeting/__init__.py": f"TEXT = {greeting!r}\n",
            **files,
        },
    )


async def said(kitchen: Kitchen, result: BakeResult) -> str:
    with kitchen.booted(await kitchen.root(result), await kitchen.image_manifest(result)) as url:
        return read(url)


async def shipped(kitchen: Kitchen, result: BakeResult) -> str:
    root = await kitchen.root(result)
    (module,) = root.glob(".venv/**/site-packages/greeting/__init__.py")
    return module.read_text()


async def test_another_byte_in_a_package_of_the_folder_is_what_the_instance_serves(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    files = {"requirements.txt": "-r needs/all.txt\n", "needs/all.txt": "six==1.17.0\n-e libs/greeting\n"}
    first = await kitchen.bake(service(tmp_path / "api", "one", files))
    assert await said(kitchen, first) == "one"
    second = await kitchen.bake(service(tmp_path / "api", "onf", files))
    assert (second.reused, await said(kitchen, second)) == (False, "onf")


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "libs/greeting\n"},
        {"requirements.txt": "greeting @ file:libs/greeting\n"},
        {
            "pyproject.toml": """
                [project]
                name = "api"
                version = "1"
                dependencies = ["greeting"]
                [tool.uv.sources]
                greeting = {path = "libs/greeting"}
            """
        },
    ],
    ids=["path", "url", "source of uv"],
)
async def test_two_applications_of_the_same_words_have_each_its_own_package(
    kitchen: Kitchen, tmp_path: Path, files: dict[str, str]
) -> None:
    one = await kitchen.bake(service(tmp_path / "one", "one", files, "one"))
    two = await kitchen.bake(service(tmp_path / "two", "two", files, "two"))
    assert [await shipped(kitchen, one), await shipped(kitchen, two)] == ["TEXT = 'one'\n", "TEXT = 'two'\n"]


async def test_a_member_of_a_locked_workspace_is_shipped_as_it_is_now(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    files = {
        "pyproject.toml": """
            [project]
            name = "api"
            version = "1"
            requires-python = ">=3.11"
            dependencies = ["greeting"]
            [tool.uv.sources]
            greeting = {workspace = true}
            [tool.uv.workspace]
            members = ["libs/*"]
        """
    }
    folder = service(tmp_path / "api", "one", files)
    lock = [uv.find_uv_bin(), "lock", "--quiet", "--python", sys.executable]
    subprocess.run(lock, cwd=folder, check=True)
    assert await shipped(kitchen, await kitchen.bake(folder)) == "TEXT = 'one'\n"
    service(folder, "two", files)
    assert await shipped(kitchen, await kitchen.bake(folder)) == "TEXT = 'two'\n"


@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm: apt-get install npm")
async def test_a_module_of_the_folder_is_shipped_as_it_is_now(kitchen: Kitchen, tmp_path: Path) -> None:
    def baked(greeting: str) -> Path:
        return write(
            tmp_path / "web",
            {
                "paved.yaml": MANIFEST.format(application="web").replace("python serve.py", "node server.js"),
                "package.json": json.dumps(
                    {"name": "web", "version": "1.0.0", "dependencies": {"greeting": "file:libs/greeting"}}
                ),
                "libs/greeting/package.json": json.dumps({"name": "greeting", "version": "1.0.0"}),
                "libs/greeting/index.js": f"module.exports = '{greeting}';\n",
                "server.js": """
                    const text = require("greeting");
                    require("http").createServer((_, answer) => answer.end(text))
                        .listen(process.env.PORT, process.env.HOST);
                """,
            },
        )

    assert await said(kitchen, await kitchen.bake(baked("one"))) == "one"
    assert await said(kitchen, await kitchen.bake(baked("two"))) == "two"


REMOTE = """
flask
flask[async]==3.1.0 ; python_version >= "3.11"   # a comment
six==1.17.0 \\
    --hash=sha256:00 \\
    --hash=sha256:11
itsdangerous @ https://example.org/itsdangerous-2.2.0-py3-none-any.whl
git+https://example.org/thing.git@v1#egg=thing
thing @ git+ssh://git@example.org/thing.git
-i https://example.org/simple
--extra-index-url=https://example.org/other
--find-links https://example.org/wheels
--no-binary :all:
--pre
"""


def test_lines_of_published_packages_are_remote() -> None:
    assert are_remote(logical_lines(REMOTE))


@pytest.mark.parametrize(
    "line",
    [
        "libs/x",
        "./libs/x",
        ".",
        "libs/x[extra] ; python_version > '3'",
        "x @ file:libs/x",
        "x @ ./libs/x",
        "x-1.0-py3-none-any.whl",
        "wheels/x.tar.gz",
        "x.zip",
        "x.whl[extra]",
        "file:libs/x",
        "--find-links wheels",
        "-f ./wheels",
        "--index-url=index",
        "--config-settings x=y",
        "what is this",
        "${NAME}",
    ],
)
def test_whatever_may_be_local_is_not_remote(line: str) -> None:
    try:
        assert not are_remote([line])
    except InvalidInput:
        assert line == "${NAME}"


@pytest.mark.parametrize(
    "line",
    [
        "/opt/libs/x",
        "../x",
        "libs/../../x",
        "~/x",
        "x @ file:///opt/x",
        "x @ file://localhost/opt/x",
        "git+file:///opt/x",
        "--find-links=/opt/wheels",
        "-f ../wheels",
        "${HOME}/x",
        "/opt/x-1.0-py3-none-any.whl ; python_version > '3'",
    ],
)
def test_what_was_not_sent_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="outside of the folder, and only the folder is sent") as refused:
        are_remote(["six", line])
    assert refused.value.next_step


def test_a_path_is_of_its_own_files_folder() -> None:
    assert not are_remote(["../libs/x"], "needs")
    with pytest.raises(InvalidInput, match="outside of the folder"):
        are_remote(["../../libs/x"], "needs")


@pytest.mark.parametrize(
    ("settings", "remote"),
    [
        ({}, True),
        ({"package": False, "index": [{"name": "own", "url": "https://example.org/simple"}]}, True),
        ({"sources": {"x": {"git": "https://example.org/x", "tag": "v1"}, "y": {"index": "own"}}}, True),
        ({"sources": {"x": [{"url": "https://example.org/x.whl", "marker": "a"}]}}, True),
        ({"constraint-dependencies": ["six<2"]}, True),
        ({"sources": {"x": {"path": "libs/x"}}}, False),
        ({"sources": {"x": {"workspace": True}}}, False),
        ({"sources": {"x": [{"index": "own"}, {"path": "libs/x"}]}}, False),
        ({"sources": {"x": "libs/x"}}, False),
        ({"index": [{"url": "wheels"}]}, False),
        ({"find-links": ["wheels"]}, False),
        ({"pip": {"find-links": ["wheels"]}}, False),
        ({"override-dependencies": ["x @ file:libs/x"]}, False),
        ({"override-dependencies": 7}, False),
        ({"cache-keys": []}, False),
    ],
)
def test_settings_of_uv_are_remote_where_they_name_no_files(
    settings: dict[str, object], remote: bool
) -> None:
    assert settings_are_remote(settings) == remote


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        ('{ registry = "https://example.org/simple" }', True),
        ('{ git = "https://example.org/x?rev=1#2" }', True),
        ('{ url = "https://example.org/x.whl" }', True),
        ('{ virtual = "." }', True),
        ('{ editable = "." }', True),
        ('{ editable = "libs/x" }', False),
        ('{ directory = "." }', False),
        ('{ path = "x.whl" }', False),
        ('{ registry = "wheels" }', False),
        ("{ }", False),
    ],
)
def test_a_lock_of_uv_is_remote_where_each_source_is(source: str, remote: bool) -> None:
    first = '[[package]]\nname = "six"\nsource = { registry = "https://a.org" }\n'
    text = f"{first}[[package]]\nsource = {source}\n"
    assert lock_is_remote(text) == remote
    assert not lock_is_remote(text + "[")


@pytest.mark.parametrize(
    ("package", "files", "remote"),
    [
        ({"dependencies": {"a": "^1.2 || 2.x", "b": "latest", "c": "npm:@own/c@~1", "d": ""}}, {}, True),
        ({"dependencies": {"a": "github:own/a#v1", "b": "own/b", "c": "git+ssh://git@a.org/c"}}, {}, True),
        ({"overrides": {"a": {".": "1", "b": "$b"}}}, {".npmrc": "registry=https://a.org/\n# x\n"}, True),
        ({"dependencies": {"a": "file:libs/a"}}, {}, False),
        ({"devDependencies": {"a": "link:libs/a"}}, {}, False),
        ({"peerDependencies": {"a": "./libs/a"}}, {}, False),
        ({"dependencies": {"a": "."}}, {}, False),
        ({"dependencies": {"a": "a.tgz"}}, {}, False),
        ({"dependencies": {"a": "workspace:*"}}, {}, False),
        ({"overrides": {"a": {"b": "file:b"}}}, {}, False),
        ({"workspaces": ["libs/*"]}, {}, False),
        ({"dependencies": 7}, {}, False),
        ({}, {".npmrc": "node-options=--require ./x.js"}, False),
        ({}, {"package-lock.json": "{"}, False),
        ({}, {"package-lock.json": '{"packages": {"libs/a": {}}}'}, False),
        ({}, {"package-lock.json": '{"packages": {"node_modules/a": {"link": true}}}'}, False),
        ({}, {"package-lock.json": '{"packages": {"node_modules/a": {"resolved": "file:a.tgz"}}}'}, False),
        ({}, {"npm-shrinkwrap.json": '{"dependencies": {"a": {"version": "file:libs/a"}}}'}, False),
        (
            {},
            {"package-lock.json": '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0-rc.1+x", '
             '"resolved": "https://a.org/a.tgz"}}}'},
            True,
        ),
    ],
)  # fmt: skip
def test_what_npm_reads_is_remote_where_it_names_no_files(
    package: dict[str, object], files: dict[str, str], remote: bool
) -> None:
    assert npm_is_remote(package, files) == remote
