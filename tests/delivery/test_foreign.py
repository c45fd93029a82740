"""What others made stands in the way of a deployment, is named, and stays as it is: also when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import CloudFailed, Guarded
from pavedroad.delivery.model import DeploymentView, DeployRequest
from tests.clouds.contract import a_group, a_service_image, a_target_group
from tests.delivery.road import DEE, Road, manifest_of, open_road
from tests.localcloud.running import RunningCloud, running_cloud
from tests.waiting import eventually_async


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as cloud:
        yield cloud


@dataclass
class Stranger:
    """Another user of the account, with boto3."""

    cloud: RunningCloud
    clients: dict[str, Any] = field(default_factory=dict[str, Any])

    def __getattr__(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.cloud.client(service)
        return self.clients[service]

    def image(self) -> str:
        return self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def make_template(self, name: str) -> None:
        data = {"ImageId": self.image(), "InstanceType": "t3.nano"}
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)

    def make_group(self, name: str) -> None:
        self.make_template(f"of-{name}")
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": f"of-{name}"},
            MinSize=0,
            MaxSize=1,
            AvailabilityZones=["us-east-1a"],
        )

    def make_targets(self, name: str) -> None:
        vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=9, VpcId=vpc)

    def make_balancer(self, name: str) -> None:
        cluster = name.rpartition("-")[0]
        subnets = [it["SubnetId"] for it in self.ec2.describe_subnets()["Subnets"]]
        self.elbv2.create_load_balancer(Name=cluster, Type="application", Subnets=subnets)

    def sees(self) -> dict[str, Any]:
        """All that there is, but for what changes by itself."""
        templates = self.ec2.describe_launch_templates()["LaunchTemplates"]
        groups = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        targets = self.elbv2.describe_target_groups()["TargetGroups"]
        balancers = self.elbv2.describe_load_balancers()["LoadBalancers"]
        arns = [it["TargetGroupArn"] for it in targets]
        return {
            "templates": templates,
            "groups": groups,
            "targets": targets,
            "attributes": [
                self.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"] for arn in arns
            ],
            "balancers": [{**it, "State": None} for it in balancers],
            "listeners": [
                self.elbv2.describe_listeners(LoadBalancerArn=it["LoadBalancerArn"])["Listeners"]
                for it in balancers
            ],
        }


_MAKES: dict[str, Callable[[Stranger, str], None]] = {
    "server group or launch template": Stranger.make_group,
    "launch template": Stranger.make_template,
    "target group": Stranger.make_targets,
    "load balancer": Stranger.make_balancer,
}


class Between:
    """Does something once, when a deployment has come to a point."""

    def __init__(self) -> None:
        self.point = ""
        self.act: Callable[[], None] = lambda: None

    def reach(self, point: str) -> None:
        if point == self.point:
            self.point = ""
            self.act()


@asynccontextmanager
async def _road(running: RunningCloud, home: Path, between: Between) -> AsyncIterator[Road]:
    clouds = AwsClouds(endpoint_url=running.endpoint, session=running.session())
    async with open_road(home, clouds=clouds, checkpoints=between) as road:
        yield road
    clouds.close()


async def _deploy(road: Road, application: str) -> DeploymentView:
    cloud = road.clouds.region("us-east-1")
    image = await a_service_image(cloud, **{"pavedroad:application": application})
    manifest = manifest_of(application=application, strategy={"kind": "red-black", "boot_timeout": "5s"})
    begun = await road.delivery.deploy(DEE, DeployRequest(manifest, image.id))
    return await road.end(begun.id)


@pytest.mark.parametrize("kind", _MAKES)
@pytest.mark.parametrize("when", ["before it is planned", "after it is planned"])
async def test_a_strangers_thing_of_the_name_is_a_conflict_and_stays_as_it_is(
    running: RunningCloud, tmp_path: Path, kind: str, when: str
) -> None:
    application = f"app{len(kind)}{len(when)}"
    stranger, between = Stranger(running), Between()
    seen: list[dict[str, Any]] = []

    def make() -> None:
        _MAKES[kind](stranger, f"{application}-v000")
        seen.append(stranger.sees())

    if when == "before it is planned":
        make()
    else:
        between.point, between.act = "recorded plan", make
    async with _road(running, tmp_path, between) as road:
        view = await _deploy(road, application)
        assert view.phase == "failed"
        name = application if kind == "load balancer" else f"{application}-v000"
        assert f"{name} is there already, made by something else: it is left as it is." in view.error
        await eventually_async(lambda: _same(stranger, seen[0]))


async def _same(stranger: Stranger, before: dict[str, Any]) -> bool:
    """Compared whole: what a deployment made of its own is gone again, too."""
    return await asyncio.to_thread(stranger.sees) == before


async def test_what_is_made_carries_the_deployment_that_made_it(road: Road) -> None:
    first, second = await road.shipped("1.0"), await road.shipped("2.0")
    for view in (first, second):
        assert (await road.cloud.server_group(view.server_group)).tags["pavedroad:work"] == view.id
        assert (await road.cloud.target_group(view.server_group)).tags["pavedroad:work"] == view.id
    assert (await road.cloud.balancer("hello")).tags["pavedroad:work"] == first.id


async def test_what_an_earlier_deployment_had_to_leave_is_stepped_over(road: Road) -> None:
    await road.shipped("1.0")
    road.cloud.refuse("create_server_group", CloudFailed("No."))
    road.cloud.refuse("delete_target_group", CloudFailed("Not now."))
    failed = await road.deploy("2.0")
    assert "could not all be removed: Not now." in failed.error
    assert (await road.shipped("3.0")).server_group == "hello-v002"
    assert (await road.cloud.target_group("hello-v001")).tags["pavedroad:work"] == failed.id


async def test_a_failed_deployment_takes_nothing_away_that_was_made_before_works_were_kept(
    road: Road,
) -> None:
    """The cluster of an earlier release has tags, but no work's id; it retires and can be destroyed."""
    cloud, image = road.cloud, await road.image("0.9")
    ours = {"pavedroad:cluster": "hello", "pavedroad:server-group": "hello-v000"}
    targets = await a_target_group(cloud)
    await cloud.ensure_balancer("hello", port=80, tags=ours, known_by=ours)
    spec = a_group(await cloud.image(image), targets, size=2, **ours)
    spec.tags.pop("work")
    await cloud.create_server_group(replace(spec, name="hello-v000"))
    cluster = await cloud.balancer("hello")
    await cloud.set_weights(cluster.listeners[0], {targets.id: 100})
    road.cloud.faults[await road.image("1.0")] = Fault("crashes", "exited with status 1")
    assert (await road.deploy("1.0")).phase == "failed"
    assert not (await cloud.server_group("hello-v000")).deleting
    assert (await cloud.balancer("hello")).listeners[0].weights == {targets.id: 100}
    with pytest.raises(Guarded):
        await road.delivery.destroy(DEE, "hello-v000")
    await road.shipped("2.0", strategy={"kind": "red-black", "shrink_after": "0.1s", "delete_after": "0.2s"})

    async def retired() -> bool:
        return "hello-v000" not in {group.name for group in await cloud.server_groups()}

    await eventually_async(retired)
    await road.delivery.destroy_cluster(DEE, "hello")
