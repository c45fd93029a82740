"""`paved logs --follow` against a running cluster."""

from __future__ import annotations

import re
import signal
import subprocess
import uuid
from pathlib import Path

import httpx
import pytest

from tests.running_platform import PAVED, Platform


@pytest.mark.slow
def test_following_shows_each_line_once_with_its_instance_and_ends_quietly(
    platform: Platform, tmp_path: Path
) -> None:
    name = f"cli{uuid.uuid4().hex[:8]}"
    platform.paved("new", name, "--kind", "command", cwd=tmp_path)
    url = platform.paved("deploy", str(tmp_path / name)).stdout.split()[-1]
    with subprocess.Popen(
        [*PAVED, "logs", name, "--follow"],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout
        assert following.stderr
        asked = [f"/once-{number}" for number in range(6)]
        for path in asked:
            httpx.get(f"{url}{path}")
        seen: list[str] = []
        for line in following.stdout:
            seen += [path for path in asked if re.match(rf"i-[0-9a-f]{{17}} .*GET {path} ", line)]
            if set(seen) == set(asked):
                break
        following.send_signal(signal.SIGINT)
        rest = following.stdout.read()
        assert following.wait(30) == 130
        assert following.stderr.read() == ""
    assert sorted(seen) == asked
    assert not [path for path in asked if path in rest]
    platform.paved("destroy", name, "--yes")
