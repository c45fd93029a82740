"""Two control processes on one database: SQLite refuses the second in words, Postgres takes both."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from pavedroad.clouds.model import ImageSpec
from pavedroad.core.errors import Conflict, Unavailable
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.slots import take_slot
from pavedroad.delivery.model import DeployRequest
from tests.delivery.control import Task, begin, live_and_die
from tests.delivery.far_cloud import FarCloudServer
from tests.delivery.road import DEE, Road, WatchedClouds, manifest_of, open_road
from tests.postgres import postgres
from tests.waiting import eventually

_MANIFEST = manifest_of(strategy={"kind": "red-black", "shrink_after": "1h", "delete_after": "2h"})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def cloud() -> Iterator[tuple[str, FarCloudServer]]:
    with TemporaryDirectory(prefix="paved-", dir="/tmp") as folder:
        socket = f"{folder}/cloud"
        with closing(FarCloudServer(socket)) as far:
            yield socket, far


async def _begun_elsewhere(road: Road) -> None:
    """Refused, since the other process's turn has run out and been taken by a third."""
    with pytest.raises(Conflict, match=r"lost its turn at hello|Somebody else has changed the traffic"):
        await road.delivery.disable(DEE, "hello-v000")


async def _deploy_in_its_turn(image: str, road: Road) -> None:
    begun = await road.delivery.deploy(DEE, DeployRequest(_MANIFEST, image, "wait"))
    assert (await road.end(begun.id)).phase == "succeeded"


async def _enable_the_old(road: Road) -> None:
    await road.delivery.enable(DEE, "hello-v000")


def test_a_process_that_hung_before_it_changed_the_traffic_does_not_undo_what_the_other_did(
    server: str, cloud: tuple[str, FarCloudServer], tmp_path: Path
) -> None:
    socket, far = cloud

    async def register(clouds: WatchedClouds) -> tuple[str, ...]:
        own = {"pavedroad:application": "hello"}
        made = [ImageSpec(f"hello-{n}", "b/k", "", {**own, "pavedroad:version": n}) for n in ("1", "2", "3")]
        return tuple([(await clouds.region("us-east-1").register_image(spec)).id for spec in made])

    images = far.run(register)

    def task(**values: object) -> Task:
        return Task(tmp_path, socket, manifest=_MANIFEST, url=server, lease=2.0, **values)  # type: ignore[arg-type]

    assert live_and_die(task(images=images[:2], acts=(_enable_the_old,)))[0] == 0
    hung = begin(task(point="called target_health", pauses=True, acts=(_begun_elsewhere,)))
    process = psutil.Process(hung.process.pid)
    eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    ended, deployments = live_and_die(task(acts=(partial(_deploy_in_its_turn, images[2]),)))
    assert (ended, [view.phase for view in deployments]) == (0, ["succeeded"] * 3)
    process.send_signal(signal.SIGCONT)
    assert hung.end()[0] == 0

    async def weights(clouds: WatchedClouds) -> dict[str, int]:
        (listener,) = (await clouds.region("us-east-1").balancer("hello")).listeners
        return {target.split("/")[1]: weight for target, weight in listener.weights.items()}

    assert far.run(weights) == {"hello-v000": 0, "hello-v001": 0, "hello-v002": 100}


def test_each_process_on_a_postgres_has_a_slot_of_its_own_and_a_free_one_is_taken_again(server: str) -> None:
    with closing(Database(server)) as one, closing(Database(server)) as two:
        first, second = take_slot(one), take_slot(two)
        assert (first.name, second.name) == ("control-0", "control-1")
        first.release()
        third = take_slot(two)
        assert third.name == "control-0"
        second.release()
        third.release()


async def test_a_second_process_on_a_sqlite_file_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    async with open_road(tmp_path) as road:
        await road.shipped("1.0")
        with (
            closing(Database(sqlite_url(path))) as other,
            pytest.raises(Unavailable, match=f"Another control process uses {path} already") as refusal,
        ):
            await asyncio.to_thread(take_slot, other)
        assert "PAVED_DATABASE_URL" in (refusal.value.next_step or "")
        await road.shipped("2.0")
    with closing(Database(sqlite_url(path))) as other:
        take_slot(other).release()
