from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.localcloud.machines import await_state, console, image_of_command, instance, run, state
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


def processes_naming(text: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "name"])
        if any(text in word for word in process.info["cmdline"] or []) and process.pid != os.getpid()
    ]


def sleepers(tag: str) -> list[psutil.Process]:
    return [one for one in processes_naming(tag) if one.info["name"] == "sleep"]


def test_after_a_restart_everything_is_there_and_runs_again(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    s3, iam = cloud.client("s3"), cloud.client("iam")
    content = os.urandom(300_000)
    s3.create_bucket(Bucket="keepsakes")
    s3.put_object(Bucket="keepsakes", Key="large", Body=content)
    s3.put_object(Bucket="keepsakes", Key="small", Body=b"small", Metadata={"a": "b"})
    iam.create_role(RoleName="keeper", AssumeRolePolicyDocument="{}")
    boots = image_of_command(cloud, "sh -c 'echo up; exec sleep 1000'")
    [runs, stops, ends] = run(cloud, MinCount=3, MaxCount=3, **boots)
    for one in (runs, stops, ends):
        await_state(cloud, one, "running")
    ec2 = cloud.client("ec2")
    ec2.stop_instances(InstanceIds=[stops])
    ec2.terminate_instances(InstanceIds=[ends])
    await_state(cloud, stops, "stopped")
    await_state(cloud, ends, "terminated")
    ec2.deregister_image(ImageId=boots["ImageId"])
    before = instance(cloud, runs)

    cloud.stop()
    cloud.start()

    after = await_state(cloud, runs, "running")
    for key in ("InstanceId", "PrivateIpAddress", "SubnetId", "ImageId", "LaunchTime"):
        assert after[key] == before[key]
    eventually(lambda: "up" in console(cloud, runs))
    assert state(cloud, stops) == "stopped"
    assert state(cloud, ends) == "terminated"
    s3 = cloud.client("s3")
    assert s3.get_object(Bucket="keepsakes", Key="large")["Body"].read() == content
    assert s3.head_object(Bucket="keepsakes", Key="small")["Metadata"] == {"a": "b"}
    assert cloud.client("iam").get_role(RoleName="keeper")["Role"]["RoleName"] == "keeper"
    cloud.client("ec2").start_instances(InstanceIds=[stops])
    await_state(cloud, stops, "running")
    [later] = run(cloud)
    known = {before["PrivateIpAddress"], instance(cloud, stops)["PrivateIpAddress"]}
    assert instance(cloud, later)["PrivateIpAddress"] not in known


def test_when_the_api_process_dies_guests_go_on_and_calls_wait(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    tag = f"1000.{uuid.uuid4().int % 10**9}"
    [made] = run(cloud, **image_of_command(cloud, f"sleep {tag}"))
    await_state(cloud, made, "running")
    [process] = sleepers(tag)
    snapshot = cloud.home / "state.snapshot"
    eventually(lambda: snapshot.exists() and made.encode() in snapshot.read_bytes(), within=30)
    eventually(lambda: saved(cloud))
    api = cloud.part("api")
    api.kill()
    assert state(cloud, made) == "running"
    cloud.part("api", other_than=api)
    assert process.is_running()
    assert process.pid in [one.pid for one in processes_naming(tag)]


@pytest.mark.slow
def test_a_stopped_instance_keeps_its_disk_over_restarts_until_it_is_terminated(
    fresh_cloud: RunningCloud,
) -> None:
    cloud = fresh_cloud
    [made] = run(cloud, **image_of_command(cloud, "sh -c 'echo found $(cat kept); exec sleep 1000'"))
    await_state(cloud, made, "running")
    root = cloud.home / "instances" / made / "root"
    (root / "kept").write_text("what it wrote")
    cloud.client("ec2").stop_instances(InstanceIds=[made])
    await_state(cloud, made, "stopped")
    host = cloud.part("host")
    host.kill()
    cloud.part("host", other_than=host)
    assert state(cloud, made) == "stopped"
    cloud.stop()
    cloud.start()
    assert state(cloud, made) == "stopped"
    cloud.client("ec2").start_instances(InstanceIds=[made])
    await_state(cloud, made, "running")
    eventually(lambda: "found what it wrote" in console(cloud, made))
    cloud.client("ec2").terminate_instances(InstanceIds=[made])
    await_state(cloud, made, "terminated")
    eventually(lambda: not root.exists())
    assert "found what it wrote" in console(cloud, made)


def saved(cloud: RunningCloud) -> bool:
    """All that has changed is on disk."""
    health = cloud.health
    return health["saved_revision"] == health["revision"]


def test_when_the_host_process_dies_its_guests_die_and_boot_again(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    tag = f"1000.{uuid.uuid4().int % 10**9}"
    [made] = run(cloud, **image_of_command(cloud, f"sleep {tag}"))
    await_state(cloud, made, "running")
    [process] = sleepers(tag)
    cloud.part("host").kill()
    process.wait(20)
    eventually(lambda: sleepers(tag), within=40)
    assert state(cloud, made) == "running"


def test_a_killed_launcher_leaves_nothing_running(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    [made] = run(cloud)
    await_state(cloud, made, "running")
    family = psutil.Process(cloud.pid).children(recursive=True)
    assert len(family) > 3
    cloud.kill()
    _, alive = psutil.wait_procs(family, timeout=40)
    assert not alive, [one.cmdline() for one in alive]
    assert processes_naming(str(cloud.home)) == []
    cloud.start()
    await_state(cloud, made, "running")


def test_stopping_leaves_nothing_running(fresh_cloud: RunningCloud) -> None:
    cloud = fresh_cloud
    [made] = run(cloud)
    await_state(cloud, made, "running")
    record = json.loads((cloud.home / "cloud.json").read_text())
    family = psutil.Process(cloud.pid).children(recursive=True)
    cloud.stop()
    assert not psutil.wait_procs(family, timeout=10)[1]
    assert not (cloud.home / "cloud.json").exists()
    assert not Path(record["host_socket"]).parent.exists()


def test_a_state_that_does_not_load_stops_the_cloud_and_costs_nothing(fresh_cloud: RunningCloud) -> None:
    """Neither an instance's disk nor an object; and with a copy of the state all goes on."""
    cloud = fresh_cloud
    cloud.client("s3").create_bucket(Bucket="kept")
    cloud.client("s3").put_object(Bucket="kept", Key="large", Body=b"x" * 100_000)
    [made] = run(cloud, **image_of_command(cloud, "sh -c 'echo $(cat kept); exec sleep 1000'"))
    await_state(cloud, made, "running")
    disk = cloud.home / "instances" / made / "root" / "kept"
    disk.write_text("what it wrote")
    cloud.stop()
    snapshot = cloud.home / "state.snapshot"
    good = snapshot.read_bytes()
    snapshot.write_bytes(good[:-100])
    done = launch("--home", str(cloud.home), "--port", "0")
    assert done.returncode == 8
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith(f"The saved state {snapshot} is damaged: it should have ")
    assert sentence.endswith("to begin with an empty cloud.")
    assert snapshot.read_bytes() == good[:-100]
    assert disk.read_text() == "what it wrote"
    snapshot.write_bytes(good)
    cloud.start()
    await_state(cloud, made, "running")
    eventually(lambda: "what it wrote" in console(cloud, made))
    body = cloud.client("s3").get_object(Bucket="kept", Key="large")["Body"].read()
    assert body == b"x" * 100_000


def test_a_state_that_spoils_while_the_cloud_runs_stops_it_at_the_next_start(
    fresh_cloud: RunningCloud,
) -> None:
    """The API process is not started again and again, and the guests' disks stay."""
    cloud = fresh_cloud
    [made] = run(cloud)
    await_state(cloud, made, "running")
    api = cloud.part("api")
    api.suspend()  # so that it does not save once more
    snapshot = cloud.home / "state.snapshot"
    snapshot.write_bytes(snapshot.read_bytes()[:-100])
    api.kill()
    assert cloud.ended() == 8
    assert (cloud.home / "instances" / made).exists()


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pavedroad.localcloud", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_cloud_on_the_same_folder_is_refused(cloud: RunningCloud) -> None:
    done = launch("--home", str(cloud.home), "--port", "0")
    assert done.returncode == 4
    assert done.stderr.startswith(f"A private cloud runs in {cloud.home} already.")
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = launch("--home", str(tmp_path / "home"), "--port", str(port))
    assert done.returncode == 3
    assert f"Port {port} on 127.0.0.1 cannot be used: Address already in use." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    done = launch("--home", str(file / "home"), "--port", "0")
    assert done.returncode == 6
    assert done.stderr.startswith(f"The folder {file}/home cannot be written: Not a directory.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_ends_it(tmp_path: Path, signal_number: signal.Signals) -> None:
    home = tmp_path / "home"
    process: Any = subprocess.Popen(
        [sys.executable, "-m", "pavedroad.localcloud", "--home", home, "--port", "0"],
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: len(psutil.Process(process.pid).children()) == 2)
    process.send_signal(signal_number)
    assert process.wait(40) == 0
    eventually(lambda: processes_naming(str(home)) == [])
