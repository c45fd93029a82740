"""The example that ships from Python, against a private cloud on its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.localcloud.running import running_cloud

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_folder_is_shipped_from_python(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "cloud") as cloud:
        environment = cloud.environment() | {
            "HOME": os.environ["HOME"],
            "PAVED_HOME": str(tmp_path / "home"),
            "PAVED_ENDPOINT_URL": cloud.endpoint,
        }
        done = subprocess.run(
            [sys.executable, "examples/from_python/ship.py", "examples/hello"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"hello-v000 serves at (\S+)", done.stdout)
        assert found, done.stdout
        assert httpx.get(found[1]).json()["hello"] == "world"
