"""A process of the private cloud whose program is missing for a moment is started when it is back."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

import pavedroad
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


def test_the_host_is_started_again_once_its_program_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, away = tmp_path / "python", tmp_path / "away"
    program.symlink_to(Path(sys.executable).resolve())
    source = Path(pavedroad.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{source}:{sysconfig.get_path('purelib')}")
    monkeypatch.setattr(sys, "executable", str(program))
    cloud = RunningCloud(tmp_path / "home")
    cloud.start()
    try:
        host = cloud.part("host")
        program.rename(away)
        host.kill()
        eventually(lambda: cloud.log.count("The host process cannot be started: ") > 1)
        away.rename(program)
        cloud.part("host", other_than=host)
        eventually(lambda: cloud.health["host"] == "connected")
    finally:
        cloud.stop()
