"""Build steps: heard, limited, leashed, and blind to the platform's environment."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pavedroad.bakery.running import LEASH, SOURCE, Runner, build_environment
from pavedroad.core.errors import BakeFailed
from tests.waiting import eventually, eventually_async


def runner(folder: Path, lines: list[str], *, time_limit: float = 60) -> Runner:
    return Runner(folder, build_environment(os.environ), lines.append, time_limit)


async def test_lines_are_reported_as_they_come(tmp_path: Path) -> None:
    lines: list[str] = []
    said = await runner(tmp_path, lines).run("It", ["/bin/sh", "-c", "echo one; echo two >&2; printf three"])
    assert lines == ["one", "two", "three"]
    assert said == "one\ntwo\nthree"


async def test_noise_is_not_reported_but_kept_for_a_failure(tmp_path: Path) -> None:
    lines: list[str] = []
    step = ["/bin/sh", "-c", "echo Using Python; echo one; exit 3"]
    with pytest.raises(BakeFailed, match="Using Python\none"):
        await runner(tmp_path, lines).run("It", step, noise=re.compile("^Using"))
    assert lines == ["one"]


async def test_a_failure_says_what_failed_with_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(BakeFailed) as failed:
        await runner(tmp_path, []).run("The step", ["/bin/sh", "-c", "seq 1 100; exit 3"])
    assert failed.value.sentence.startswith("The step failed: it ended with status 3. Its last lines:\n81\n")
    assert failed.value.sentence.endswith("\n100")


async def test_a_missing_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(BakeFailed, match="no-such-program: No such file or directory"):
        await runner(tmp_path, []).run("The step", ["no-such-program"])


async def test_a_step_over_its_time_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(BakeFailed, match=r"The step took longer than 1 seconds and was stopped"):
        await runner(tmp_path, [], time_limit=1).run(
            "The step", ["/bin/sh", "-c", "echo $$ > pid; sleep 300 & echo $! > child; wait"]
        )
    eventually(
        lambda: not any(psutil.pid_exists(int((tmp_path / name).read_text())) for name in ("pid", "child"))
    )


async def test_what_a_step_leaves_behind_ends_with_it_wherever_it_has_gone(tmp_path: Path) -> None:
    daemon = "sleep 300 & echo $! > child; echo $$ > pid; sleep 300"
    step = f"setsid sh -c '{daemon}' & while [ ! -e pid ]; do sleep 0.02; done"
    await runner(tmp_path, []).run("The step", ["/bin/sh", "-c", step])
    assert not any(psutil.pid_exists(int((tmp_path / name).read_text())) for name in ("pid", "child"))


async def test_a_cancelled_step_leaves_nothing_running(tmp_path: Path) -> None:
    step = asyncio.create_task(
        runner(tmp_path, []).run("The step", ["/bin/sh", "-c", "echo $$ > pid; exec sleep 300"])
    )

    async def begun() -> bool:
        return (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text())

    await eventually_async(begun)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    eventually(lambda: not psutil.pid_exists(int((tmp_path / "pid").read_text())))


def test_a_step_ends_when_the_platform_is_killed(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {LEASH!r}, {SOURCE!r}, 'null', '/bin/sh', '-c', "
        "'echo $$ > pid; sleep 300'], stdin=subprocess.PIPE).wait()"
    )
    platform = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    pid = eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    platform.send_signal(signal.SIGKILL)
    platform.wait()
    eventually(lambda: not psutil.pid_exists(int(pid)))


def test_builds_see_only_what_package_clients_need() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/ca",
        "NPM_CONFIG_REGISTRY": "http://npm",
        "UV_INDEX_URL": "http://pypi",
        "AWS_SECRET_ACCESS_KEY": "x",
        "PAVED_TOKEN": "x",
        "VIRTUAL_ENV": "/venv",
        "PYTHONPATH": "/src",
        "NODE_OPTIONS": "--inspect",
        "PIP_CONFIG_FILE": os.devnull,
    }
    passed = build_environment(given, NO_COLOR="1")
    assert set(passed) == {
        "PATH",
        "https_proxy",
        "SSL_CERT_FILE",
        "NPM_CONFIG_REGISTRY",
        "UV_INDEX_URL",
        "PIP_CONFIG_FILE",
        "PIP_CERT",  # pip reads no SSL_CERT_FILE
        "NO_COLOR",
    }
