"""aiobotocore, unmodified, against the endpoint: many calls at a time over one client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, cast

from aiobotocore.session import get_session

from tests.localcloud.machines import IDLE
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually_async


async def _client(stack: AsyncExitStack, cloud: RunningCloud, service: str) -> Any:
    session = get_session()
    return await stack.enter_async_context(
        cast(
            "Any",
            session.create_client(
                service,
                region_name="us-west-2",
                endpoint_url=cloud.endpoint,
                aws_access_key_id=cloud.key.access_key_id,
                aws_secret_access_key=cloud.key.secret_access_key,
            ),
        )
    )


async def test_a_group_is_launched_watched_and_taken_down(cloud: RunningCloud) -> None:
    async with AsyncExitStack() as stack:
        ec2 = await _client(stack, cloud, "ec2")
        scaling = await _client(stack, cloud, "autoscaling")
        images = await ec2.describe_images(Owners=["amazon"])
        await ec2.create_launch_template(
            LaunchTemplateName="aio",
            LaunchTemplateData={"ImageId": images["Images"][0]["ImageId"], "InstanceType": "t3.nano"},
        )
        await scaling.create_auto_scaling_group(
            AutoScalingGroupName="aio",
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=2,
            LaunchTemplate={"LaunchTemplateName": "aio"},
            AvailabilityZones=["us-west-2a", "us-west-2b"],
        )

        async def in_service() -> bool:
            [group] = (await scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["aio"]))[
                "AutoScalingGroups"
            ]
            return [it["LifecycleState"] for it in group["Instances"]] == ["InService"] * 2

        await eventually_async(in_service, within=60)
        await scaling.delete_auto_scaling_group(AutoScalingGroupName="aio", ForceDelete=True)

        async def gone() -> bool:
            left = await scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["aio"])
            return not left["AutoScalingGroups"]

        await eventually_async(gone, within=60)
        await ec2.delete_launch_template(LaunchTemplateName="aio")


async def test_calls_of_many_tasks_do_not_meet(cloud: RunningCloud) -> None:
    async with AsyncExitStack() as stack:
        s3, ec2 = await _client(stack, cloud, "s3"), await _client(stack, cloud, "ec2")
        await s3.create_bucket(Bucket="of-aio", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

        async def keep(number: int) -> bytes:
            await s3.put_object(Bucket="of-aio", Key=str(number), Body=b"%d" % number)
            got = await s3.get_object(Bucket="of-aio", Key=str(number))
            async with got["Body"] as stream:
                return await stream.read()

        asked: list[Awaitable[Any]] = [keep(number) for number in range(20)]
        asked += [ec2.describe_instances() for _ in range(20)]
        answers = await asyncio.gather(*asked)
        assert answers[:20] == [b"%d" % number for number in range(20)]
        started = await ec2.run_instances(
            ImageId=(await ec2.describe_images(Owners=["amazon"]))["Images"][0]["ImageId"],
            InstanceType="t3.nano",
            MinCount=1,
            MaxCount=1,
            UserData=IDLE,
        )
        waiter = ec2.get_waiter("instance_running")
        [one] = started["Instances"]
        await waiter.wait(InstanceIds=[one["InstanceId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        await ec2.terminate_instances(InstanceIds=[one["InstanceId"]])
