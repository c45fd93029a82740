"""Every benchmark works: in its small size, as whoever wants its figures runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.__main__ import FIGURES, Figure

ROOT = Path(__file__).resolve().parents[2]


def test_the_one_command_runs_every_program_of_the_folder() -> None:
    programs = {it.stem for it in (ROOT / "benchmarks").glob("*.py") if "def main()" in it.read_text()}
    assert {it.program for it in FIGURES} == programs - {"__main__", "load"}  # a part of others


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("figure", FIGURES, ids=lambda it: it.program)
def test_it_comes_to_its_end_and_says_something(figure: Figure) -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAVED_"))}
    done = subprocess.run(
        figure.command(small=True), cwd=ROOT, env=ours, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
