"""What `paved new` writes works: it loads, passes its own test, and never overwrites."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pavedroad.core.errors import Conflict, InvalidInput
from pavedroad.manifest import starters
from pavedroad.manifest.loading import load
from pavedroad.manifest.schema import json_schema


@pytest.mark.parametrize("kind", get_args(starters.Kind))
def test_a_starter_loads_and_has_a_schema_for_editors(tmp_path: Path, kind: starters.Kind) -> None:
    folder = tmp_path / "api"
    files = starters.write(folder, name="api", kind=kind, owner="team-road")
    assert {"README.md", "paved.yaml", ".paved/schema.json"} <= set(files)
    assert (load(folder).application, load(folder).owner) == ("api", "team-road")
    assert "$schema=.paved/schema.json" in (folder / "paved.yaml").read_text()
    assert json.loads((folder / starters.SCHEMA).read_text()) == json_schema()
    assert not any("@" in (folder / name).read_text() for name in files if not name.endswith(".json"))


def test_the_python_starter_passes_its_own_test(tmp_path: Path) -> None:
    starters.write(tmp_path / "api", name="api", kind="python", owner="team-road")
    done = subprocess.run(
        [sys.executable, "-m", "unittest"],
        cwd=tmp_path / "api",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node: apt-get install nodejs")
def test_the_node_starter_passes_its_own_test(tmp_path: Path) -> None:
    starters.write(tmp_path / "web", name="web", kind="node", owner="team-road")
    done = subprocess.run(
        ["node", "--test"], cwd=tmp_path / "web", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    starters.write(tmp_path / "api", name="api", kind="python", owner="team-road")
    (tmp_path / "api/app.py").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        starters.write(tmp_path / "api", name="api", kind="python", owner="team-road")
    assert (tmp_path / "api/app.py").read_text() == "mine"


@pytest.mark.parametrize(("name", "owner"), [("a-b", "me"), ("a b", "me"), ("", "me"), ("api", "two words")])
def test_names_that_make_no_sense_are_refused_and_nothing_is_written(
    tmp_path: Path, name: str, owner: str
) -> None:
    with pytest.raises(InvalidInput):
        starters.write(tmp_path / "new", name=name, kind="python", owner=owner)
    assert list(tmp_path.iterdir()) == []
