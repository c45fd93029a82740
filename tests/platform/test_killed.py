"""The supervisor of `paved up`, or a part of it, killed with -9 in the middle of work: nothing acknowledged
is lost, in the platform as in its cloud. `PAVED_SEED` repeats the choices."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.localcloud.whole.truths import instances_of_processes
from tests.running_platform import Platform
from tests.waiting import eventually

SEED = int(os.environ.get("PAVED_SEED") or random.randrange(2**32))
ROUNDS = 6
IDLE = "#!/bin/sh\nexec sleep 1000\n"
VICTIMS = ("supervisor", "platform", "private cloud")
"""Each is killed as often as another."""


class Writers:
    """Make things until they are told to end; what was answered is kept."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ended = threading.Event()
        self.objects, self.tokens = list[str](), list[str]()
        self._threads = [threading.Thread(target=it) for it in (self._put, self._make)]
        for thread in self._threads:
            thread.start()

    @property
    def answers(self) -> int:
        return len(self.objects) + len(self.tokens)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _put(self) -> None:
        s3 = self._platform.aws("s3")

        def put(name: str) -> None:
            s3.put_object(Bucket="kept", Key=name, Body=name.encode())

        self._each(self.objects, put)

    def _make(self) -> None:
        with self._platform.client() as http:

            def make(name: str) -> None:
                http.post("/v1/tokens", json={"name": name, "roles": ["viewer"]}).raise_for_status()

            self._each(self.tokens, make)

    def _each(self, answered: list[str], make: Callable[[str], None]) -> None:
        while not self._ended.is_set():
            name = f"t{random.randrange(2**60)}"
            try:
                make(name)
            except (httpx.HTTPError, BotoCoreError, ClientError):
                return  # killed while it was asked: it may be there or not
            answered.append(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_whoever_is_killed(fresh_platform: Platform) -> None:
    platform, chance = fresh_platform, random.Random(SEED)
    platform.start()
    s3, ec2 = platform.aws("s3"), platform.aws("ec2")
    s3.create_bucket(Bucket="kept")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    run = ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=2, MaxCount=2, UserData=IDLE)
    machines = {it["InstanceId"] for it in run["Instances"]}
    eventually(lambda: running(ec2) == machines)
    objects, tokens = set[str](), set[str]()
    for number in range(ROUNDS):
        victim = VICTIMS[number % len(VICTIMS)]
        writers = Writers(platform)
        eventually(lambda at_work=writers: at_work.objects[5:] and at_work.tokens[5:])
        threading.Event().wait(chance.random() / 3)  # somewhere in the middle
        killed(platform, victim)
        writers.end()
        objects.update(writers.objects)
        tokens.update(writers.tokens)
        where = f"PAVED_SEED={SEED} round {number}, {victim}"
        listed = platform.aws("s3").get_paginator("list_objects_v2").paginate(Bucket="kept")
        found = {it["Key"] for page in listed for it in page["Contents"]}
        assert not objects - found, where
        with platform.client() as http:
            assert not tokens - {it["name"] for it in http.get("/v1/tokens").json()}, where
        eventually(lambda: running(platform.aws("ec2")) == machines)
        eventually(lambda: instances_of_processes(platform.endpoint) == machines)
    print(f"{ROUNDS} kills, {len(objects) + len(tokens)} answers, 0 lost; PAVED_SEED={SEED}")  # noqa: T201 - with -s


def killed(platform: Platform, victim: str) -> None:
    """Returns when all is said to be well again."""
    said = running_json(platform)
    if victim == "supervisor":
        psutil.Process(said["pid"]).kill()
        platform.nothing_left(within=40)
        assert platform.paved("status", check=False).returncode == 3
        platform.start()
        return
    pid: int = next(it["pid"] for it in said["parts"] if it["name"] == victim)
    psutil.Process(pid).kill()

    def back() -> bool:
        part = next(it for it in running_json(platform)["parts"] if it["name"] == victim)
        return part["state"] == "ready" and part["pid"] != pid

    eventually(back, within=90)


def running_json(platform: Platform) -> dict[str, Any]:
    return json.loads((platform.home / "running.json").read_text())


def running(ec2: Any) -> set[str]:
    states = [{"Name": "instance-state-name", "Values": ["running"]}]
    found = ec2.describe_instances(Filters=states)["Reservations"]
    return {one["InstanceId"] for it in found for one in it["Instances"]}
