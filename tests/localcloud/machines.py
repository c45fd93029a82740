"""Instances of small scripts, for tests of EC2 through boto3."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

IDLE = "#!/bin/sh\nexec sleep 1000\n"


def bare_image(ec2: Any) -> str:
    images = ec2.describe_images(Filters=[{"Name": "name", "Values": ["amzn2-ami-hvm-*"]}])["Images"]
    return images[0]["ImageId"]


def run(cloud: RunningCloud, *, region: str = "us-east-1", **options: Any) -> list[str]:
    """Launch, by default one that idles; gives the ids."""
    ec2 = cloud.client("ec2", region)
    request = {"MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", "UserData": IDLE, **options}
    request.setdefault("ImageId", bare_image(ec2))
    return [one["InstanceId"] for one in ec2.run_instances(**request)["Instances"]]


def instance(cloud: RunningCloud, instance_id: str, region: str = "us-east-1") -> dict[str, Any]:
    found = cloud.client("ec2", region).describe_instances(InstanceIds=[instance_id])
    return found["Reservations"][0]["Instances"][0]


def state(cloud: RunningCloud, instance_id: str) -> str:
    return instance(cloud, instance_id)["State"]["Name"]


def await_state(cloud: RunningCloud, instance_id: str, wanted: str, within: float = 60) -> dict[str, Any]:
    eventually(lambda: state(cloud, instance_id) == wanted, within=within)
    return instance(cloud, instance_id)


def console(cloud: RunningCloud, instance_id: str) -> str:
    return cloud.client("ec2").get_console_output(InstanceId=instance_id)["Output"]


def image_of_command(cloud: RunningCloud, command: str, **manifest: Any) -> dict[str, str]:
    """An image without layers whose instances run the command, as options of a launch."""
    bucket, key = f"images-{uuid.uuid4()}", "manifest.json"
    body = {"schema": 1, "command": command, "layers": [], **manifest}
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(body))
    made = cloud.client("ec2").register_image(Name=bucket, ImageLocation=f"{bucket}/{key}")
    return {"ImageId": made["ImageId"], "UserData": ""}
