"""Nothing but the endpoint URL tells the private cloud from AWS.

The same work is done twice: with the private cloud's URL, and without any, when every request is signed for
and addressed to amazonaws.com, and then carried to the private cloud. Both ask and hear the same.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

import pavedroad
from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.clouds.model import HealthCheck, ServerGroupSpec, TargetGroupSpec
from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import NotFound, PavedError
from tests.clouds.contract import a_service_image
from tests.localcloud.running import RunningCloud, running_cloud
from tests.waiting import eventually_async

SOURCE = Path(pavedroad.__file__).parent
_IDENTITY = re.compile(
    r"(?P<kind>ami|i|lt|eni|r|sg|vpc|subnet)-[0-9a-f]{8,17}|service-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f-]{27}"
    r"|[0-9a-f]{64}|[0-9a-f]{16}\b| at 0x[0-9a-f]+|127\.\d+\.\d+\.\d+(?::\d+)?"
    r"|datetime\.datetime\([^)]*\)(?:\))?|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|\+00:00)?"
)


def plain(value: object) -> str:
    """Without what is each time another: ids, addresses and times."""
    return _IDENTITY.sub(lambda match: f"<{match['kind'] or 'other'}>", repr(value))


@dataclass
class Recorded:
    """What one way of driving the cloud asked, heard, and was addressed to."""

    asked: list[str] = field(default_factory=list[str])
    heard: list[str] = field(default_factory=list[str])
    hosts: set[str] = field(default_factory=set[str])

    def ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        told = f"{model.service_model.service_name}.{model.name} {plain(copy.deepcopy(params))}"
        if told not in self.asked:  # a thing awaited is asked for more than once
            self.asked.append(told)

    def hear(self, value: object) -> None:
        self.heard.append(plain(value))


class Carrier:
    """Takes requests that are addressed to AWS to the private cloud."""

    def __init__(self, endpoint: str, recorded: Recorded) -> None:
        self._endpoint = urlsplit(endpoint)
        self._recorded = recorded
        self._wire = URLLib3Session()

    def carry(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        assert url.scheme == "https"
        assert str(url.hostname).endswith(".amazonaws.com"), request.url
        authorization = request.headers["Authorization"]
        text = authorization if isinstance(authorization, str) else authorization.decode()
        assert "/us-east-1/" in text
        self._recorded.hosts.add(str(url.hostname))
        request.headers.pop("Host", None)  # where it is addressed to, if who signed it has said so
        request.url = url._replace(scheme=self._endpoint.scheme, netloc=self._endpoint.netloc).geturl()
        return self._wire.send(request)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    # A request that is carried elsewhere is not signed for where it comes to.
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home", "--open") as cloud:
        yield cloud


async def work(cloud: Cloud, recorded: Recorded) -> None:
    """A service's whole life, through every part of the port."""
    hear, tags = recorded.hear, {"pavedroad:application": "proof"}
    hear(await cloud.reachable())
    hear(await cloud.zones())
    await cloud.put_object("proof/key", b"proof")
    hear(await cloud.get_object("proof/key"))
    image = await a_service_image(cloud, **tags)
    hear([found.tags for found in await cloud.images(tags)])
    balancer = await cloud.ensure_balancer("proof", port=80, tags=tags, known_by=tags)
    hear(
        (
            balancer.name,
            [(listener.port, listener.weights) for listener in balancer.listeners],
            balancer.tags.keys(),
        )
    )
    check = HealthCheck("/", 5, 2, 2, 2, "200-399")
    targets = await cloud.ensure_target_group(TargetGroupSpec("proof-v000", 8080, check, 1, tags, tags))
    hear(targets)
    await cloud.set_weights(balancer.listeners[0], {targets.id: 100})
    hear((await cloud.balancer("proof")).listeners)
    await cloud.create_server_group(
        ServerGroupSpec(
            "proof-v000", image.id, "t3.micro", ("us-east-1a",), 0, 2, 1, (targets.id,), 30, "", tags, tags
        )
    )

    async def healthy() -> bool:
        health = await cloud.target_health(targets.id)
        return [target.state for target in health] == ["healthy"]

    await eventually_async(healthy, within=60)
    group = await cloud.server_group("proof-v000")
    hear((group.image_id, group.zones, group.minimum, group.desired, group.maximum, group.tags))
    hear([(member.zone, member.lifecycle, member.health) for member in group.members])
    instances = await cloud.instances([member.instance_id for member in group.members])
    hear([(one.zone, one.state, one.image_id, one.tags["pavedroad:application"]) for one in instances])
    hear([activity.status for activity in await cloud.activities("proof-v000")])
    hear((await cloud.console(instances[0].id)).splitlines()[0])
    for refused in (cloud.server_group("none-v000"), cloud.image("ami-00000000"), cloud.balancer("none")):
        with pytest.raises(PavedError) as error:
            await refused
        hear((type(error.value), error.value.sentence))
    await cloud.resize_server_group("proof-v000", minimum=0, maximum=0, desired=0)
    await cloud.set_weights(balancer.listeners[0], {})
    await cloud.delete_balancer("proof", known_by=tags)
    await cloud.delete_server_group("proof-v000", known_by=tags)
    await eventually_async(lambda: _gone(cloud), within=60)
    await cloud.delete_target_group("proof-v000", known_by=tags)
    await cloud.deregister_image(image.id)
    await cloud.delete_object("proof/key")


async def _gone(cloud: Cloud) -> bool:
    try:
        await cloud.server_group("proof-v000")
    except NotFound:
        return True
    return False


async def test_without_an_endpoint_the_same_is_asked_of_amazonaws_com(running: RunningCloud) -> None:
    by_url, by_name = Recorded(), Recorded()
    # First once unheard: what a region keeps for good, such as a security group, is asked for only once.
    for recorded, endpoint in ((Recorded(), running.endpoint), (by_url, running.endpoint), (by_name, None)):
        session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="thing")
        session.events.register("before-parameter-build", recorded.ask)
        if endpoint is None:
            carry: Any = Carrier(running.endpoint, recorded).carry  # the stubs know no answering handler
            session.events.register("before-send", carry)
        clouds = AwsClouds(endpoint_url=endpoint, session=session)
        await work(clouds.region("us-east-1"), recorded)
        clouds.close()
    assert by_name.asked == by_url.asked
    assert by_name.heard == by_url.heard
    services = ("ec2", "autoscaling", "elasticloadbalancing", "sts")
    assert by_name.hosts == {"s3.amazonaws.com", *(f"{name}.us-east-1.amazonaws.com" for name in services)}
    assert len(by_name.asked) > 40


def test_nothing_but_the_private_cloud_itself_imports_it() -> None:
    offenders = [
        f"{place.relative_to(SOURCE)} imports {name}"
        for place in SOURCE.rglob("*.py")
        if place.relative_to(SOURCE).parts[0] != "localcloud"
        for name in _imports(place)
        if name.startswith("pavedroad.localcloud")
    ]
    assert offenders == []


def test_the_adapter_passes_the_endpoint_on_and_never_asks_which_it_is() -> None:
    for place in (SOURCE / "clouds").rglob("*.py"):
        for node in ast.walk(ast.parse(place.read_text())):
            if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Compare | ast.BoolOp | ast.Match):
                asked = ast.unparse(
                    node.subject if isinstance(node, ast.Match) else getattr(node, "test", node)
                )
                assert "endpoint" not in asked, f"{place.name} branches on the endpoint: {asked}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "4566" not in node.value
                assert "localhost" not in node.value


def _imports(place: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(place.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names
