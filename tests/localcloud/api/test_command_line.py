from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.machines import await_state, bare_image
from tests.localcloud.running import RunningCloud

AWS = Path(sys.executable).with_name("aws")


def aws(cloud: RunningCloud, *arguments: str) -> Any:
    done = subprocess.run(
        [AWS, *arguments, "--output", "json"],
        env=cloud.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.mark.skipif(not AWS.exists(), reason="the AWS command line is not installed")
def test_the_aws_command_line_needs_nothing_but_the_endpoint(cloud: RunningCloud, tmp_path: Path) -> None:
    image = bare_image(cloud.client("ec2"))
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexec sleep 1000\n")
    launched = aws(
        cloud,
        *("ec2", "run-instances", "--image-id", image, "--instance-type", "t3.micro", "--count", "1"),
        *("--user-data", f"file://{script}"),
        *("--tag-specifications", "ResourceType=instance,Tags=[{Key=Name,Value=from-the-shell}]"),
    )
    made = launched["Instances"][0]["InstanceId"]
    await_state(cloud, made, "running")
    described = aws(cloud, "ec2", "describe-instances", "--instance-ids", made)
    assert described["Reservations"][0]["Instances"][0]["Tags"][0]["Value"] == "from-the-shell"
    aws(cloud, "ec2", "terminate-instances", "--instance-ids", made)
    await_state(cloud, made, "terminated")  # first: the command looks every 15 s
    aws(cloud, "ec2", "wait", "instance-terminated", "--instance-ids", made)
    bucket, note = f"bucket-{uuid.uuid4()}", tmp_path / "note.txt"
    note.write_text("hello")
    aws(cloud, "s3api", "create-bucket", "--bucket", bucket)
    aws(cloud, "s3api", "put-object", "--bucket", bucket, "--key", "note.txt", "--body", str(note))
    listed = aws(cloud, "s3api", "list-objects-v2", "--bucket", bucket)
    assert [one["Key"] for one in listed["Contents"]] == ["note.txt"]
