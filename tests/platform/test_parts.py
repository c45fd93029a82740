"""Processes under supervision, with small servers in the place of the real parts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.platform.logs import BoundedLog
from pavedroad.platform.parts import Part, PartSpec
from tests.running_platform import free_port
from tests.waiting import eventually_async

SERVER = """
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
print("listening", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""
STUBBORN = (
    """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
"""
    + SERVER
)


def spec(code: str, *, stop_seconds: float = 10, ready_seconds: float = 30) -> PartSpec:
    port = free_port()
    return PartSpec(
        "server",
        (sys.executable, "-c", code, str(port)),
        f"http://127.0.0.1:{port}",
        "/",
        stop_seconds=stop_seconds,
        ready_seconds=ready_seconds,
    )


def part(wanted: PartSpec, folder: Path) -> Part:
    return Part(wanted, BoundedLog(folder / "server.log"), lambda: None)


async def test_a_part_is_ready_when_it_answers(tmp_path: Path) -> None:
    kept = part(spec(SERVER), tmp_path)
    await kept.start()
    assert kept.view.state == "ready"
    async with httpx.AsyncClient() as client:
        assert (await client.get(kept.spec.address)).status_code == 200
    await kept.stop()
    assert kept.view.pid is None
    assert "listening" in (tmp_path / "server.log").read_text()


async def test_a_part_that_is_killed_comes_back(tmp_path: Path) -> None:
    kept = part(spec(SERVER), tmp_path)
    await kept.start()
    keeping = asyncio.create_task(kept.keep())
    first = kept.view.pid
    assert first
    os.kill(first, signal.SIGKILL)

    async def back() -> bool:
        return kept.view.state == "ready" and kept.view.pid not in (None, first)

    await eventually_async(back, within=30)
    assert kept.view.restarts == 1
    await kept.stop()
    await keeping


async def test_a_part_that_exits_at_once_says_why(tmp_path: Path) -> None:
    kept = part(spec("import sys; sys.exit('the flux is missing')"), tmp_path)
    with pytest.raises(Unavailable, match="exited with status 1: the flux is missing"):
        await kept.start()


async def test_a_part_that_never_listens_is_given_up(tmp_path: Path) -> None:
    kept = part(spec("import time; time.sleep(600)", ready_seconds=0.5), tmp_path)
    with pytest.raises(Unavailable, match=r"not ready within"):
        await kept.start()
    await kept.stop()


async def test_a_part_that_ignores_sigterm_is_killed_with_all_below_it(tmp_path: Path) -> None:
    kept = part(spec(STUBBORN, stop_seconds=0.5), tmp_path)
    await kept.start()
    assert kept.view.pid
    below = psutil.Process(kept.view.pid).children()
    assert below
    await kept.stop()

    async def gone() -> bool:
        return not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in below)

    await eventually_async(gone)


async def test_a_part_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    wanted = spec(SERVER)
    parent = f"""
import asyncio
from dataclasses import replace
from pathlib import Path
from pavedroad.platform.logs import BoundedLog
from pavedroad.platform.parts import Part, PartSpec
async def main():
    spec = PartSpec("server", {wanted.argv!r}, {wanted.address!r}, "/")
    part = Part(spec, BoundedLog(Path({str(tmp_path)!r}) / "l"), lambda: None)
    await part.start()
    print(part.view.pid, flush=True)
    await part.keep()
asyncio.run(main())
"""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout
    child = psutil.Process(int(await asyncio.wait_for(supervisor.stdout.readline(), 60)))
    supervisor.kill()
    await supervisor.wait()

    async def gone() -> bool:
        try:
            return child.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await eventually_async(gone)


def test_a_log_is_bounded(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "a.log", largest=1000)
    for number in range(200):
        log.write(f"line {number} of some length\n".encode())
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert log.tail[-1] == "line 199 of some length"


def test_a_log_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "missing" / "a.log")
    log.write(b"hello\n")
    assert log.tail == ("hello",)


async def test_a_part_whose_saved_state_does_not_load_is_not_started_again(tmp_path: Path) -> None:
    """What it says on its way out is what is said of it."""
    said = "print('The saved state x is damaged. Put a copy in its place.'); sys.exit(8)"
    refuses = part(spec(f"import sys; {said}"), tmp_path)
    with pytest.raises(StateUnreadable, match=r"^The saved state x is damaged\. Put a copy in its place\.$"):
        await refuses.start()
    flag = tmp_path / "spoilt"
    once = f"import os, sys; os.path.exists({str(flag)!r}) and ({said})\n"
    spoils = part(spec(once.replace("; sys.exit", ", sys.exit") + SERVER), tmp_path)
    await spoils.start()
    keeping = asyncio.create_task(spoils.keep())
    flag.touch()
    assert spoils.view.pid
    os.kill(spoils.view.pid, signal.SIGKILL)
    await keeping
    assert spoils.view.state == "refused"
    assert (spoils.view.restarts, spoils.view.pid) == (1, None)
    assert spoils.view.reason.startswith("The saved state x is damaged.")


async def test_a_part_whose_program_is_missing_for_a_moment_is_started_when_it_is_back(
    tmp_path: Path,
) -> None:
    program, away = tmp_path / "program", tmp_path / "away"
    program.symlink_to(sys.executable)
    wanted = spec(SERVER)
    kept = part(replace(wanted, argv=(str(program), *wanted.argv[1:])), tmp_path)
    await kept.start()
    keeping = asyncio.create_task(kept.keep())
    program.rename(away)
    os.kill(kept.view.pid or 0, signal.SIGKILL)

    async def told() -> bool:
        view = kept.view
        return view.state == "restarting" and view.restarts > 1 and "No such file" in view.reason

    async def ready() -> bool:
        return kept.view.state == "ready"

    await eventually_async(told)
    assert not keeping.done()
    away.rename(program)
    await eventually_async(ready)
    await kept.stop()
    await keeping


async def test_a_part_whose_program_was_never_there_is_refused_in_words(tmp_path: Path) -> None:
    kept = part(replace(spec(SERVER), argv=(str(tmp_path / "none"),)), tmp_path)
    with pytest.raises(Unavailable, match=r"The server cannot be started: .*No such file"):
        await kept.start()
