"""Folders to build in: gone after whatever happens, and left alone while any process uses them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pavedroad.bakery.scratch import scratch, sweep

_ANOTHER = """
import asyncio, sys
from pathlib import Path
from pavedroad.bakery.scratch import scratch

async def main():
    async with scratch(Path(sys.argv[1]), sys.argv[2]) as folder:
        (folder / "precious").write_text("x")
        print(folder, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@contextmanager
def another(home: Path, name: str = "") -> Generator[tuple[subprocess.Popen[str], Path]]:
    """Another process in the middle of a build; it ends when its input is closed."""
    arguments = (sys.executable, "-c", _ANOTHER, str(home), name)
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())


def test_what_another_process_builds_in_is_not_swept_until_it_is_killed(tmp_path: Path) -> None:
    left = tmp_path / "work-left"
    left.mkdir()
    with another(tmp_path) as (process, folder):
        sweep(tmp_path)
        assert (folder / "precious").exists()
        assert not left.exists()
        process.kill()
        process.wait()
        sweep(tmp_path)
        assert not folder.exists()


async def test_a_name_that_another_process_builds_under_is_waited_for(tmp_path: Path) -> None:
    with another(tmp_path, "layer") as (process, folder):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), scratch(tmp_path, "layer"):
                pass
        assert (folder / "precious").exists()
        process.kill()
        async with scratch(tmp_path, "layer") as ours:
            assert ours == folder
            assert not list(ours.iterdir())
    assert not folder.exists()


async def test_a_build_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async def build() -> None:
        async with scratch(tmp_path):
            await asyncio.Event().wait()

    building = asyncio.create_task(build())
    await asyncio.sleep(0)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert not list(tmp_path.iterdir())
