"""From `git clone` to the first service of one's own: with an empty and with a filled package cache.

    python -m benchmarks.first_service [--warm]

Clones this checkout's last commit, types what the README says, on free ports and in homes of its own.
`--warm`: once only, with the package caches of this user.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from tests.running_platform import free_port

ROOT = Path(__file__).resolve().parents[1]


def walk(folder: Path, cache: Path | None = None) -> dict[str, float]:
    """Seconds since the beginning at which each step was done."""
    folder.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAVED_"))
    }
    environment |= {
        "PAVED_HOME": str(folder / "home"),
        "PAVED_PORT": str(free_port()),
        "PAVED_CLOUD_PORT": str(free_port()),
    }
    if cache is not None:
        environment |= {"UV_CACHE_DIR": str(cache / "uv"), "PIP_CACHE_DIR": str(cache / "pip")}
    clone = folder / "pavedroad"
    paved = str(clone / ".venv" / "bin" / "paved")
    started = time.monotonic()
    done: dict[str, float] = {}

    def step(name: str, *command: str, cwd: Path) -> None:
        result = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"
        done[name] = time.monotonic() - started

    try:
        step("git clone", "git", "clone", "-q", str(ROOT), str(clone), cwd=folder)
        step("make setup", "make", "setup", cwd=clone)
        step("make up, with its tour", "make", "up", cwd=clone)
        step("paved new", paved, "new", "api", cwd=folder)
        step("paved deploy", paved, "deploy", "api", cwd=folder)
    finally:
        subprocess.run([paved, "down"], cwd=folder, env=environment, capture_output=True, check=False)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--warm", action="store_true")
    warm = parser.parse_args().warm
    with tempfile.TemporaryDirectory(prefix="paved-first-") as folder:
        cache = None if warm else Path(folder) / "cache"
        for name in ("warm",) if warm else ("cold", "warm"):
            steps = walk(Path(folder) / name, cache)
            print(f"{name} cache: " + ", ".join(f"{step} {seconds:.0f} s" for step, seconds in steps.items()))


if __name__ == "__main__":
    main()
