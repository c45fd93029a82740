"""A cloud whose process ends as it starts says why at once, and not that it was not ready in time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_process_that_ends_while_it_is_imported_is_told_of_with_its_last_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "moto"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('moto is not what it was')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pavedroad.localcloud", "--home", str(tmp_path / "cloud"), "--port", "0"],
        env=os.environ | {"PYTHONPATH": str(broken.parent)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 5
    last = done.stderr.splitlines()[-1]
    assert last == "The api process ends as it starts: ImportError: moto is not what it was."
