"""The lock and the file that say what runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.core.places import Places
from pavedroad.platform import running
from pavedroad.platform.running import Busy, PartView, Running

HOLD = """
import sys, time
from pathlib import Path
from pavedroad.core.places import Places
from pavedroad.platform import running
with running.alone(Places(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(600)
"""
RUNS = Running(
    version="1",
    pid=7,
    ready=True,
    started_at="2026-01-01T00:00:00+00:00",
    url="http://127.0.0.1:1",
    endpoint="http://127.0.0.1:2",
    region="us-east-1",
    parts=(PartView("platform", "http://127.0.0.1:1", "ready", 8, 0, ""),),
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_what_is_written_is_read(places: Places) -> None:
    running.write(places, RUNS)
    assert running.read(places) == RUNS
    assert [path.name for path in places.home.iterdir()] == ["running.json"]


def test_a_broken_file_is_no_file(places: Places) -> None:
    assert running.read(places) is None
    places.running.write_text("{")
    assert running.read(places) is None


def test_one_at_a_time_holds_the_lock(places: Places) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(places.home)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert running.holder(places) == holder.pid
        with pytest.raises(Busy) as refusal, running.alone(places):
            pass
        assert refusal.value.pid == holder.pid
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert holder.stdout
        holder.stdout.close()
    # The file is still there, with a dead process in it: it blocks nobody.
    assert places.lock.exists()
    assert running.holder(places) is None
    with running.alone(places):
        assert running.holder(places) == os.getpid()
