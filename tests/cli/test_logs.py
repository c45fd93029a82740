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
from tests.waiting import eventually


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


def test_what_an_instance_writes_is_shown_and_never_obeyed(platform: Platform) -> None:
    ec2 = platform.aws("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    script = "#!/bin/sh\nprintf 'begin\\n\\033[2J\\033]0;owned\\007 [red]x[/red]\\nend\\n'\nsleep 600\n"
    [made] = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, UserData=script)["Instances"]
    instance = made["InstanceId"]
    try:
        eventually(lambda: "end" in platform.paved("logs", instance, check=False).stdout)
        said = platform.paved("logs", instance).stdout
        assert "\x1b" not in said
        assert "\x07" not in said
        assert "␛[2J␛]0;owned" in said
        assert "[red]x[/red]" in said
        assert "\x1b[2J\x1b]0;owned\x07" in platform.paved("logs", instance, "--raw").stdout
        assert "\\u001b[2J" in platform.paved("logs", instance, "--json").stdout
    finally:
        ec2.terminate_instances(InstanceIds=[instance])
