"""What the code of a source and of its packages may see and change while an image is baked."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import pytest

from pavedroad.bakery import running
from pavedroad.bakery.rooms import Rooms
from pavedroad.core import confinement, seclusion
from pavedroad.core.errors import BakeFailed
from pavedroad.core.places import Places
from tests.bakery.kitchen import Kitchen, write

walled = pytest.mark.skipif(confinement.way() == "none", reason="this kernel has no walls")
MANIFEST = """
    application: {name}
    owner: team-road
    command: python serve.py
    build: {build}
"""


@pytest.fixture
def home(tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's home folder, with what is nobody else's business."""
    home = tmp_path / "operator"
    for name in (".aws/credentials", ".ssh/id_ed25519", "project/.env"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("a secret of the operator\n")
    places.token.write_text("a secret of the platform\n")
    (places.builds / "homes/other").mkdir(parents=True)
    (places.builds / "homes/other/cache").write_text("a secret of another application\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of the operator")
    monkeypatch.setenv("PAVED_TOKEN", "a secret of the platform")
    return home


@walled
@pytest.mark.ordinary
async def test_a_build_reads_and_changes_nothing_that_is_not_its_own(
    kitchen: Kitchen, tmp_path: Path, places: Places, home: Path
) -> None:
    reads = [
        *(home / name for name in (".aws/credentials", ".ssh/id_ed25519", "project/.env")),
        *(places.token, places.database, places.builds / "homes/other/cache"),
        *(f"/proc/{os.getpid()}/{name}" for name in ("environ", f"root{home}/.aws/credentials")),
    ]
    writes = [
        *(home / ".bashrc", places.home / "planted", "/etc/planted", f"/tmp/planted-{os.getpid()}"),
        *(places.builds / name for name in ("planted", "trees/planted", "fetched/planted")),
        places.builds / "homes/other/planted",
    ]
    lines = [
        "env",
        *(f"cat '{it}' && echo FAULT: read {it}" for it in reads),
        *(f"echo x > '{it}'" for it in writes),
        f"kill -0 {os.getpid()} && echo FAULT: signalled the platform",
        "echo fine > own && cat own",
    ]
    files = {"paved.yaml": MANIFEST.format(name="site", build="sh build.sh"), "build.sh": "\n".join(lines)}
    await kitchen.bake(write(tmp_path / "site", files))
    assert [line for line in kitchen.lines if "FAULT" in line or "secret" in line] == []
    assert "fine" in kitchen.lines
    assert f"HOME={places.builds}/homes/site" in kitchen.lines
    assert [it for it in writes if Path(it).exists()] == []


LOADS_NOTHING_MORE = """import sys; sys.path.insert(0, sys.argv.pop(1)); from pavedroad.bakery import leash
sys.addaudithook(lambda event, named: event == "import" and print("FAULT: import", named[0], flush=True))
leash.main()"""


@walled
async def test_behind_its_walls_the_leash_loads_nothing_more(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would load is its interpreter's, which a build that has another one does not see."""
    monkeypatch.setattr(running, "LEASH", LOADS_NOTHING_MORE)
    files = {"paved.yaml": MANIFEST.format(name="site", build="echo fine")}
    await kitchen.bake(write(tmp_path / "site", files))
    assert "fine" in kitchen.lines
    assert [line for line in kitchen.lines if "FAULT" in line] == []


SETUP = """
    import os, pathlib, setuptools
    pathlib.Path.home().joinpath("left").write_text("x")
    for place in {reads!r}:
        try:
            print("FAULT", place, pathlib.Path(place).read_text())
        except OSError as error:
            print("refused", place)
    for place in {writes!r}:
        try:
            pathlib.Path(place).write_text("x")
        except OSError as error:
            print("refused", place)
    setuptools.setup(name="odd", version="1", py_modules=["odd"], install_requires=[])
"""


@walled
async def test_packages_that_are_built_leave_nothing_to_other_builds(
    kitchen: Kitchen, tmp_path: Path, places: Places, home: Path
) -> None:
    """Neither of the layer's home, nor of the application's, nor of what was fetched for all."""
    writes = [places.builds / "fetched/planted", places.builds / "homes/site/planted", home / "planted"]
    (places.builds / "fetched").mkdir()
    setup = SETUP.format(reads=[str(home / ".aws/credentials")], writes=[str(it) for it in writes])
    site = write(
        tmp_path / "site",
        {
            "paved.yaml": MANIFEST.format(name="site", build="{kind: python, command: 'test ! -e ~/left'}"),
            "requirements.txt": "./odd\nitsdangerous==2.2.0\n",
            "odd/setup.py": setup.replace(
                "import os,", "open(__import__('os').path.expanduser('~/left'), 'w')\n    import os,"
            ),
            "odd/odd.py": "word = 'odd'\n",
            "serve.py": "import itsdangerous, odd\n",
        },
    )
    result = await kitchen.bake(site)
    assert [it for it in writes if it.exists()] == []
    root = await kitchen.root(result)
    assert list(root.glob(".venv/lib/python*/site-packages/odd.py"))
    assert list(root.glob(".venv/lib/python*/site-packages/__pycache__/odd.*.pyc"))


@pytest.mark.ordinary
async def test_an_applications_builds_find_their_home_as_they_left_it(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    build = "cat ~/cache/count || true; mkdir -p ~/cache; echo again >> ~/cache/count"
    for name in ("one", "two"):
        files = {"paved.yaml": MANIFEST.format(name=name, build=json.dumps(build))}
        await kitchen.bake(write(tmp_path / name, files))
        assert "again" not in kitchen.lines
    await kitchen.bake(tmp_path / "one", rebake=True)
    assert "again" in kitchen.lines


async def test_a_link_in_place_of_the_environment_is_refused(kitchen: Kitchen, tmp_path: Path) -> None:
    """We write in it ourselves, and would write wherever it leads."""
    aside = textwrap.dedent("""
        import glob, os, setuptools
        site = glob.glob(".venv/lib/python*")[0] + "/site-packages"
        if not os.path.islink(site):
            os.rename(site, ".venv/aside")
            os.symlink(os.path.abspath(".venv/aside"), site)
        setuptools.setup(py_modules=["odd"])
    """)
    site = write(
        tmp_path / "site",
        {
            "paved.yaml": MANIFEST.format(name="site", build="{kind: python}"),
            "pyproject.toml": """
                [project]
                name = "odd"
                version = "1"
                [build-system]
                requires = ["setuptools"]
            """,
            "setup.py": aside,
            "odd.py": "",
            "serve.py": "",
        },
    )
    with pytest.raises(BakeFailed, match="made a link of the environment's folder site-packages"):
        await kitchen.bake(site)


async def test_links_that_a_command_leaves_in_our_places_are_not_followed(
    kitchen: Kitchen, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we put there ourselves, no walls around us, would go wherever they lead."""
    theirs = home / ".bashrc"
    theirs.write_text("the operator's")
    node = tmp_path / "versions/node"
    for name in ("bin", "lib/node_modules/npm", "include"):
        (node / name).mkdir(parents=True)
    (node / "bin/node").write_text(f'#!/bin/sh\n[ "$1" = -p ] && echo v99.1.0 {node}/bin/node\n')
    (node / "bin/node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{node}/bin:{os.environ['PATH']}")
    environment = f"mkdir -p .venv/bin; ln -s {theirs} .venv/pyvenv.cfg; ln -s {theirs} .venv/bin/activate"
    python = {
        "paved.yaml": MANIFEST.format(
            name="one", build=json.dumps({"kind": "python", "command": environment})
        ),
        "pyproject.toml": """
            [project]
            name = "odd"
            version = "1"
            [build-system]
            requires = ["setuptools"]
        """,
        "setup.py": "import setuptools; setuptools.setup(py_modules=['odd'])",
        "odd.py": "",
    }
    javascript = {
        "paved.yaml": MANIFEST.format(
            name="two", build=json.dumps({"kind": "node", "command": f"ln -s {home}/project .node"})
        ),
        "package.json": '{"name": "web"}',
    }
    for name, files in (("one", python), ("two", javascript)):
        await kitchen.bake(write(tmp_path / name, files))
    assert theirs.read_text() == "the operator's"
    assert [it.name for it in (home / "project").iterdir()] == [".env"]


@pytest.mark.skipif(seclusion.way() != "users", reason="builds are users of their own only under root")
async def test_settings_are_copied_where_no_link_of_a_step_leads(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    (tmp_path / "bake/work").mkdir(parents=True)
    theirs = home / "project/.env"
    own = Rooms(tmp_path / "builds", 60).runners("site", tmp_path / "bake", [].append).own
    for _ in range(2):
        await own.run("It", ["/bin/sh", "-c", f"ln -sf {theirs} $PIP_CONFIG_FILE"])
    assert theirs.read_text() == "a secret of the operator\n"


async def test_an_interpreter_below_a_home_is_named_by_the_image(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that is only on the platform's own PATH, as version managers install it."""
    node = tmp_path / "versions/node"
    for name in ("bin", "lib/node_modules/npm", "include"):
        (node / name).mkdir(parents=True)
    for name in ("node", "npm"):
        (node / "bin" / name).write_text(
            f'#!/bin/sh\n[ "$1" = -p ] && echo v99.1.0 {node}/bin/node || echo ran $0\n'
        )
        (node / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{node}/bin:{os.environ['PATH']}")
    files = {
        "paved.yaml": MANIFEST.format(name="web", build="{kind: node, command: node build.js}"),
        "package.json": '{"name": "web"}',
    }
    result = await kitchen.bake(write(tmp_path / "web", files))
    assert f"ran {node}/bin/node" in kitchen.lines
    root = await kitchen.root(result)
    assert (root / ".node/bin/node").readlink() == node / "bin/node"
    assert confinement.interpreters_of([str(root / ".node/bin")])[0] == str(node / "bin/node")
    assert "$PWD/.node/bin" in (await kitchen.image_manifest(result))["command"]


def test_how_builds_are_walled_in_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if confinement.way() == "landlock":
        assert "builds see the system's folders and their own" in Rooms(tmp_path, 1).said
    if seclusion.way() == "users":
        assert "a user of its own" in Rooms(tmp_path, 1).said
    monkeypatch.setenv(confinement.WISH, "none")
    confinement.way.cache_clear()
    try:
        assert "builds are not walled in" in Rooms(tmp_path, 1).said
    finally:
        monkeypatch.undo()
        confinement.way.cache_clear()
