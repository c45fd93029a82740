"""The API process killed with -9 in the middle of calls: what was answered is still so afterwards."""

from __future__ import annotations

import os
import random
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pavedroad.localcloud.api.forked import forked
from pavedroad.localcloud.api.snapshots import Snapshots
from pavedroad.localcloud.documents import Document
from pavedroad.localcloud.state import State
from tests.localcloud.machines import instance, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

Acknowledged = list[tuple[str, str]]


def calling(cloud: RunningCloud, name: str, acknowledged: Acknowledged, ended: threading.Event) -> None:
    """One call after another; what was answered is written down."""
    ec2, s3, scaling = cloud.client("ec2"), cloud.client("s3"), cloud.client("autoscaling")
    calls: list[tuple[str, Callable[[str], Any]]] = [
        ("key pair", lambda key: ec2.create_key_pair(KeyName=key)),
        ("object", lambda key: s3.put_object(Bucket="kept", Key=key, Body=os.urandom(20_000))),
        (
            "group",
            lambda key: scaling.create_auto_scaling_group(
                AutoScalingGroupName=key,
                MinSize=0,
                MaxSize=1,
                LaunchTemplate={"LaunchTemplateName": "kept"},
                AvailabilityZones=["us-east-1a"],
            ),
        ),
    ]
    for number in _numbers():
        if ended.is_set():
            return
        kind, call = calls[number % len(calls)]
        key = f"{name}-{number}"
        try:
            call(key)
        except (ClientError, BotoCoreError):
            return  # killed while it was asked: it may be there or not
        acknowledged.append((kind, key))


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def test_nothing_that_was_answered_is_lost(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    ec2 = cloud.client("ec2")
    cloud.client("s3").create_bucket(Bucket="kept")
    ec2.create_launch_template(
        LaunchTemplateName="kept",
        LaunchTemplateData={
            "ImageId": ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
            "InstanceType": "t3.nano",
        },
    )
    acknowledged: Acknowledged = []
    pause = random.Random(7)
    for round_ in range(3):
        ended = threading.Event()
        threads = [
            threading.Thread(target=calling, args=(cloud, f"r{round_}t{thread}", acknowledged, ended))
            for thread in range(3)
        ]
        before = len(acknowledged)
        for thread in threads:
            thread.start()
        eventually(lambda known=before: len(acknowledged) > known + 12, within=60)
        ended.wait(pause.random() / 4)  # somewhere in the middle of a call
        [machine] = run(cloud)
        process = cloud.part("api")
        process.kill()
        ended.set()
        for thread in threads:
            thread.join()
        cloud.part("api", other_than=process)
        assert eventually(lambda known=machine: instance(cloud, known), within=60)["InstanceId"] == machine

    keys = {pair["KeyName"] for pair in cloud.client("ec2").describe_key_pairs()["KeyPairs"]}
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket="kept")
    objects = {entry["Key"] for page in pages for entry in page["Contents"]}
    pages = cloud.client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate()
    groups = {group["AutoScalingGroupName"] for page in pages for group in page["AutoScalingGroups"]}
    there = {"key pair": keys, "object": objects, "group": groups}
    lost = [(kind, key) for kind, key in acknowledged if key not in there[kind]]
    assert not lost, f"{len(lost)} of {len(acknowledged)}"


class Ledger:
    form = Document(list[str])

    def __init__(self) -> None:
        self.lines: list[str] = []

    def dump(self) -> list[str]:
        return self.lines

    def load(self, saved: list[str]) -> None:
        self.lines = saved


def test_a_large_state_is_kept_by_a_copy_of_the_process(tmp_path: Path) -> None:
    """Calls are answered in turn with what is on disk, also once the state takes long to write."""
    path, state, ledger = tmp_path / "state", State(), Ledger()
    ledger.lines += [os.urandom(8).hex() for _ in range(400_000)]
    keeper = Snapshots(path, state, {"ledger": ledger})
    keeper.start()
    for number in range(3):
        with state.changing():
            ledger.lines.append(f"entry {number}")
        keeper.keep(state.take_own_revision())
        restored = Ledger()
        assert Snapshots(path, State(), {"ledger": restored}).restore()
        assert restored.lines[-1] == f"entry {number}"
    keeper.close()


def test_a_copy_is_heard_however_many_files_are_open(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2048), hard))
    try:
        with ExitStack() as held:
            for _ in range(1100):
                held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            forked((tmp_path / "file").touch, 10)()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (tmp_path / "file").exists()


def test_what_fails_in_the_copy_is_said_here(tmp_path: Path) -> None:
    finish = forked((tmp_path / "absent" / "file").touch)
    try:
        finish()
    except OSError as error:
        assert "FileNotFoundError" in str(error)  # noqa: PT017 - the sentence matters, not the class
    else:
        raise AssertionError("it succeeded")
