"""What tests leave running: a run of pytest over tests that are written for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
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
_FAILS = "def test_fails(): raise AssertionError\n"


def _run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *options, "test_it.py"]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("test", "code"), [(_TIDY, 0), (_FAILS, 1)])
def test_a_run_that_leaves_nothing_ends_as_it_did(tmp_path: Path, test: str, code: int) -> None:
    done = _run(tmp_path, test)
    assert (done.returncode, "LEFT BEHIND" in done.stderr) == (code, False), done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_run_that_leaves_a_process_fails_names_it_and_ends_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = _run(tmp_path, _LEAVES, *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "sleep 1234" in done.stderr
    [left] = [line for line in done.stderr.splitlines() if line.endswith("sleep 1234")]
    assert not psutil.pid_exists(int(left.split()[0]))
