"""What fails is tried once more, alone: a run of pytest over tests that are written for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import unsteady

ROOT = Path(__file__).resolve().parents[2]
_CONFTEST = """
from tests import unsteady

def pytest_addoption(parser):
    unsteady.add_option(parser)

def pytest_configure(config):
    unsteady.watch(config)
"""
_STEADY = "def test_steady(): pass\n"
_UNSTEADY = """
from pathlib import Path

def test_now_and_then():
    first = Path(__file__).with_name("tried")
    if not first.exists():
        first.touch()
        raise AssertionError("the first time it fails")
"""
_BROKEN = "def test_broken(): raise AssertionError('it always fails')\n"
_STUCK = """
import pytest
from pathlib import Path

@pytest.mark.timeout(1)
def test_stuck():
    first = Path(__file__).with_name("stuck")
    if not first.exists():
        first.touch()
        __import__("threading").Event().wait()
"""
_CRASHING = """
import os
from pathlib import Path

def test_crashing():
    first = Path(__file__).with_name("crashed")
    if not first.exists():
        first.touch()
        os._exit(3)
"""
_SET_UP = """
import pytest
from pathlib import Path

@pytest.fixture
def ground():
    first = Path(__file__).with_name("prepared")
    if not first.exists():
        first.touch()
        raise OSError("not yet")

def test_on_the_ground(ground): pass
"""

# Those alone that are needed: of the others some take longer to import than the tests to run.
_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p xdist.plugin -p pytest_timeout"}


def _run(folder: Path, *tests: str, verdict: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\ntimeout_method = signal\n")
    for number, text in enumerate(tests):
        (folder / f"test_{number}.py").write_text(text)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--unsteady={verdict}", *options],
        cwd=folder,
        env=ours | {"PYTHONPATH": str(ROOT)} | _PLUGINS,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_what_passes_alone_is_listed_with_its_first_failure_and_the_run_passes(tmp_path: Path) -> None:
    tests = (_STEADY, _UNSTEADY, _STUCK, _CRASHING, _SET_UP)
    status, said = _run(tmp_path, *tests, verdict="list", options=("-n", "2"))
    assert status == 0, said
    listed = said.partition("UNSTEADY")[2]
    names = ("test_now_and_then", "test_stuck", "test_crashing", "test_on_the_ground")
    for number, name in enumerate(names, start=1):
        assert f"\ntest_{number}.py::{name}\n" in listed
    assert "AssertionError: the first time it fails" in listed
    assert "FAILURES" not in said
    assert "1 passed, 4 unsteady" in said


def test_the_slower_proofs_fail_on_what_is_unsteady(tmp_path: Path) -> None:
    status, said = _run(tmp_path, _STEADY, _UNSTEADY, verdict="fail")
    assert status == 1
    assert "1 passed, 1 unsteady" in said


def test_what_fails_again_fails_the_run(tmp_path: Path) -> None:
    status, said = _run(tmp_path, _STEADY, _UNSTEADY, _BROKEN, verdict="list")
    assert status == 1
    assert "tried once more, alone, and failed again: test_2.py::test_broken" in said
    assert "1 failed, 1 passed, 1 unsteady" in said


def test_a_module_that_cannot_be_imported_fails_the_run(tmp_path: Path) -> None:
    status, said = _run(tmp_path, _STEADY, _UNSTEADY, "import nothing_of_this_name\n", verdict="list")
    assert status != 0, said


def test_where_very_many_fail_none_is_tried_again(tmp_path: Path) -> None:
    many = "import pytest\n@pytest.mark.parametrize('it', range(%d))\ndef test_one(it): assert False\n"
    status, said = _run(tmp_path, many % (unsteady.MOST + 1), verdict="list")
    assert status == 1
    assert "too many to try each once more" in said


def test_who_stops_at_the_first_failure_is_not_kept_waiting(tmp_path: Path) -> None:
    status, said = _run(tmp_path, _UNSTEADY, verdict="list", options=("-x",))
    assert status == 1
    assert "UNSTEADY" not in said
