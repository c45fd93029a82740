"""The same delivery on the private cloud: real processes, a real Envoy, under load."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.clouds.model import ImageSpec
from pavedroad.clouds.ports import Cloud
from pavedroad.delivery.model import DeploymentView, DeployRequest
from tests.delivery.control import Task, live_and_die, slow
from tests.delivery.load import under_load
from tests.delivery.road import DEE, Road, manifest_of, open_road
from tests.localcloud.running import RunningCloud, running_cloud

_SERVER = """
import http.server, os, sys, threading, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        sick = self.path == "/healthz" and os.environ.get("SICK")
        body = os.environ["VERSION"].encode()
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
print("booting", os.environ["VERSION"], flush=True)
if os.environ.get("CRASH"): sys.exit("ModuleNotFoundError: No module named 'flask'")
if "METRICS" in os.environ:
    class Metrics(Handler):
        def do_GET(self): self.send_error(404)
    metrics = http.server.HTTPServer((os.environ["HOST"], int(os.environ["METRICS"])), Metrics)
    threading.Thread(target=metrics.serve_forever, daemon=True).start()
time.sleep(float(os.environ.get("SLEEP", "0")))
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
_COMMAND = f"{sys.executable} -c {shlex.quote(_SERVER)}"
_HEALTH = {"path": "/healthz", "interval": "1s", "timeout": "1s", "healthy": 2, "unhealthy": 2}


@dataclass(frozen=True, slots=True)
class Shop:
    """A road on the private cloud, with images of a small server."""

    road: Road
    cloud: Cloud

    async def image(self, version: str, **environment: str) -> str:
        document = {
            "schema": 1,
            "command": _COMMAND,
            "environment": {"PORT": "8080", "VERSION": version, "PYTHONUNBUFFERED": "1", **environment},
            "stop_seconds": 2,
            "port": 8080,
            "layers": [],
        }
        location = await self.cloud.put_object(f"images/{version}.json", json.dumps(document).encode())
        tags = {"pavedroad:version": version, "pavedroad:application": "shop"}
        spec = ImageSpec(f"shop-{version}", location, "a small server", tags)
        return (await self.cloud.register_image(spec)).id

    async def deploy(self, image: str, **strategy: Any) -> DeploymentView:
        kept = {"kind": "red-black", "boot_timeout": "90s", "drain": "2s", **strategy}
        manifest = manifest_of(application="shop", health=_HEALTH, strategy=kept)
        begun = await self.road.delivery.deploy(DEE, DeployRequest(manifest, image))
        return await self.road.end(begun.id)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as cloud:
        yield cloud


@pytest.fixture
async def shop(running: RunningCloud, tmp_path: Path) -> AsyncIterator[Shop]:
    clouds = AwsClouds(endpoint_url=running.endpoint, session=running.session())
    async with open_road(tmp_path, clouds=clouds) as road:
        yield Shop(road, clouds.region("us-east-1"))
        for cluster in await road.delivery.clusters():
            await road.delivery.destroy_cluster(DEE, cluster.name)
    clouds.close()


@pytest.mark.ordinary
async def test_an_upgrade_and_a_rollback_under_load_lose_no_request(shop: Shop) -> None:
    first = await shop.deploy(await shop.image("one"))
    assert first.phase == "succeeded", first.error
    async with under_load(first.url) as load:
        await load.sees("one")
        second = await shop.deploy(await shop.image("two"))
        assert second.phase == "succeeded", second.error
        await load.sees("two")
        await shop.road.delivery.rollback(DEE, "shop")
        await load.sees("one")
    assert load.failures == []
    view = await shop.road.delivery.cluster("shop")
    assert [(group.version, group.weight, group.healthy) for group in view.server_groups] == [
        ("two", 0, 2),
        ("one", 100, 2),
    ]


async def test_no_bad_version_costs_the_old_one_a_request(shop: Shop) -> None:
    good = await shop.deploy(await shop.image("good"))
    assert good.phase == "succeeded", good.error
    async with under_load(good.url, clients=2) as load:
        crashing = await shop.deploy(await shop.image("crashing", CRASH="1"))
        assert crashing.phase == "failed"
        assert "end while they boot" in crashing.error
        assert "exited with status 1" in crashing.error
        assert "ModuleNotFoundError: No module named 'flask'" in crashing.console
        slow = await shop.deploy(await shop.image("slow", SLEEP="600"), boot_timeout="6s")
        assert slow.phase == "failed"
        assert "was not healthy within 6 s: 0 of 2 healthy" in slow.error
        assert "booting slow" in slow.console
        for version, environment, said in (
            ("sick", {"SICK": "1"}, r"[\d.]+:8080/healthz answered 500, 5 times, as did 1 other"),
            (
                "astray",
                {"PORT": "8081"},
                r"refused the connection, .*service listens on port 8081: let it use",
            ),
        ):
            bad = await shop.deploy(await shop.image(version, **environment), boot_timeout="10m")
            assert bad.phase == "failed"
            assert re.search(said, bad.error), bad.error
            assert f"booting {version}" in bad.console
        await load.sees("good")
    assert load.failures == []
    assert set(load.answers) == {"good"}
    view = await shop.road.delivery.cluster("shop")
    assert [group.version for group in view.server_groups if not group.deleting] == ["good"]


async def test_who_boots_slowly_behind_its_metrics_has_its_time(shop: Shop) -> None:
    slow = await shop.deploy(await shop.image("measured", METRICS="9090", SLEEP="9"), boot_timeout="60s")
    assert slow.phase == "succeeded", slow.error
    assert any("the instance listens on port 9090." in line.sentence for line in slow.progress)


@pytest.mark.parametrize("point", ["before flip", slow("after flip"), slow("after create-server-group")])
async def test_a_control_process_killed_in_mid_deploy_costs_no_request_either(
    running: RunningCloud, shop: Shop, tmp_path: Path, point: str
) -> None:
    first = await shop.deploy(await shop.image("first"))
    assert first.phase == "succeeded", first.error
    manifest = manifest_of(application="shop", health=_HEALTH)
    image = await shop.image(f"second {point}".replace(" ", "-"))
    home = tmp_path / "other"
    home.mkdir()
    async with under_load(first.url, clients=2) as load:
        await load.sees("first")
        dying = Task(home, running.endpoint, point, (image,), manifest, key=running.key)
        died, _ = await asyncio.to_thread(live_and_die, dying)
        assert died == -signal.SIGKILL
        ended, deployments = await asyncio.to_thread(
            live_and_die, Task(home, running.endpoint, key=running.key)
        )
        await load.sees(f"second {point}".replace(" ", "-"))
    assert (ended, [view.phase for view in deployments]) == (0, ["succeeded"])
    assert load.failures == []
    view = await shop.road.delivery.cluster("shop")
    assert [group.name for group in view.server_groups] == [deployments[0].server_group, first.server_group]
