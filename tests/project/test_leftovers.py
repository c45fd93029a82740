"""What tests leave running: a run of pytest over tests that are written for it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
_HANDED_OUT = ("-p", "xdist", "-n", "1")
"""To a process of its own."""
_CONFTEST = """
from tests import leftovers

def pytest_cmdline_main(config):
    return leftovers.run_beneath(config, patience=0.2)
"""
_TIDY = "def test_tidy(): pass\n"
_LEAVES = """
import subprocess

def test_leaves():
    # As a server that detaches itself does: its parent ends at once.
    print(subprocess.check_output(["sh", "-c", "sleep 1234 >/dev/null & echo $!"], text=True))
"""
_STUCK = """
import subprocess, time
from pathlib import Path

def test_stuck():
    subprocess.Popen(["sleep", "1234"], start_new_session=True)
    Path("stuck").touch()
    time.sleep(1000)
"""
_FAILS = "def test_fails(): raise AssertionError\n"


def _begin(folder: Path, test: str, *options: str) -> subprocess.Popen[str]:
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "test_it.py").write_text(test)
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *options, "test_it.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _alive(said: str) -> list[int]:
    """Of the processes that the run names as left behind."""
    left = [int(line.split()[0]) for line in said.splitlines() if line.endswith("sleep 1234")]
    assert left, said
    return [it for it in left if psutil.pid_exists(it)]


@pytest.mark.parametrize(("test", "code"), [(_TIDY, 0), (_FAILS, 1)])
def test_a_run_that_leaves_nothing_ends_as_it_did(tmp_path: Path, test: str, code: int) -> None:
    run = _begin(tmp_path, test)
    output, said = run.communicate()
    assert (run.returncode, "LEFT BEHIND" in said) == (code, False), output + said


@pytest.mark.parametrize("options", [(), _HANDED_OUT])
def test_a_run_that_leaves_a_process_fails_names_it_and_ends_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    run = _begin(tmp_path, _LEAVES, *options)
    output, said = run.communicate()
    assert run.returncode == 1, output + said
    assert not _alive(said)


def test_a_run_that_is_stopped_leaves_nothing_either(tmp_path: Path) -> None:
    run = _begin(tmp_path, _STUCK, *_HANDED_OUT)
    eventually((tmp_path / "stuck").exists)
    run.terminate()
    _, said = run.communicate()
    assert run.returncode == 128 + signal.SIGTERM
    assert not _alive(said)
