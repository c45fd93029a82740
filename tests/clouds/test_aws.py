"""The AWS adapter keeps the contract, driving the private cloud."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import httpx
import pytest

from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.errors import Unavailable
from tests.clouds.contract import LivingCloudContract
from tests.localcloud.running import RunningCloud, running_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    home: Path = tmp_path_factory.mktemp("cloud") / "home"
    with running_cloud(home) as cloud:
        yield cloud


@pytest.fixture
def clouds(running: RunningCloud) -> Generator[CloudProvider]:
    clouds = AwsClouds(endpoint_url=running.endpoint, session=running.session())
    yield clouds
    clouds.close()


@pytest.fixture
def cloud(clouds: CloudProvider) -> Cloud:
    return clouds.region("us-east-1")


class TestAwsCloud(LivingCloudContract):
    pass


async def test_each_region_is_a_cloud_of_its_own(clouds: CloudProvider) -> None:
    here, there = clouds.region("us-east-1"), clouds.region("eu-west-1")
    assert await there.zones() == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    await here.put_object("only/here", b"x")
    assert await here.objects("only/here")
    assert not await there.objects("only/here")
    assert clouds.region("us-east-1") is here


async def test_a_balancer_says_at_once_where_it_opens_when_its_port_may_not_be_had(cloud: Cloud) -> None:
    name = f"moved-{uuid.uuid4().hex[:8]}"
    with socket.create_server(("", 0)) as held:
        port: int = held.getsockname()[1]
        made = await cloud.ensure_balancer(name, port=port, tags={"by": name}, known_by={"by": name})
        assert made == await cloud.balancer(name)
        assert urlsplit(made.url).port != port
        assert httpx.get(made.url, trust_env=False).status_code == 503  # there are no server groups yet
    await cloud.delete_balancer(name, known_by={"by": name})


@pytest.mark.slow
async def test_a_cloud_that_does_not_answer_is_unavailable_and_said_so() -> None:
    session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="thing")
    clouds = AwsClouds(endpoint_url="http://127.0.0.1:1", session=session)
    cloud = clouds.region("us-east-1")
    assert not await cloud.reachable()
    with pytest.raises(
        Unavailable, match=r"The cloud in us-east-1 does not answer: .*http://127\.0\.0\.1:1/"
    ):
        await cloud.zones()
    clouds.close()
