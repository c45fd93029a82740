"""An image of an instance boots what the instance had on its disk."""

from __future__ import annotations

import uuid

from tests.localcloud.machines import await_state, console, image_of_command, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

_COUNTS = "sh -c 'echo ran >> boots; echo boots: $(wc -l < boots); exec sleep 1000'"


def test_an_image_of_an_instance_boots_with_its_files(cloud: RunningCloud) -> None:
    ec2, name = cloud.client("ec2"), f"image-{uuid.uuid4()}"
    source = run(cloud, **image_of_command(cloud, _COUNTS))[0]
    await_state(cloud, source, "running")
    eventually(lambda: "boots: 1" in console(cloud, source), within=30)
    tags = [{"ResourceType": "image", "Tags": [{"Key": "made", "Value": "of an instance"}]}]
    made = ec2.create_image(InstanceId=source, Name=name, TagSpecifications=tags)["ImageId"]

    def state() -> str:
        return ec2.describe_images(ImageIds=[made])["Images"][0]["State"]

    assert state() in ("pending", "available")
    eventually(lambda: state() == "available", within=60)
    eventually(lambda: "boots: 2" in console(cloud, source), within=30)  # it was rebooted for the image
    copied = run(cloud, ImageId=made, UserData="")[0]
    eventually(lambda: "boots: 2" in console(cloud, copied), within=60)
    described = ec2.describe_images(ImageIds=[made])["Images"][0]
    assert described["Tags"] == [{"Key": "made", "Value": "of an instance"}]
    assert described["SourceInstanceId"] == source
    elsewhere = cloud.client("ec2", "eu-west-1")
    other = elsewhere.copy_image(SourceImageId=made, SourceRegion="us-east-1", Name=name)["ImageId"]
    far = run(cloud, region="eu-west-1", ImageId=other, UserData="")[0]
    eventually(
        lambda: "boots: 2" in elsewhere.get_console_output(InstanceId=far).get("Output", ""), within=60
    )
    elsewhere.terminate_instances(InstanceIds=[far])
    ec2.terminate_instances(InstanceIds=[source, copied])
