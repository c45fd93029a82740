"""The commands against a running platform: a service shipped, shipped again, taken back, taken away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running_platform import PAVED, Platform
from tests.waiting import eventually


@pytest.fixture
def service(platform: Platform, tmp_path: Path) -> Path:
    """A folder of its own, with quick health checks."""
    name = f"cli{uuid.uuid4().hex[:8]}"
    platform.paved("new", name, "--kind", "command", cwd=tmp_path)
    folder = tmp_path / name
    with (folder / "paved.yaml").open("a") as file:
        file.write("strategy: {boot_timeout: 60s, drain: 1s}\n")
    text = (folder / "paved.yaml").read_text()
    (folder / "paved.yaml").write_text(text.replace("health: /", "health: {path: /, interval: 1s}"))
    return folder


def cluster(platform: Platform, name: str) -> dict[str, Any]:
    found = json.loads(platform.paved("clusters", name, "--json").stdout)
    assert len(found) == 1
    return found[0]


def enabled(platform: Platform, name: str) -> list[str]:
    return [group["name"] for group in cluster(platform, name)["server_groups"] if group["enabled"]]


def _build_with(service: Path, command: str) -> None:
    manifest = service / "paved.yaml"
    build = f"build: {{command: {json.dumps(command)}}}"
    manifest.write_text(manifest.read_text().replace("build: {exclude: [paved.yaml]}", build))


def _control(platform: Platform) -> int:
    """The control process's id."""
    parts = json.loads((platform.home / "running.json").read_text())["parts"]
    return next(part["pid"] for part in parts if part["name"] == "platform")


@pytest.mark.ordinary
def test_a_service_s_whole_road(platform: Platform, service: Path) -> None:
    name = service.name
    first = platform.paved("deploy", str(service), "--version", "1.0")
    url = cluster(platform, name)["url"]
    assert first.stdout == f"{name}-v000 serves version 1.0: {url}\n"
    assert "3 of 3 healthy" in first.stderr
    assert name in httpx.get(url).text

    (service / "public" / "index.html").write_text("second")
    second = json.loads(platform.paved("deploy", str(service), "--json").stdout)
    assert (second["phase"], second["server_group"]) == ("succeeded", f"{name}-v001")
    assert httpx.get(url).text == "second"

    back = json.loads(platform.paved("rollback", name, "--json").stdout)
    assert (back["enabled"], back["disabled"]) == (f"{name}-v000", f"{name}-v001")
    assert name in httpx.get(url).text
    assert enabled(platform, name) == [f"{name}-v000"]

    there = platform.paved("rollback", name, "--to", f"{name}-v001", "--capacity", "2")
    assert re.match(
        rf"The traffic of {name} goes to {name}-v001, version .+; it leaves {name}-v000, version 1\.0",
        there.stderr,
    )
    assert re.match(
        rf"{name} is served by {name}-v001, .+; off: {name}-v000, .+ It took [\d.]+ s", there.stdout
    )
    assert cluster(platform, name)["server_groups"][0]["desired"] == 2
    again = platform.paved("rollback", name).stdout
    assert again.startswith(f"{name} is again served by {name}-v000, version 1.0")

    guarded = platform.paved("disable", f"{name}-v000", check=False)
    assert guarded.returncode == 5
    assert "next: " in guarded.stderr

    platform.paved("enable", f"{name}-v001")
    assert set(enabled(platform, name)) == {f"{name}-v000", f"{name}-v001"}
    platform.paved("disable", f"{name}-v001")
    platform.paved("resize", f"{name}-v000", "1")
    large = platform.paved("resize", f"{name}-v000", "200", check=False)
    assert large.returncode == 2
    assert f"This would change {name}-v000 from 1 to 200 instances" in large.stderr
    assert "--yes" in large.stderr
    eventually(lambda: len(cluster(platform, name)["server_groups"][-1]["instances"]) == 1, within=60)
    assert 'GET / HTTP/1.1" 200' in platform.paved("logs", name).stdout
    assert len(platform.paved("logs", name, "-n", "2").stdout.splitlines()) == 2
    assert platform.paved("logs", name, "--lines", "0").stdout == ""

    platform.paved("destroy", f"{name}-v001", "--yes")
    assert name in [entry["name"] for entry in json.loads(platform.paved("applications", "--json").stdout)]
    assert name in platform.paved("images", name).stdout
    assert name in platform.paved("images", "list", name).stdout
    plan = json.loads(platform.paved("images", "prune", "--keep", "1000", "--dry-run", "--json").stdout)
    assert (plan["images"], plan["done"]) == ([], False)
    assert "0 images" in platform.paved("images", "prune", "--keep", "1000", "--yes").stdout
    assert f"{name}-v001" in platform.paved("deployments", "--cluster", name).stdout
    did = {
        (entry["action"], entry["outcome"])
        for entry in json.loads(platform.paved("audit", "-n", "1000", "--json").stdout)["entries"]
        if entry["subject"].startswith(name)
    }
    assert {("bake", "done"), ("deploy", "done"), ("rollback", "done"), ("disable", "refused")} <= did
    platform.paved("destroy", name, "--yes")
    eventually(lambda: platform.paved("clusters", name, check=False).returncode == 4, within=60)


def test_an_unchanged_folder_is_not_baked_again(platform: Platform, service: Path) -> None:
    first = json.loads(platform.paved("bake", str(service), "--json").stdout)
    again = json.loads(platform.paved("bake", str(service), "--json").stdout)
    anew = json.loads(platform.paved("bake", str(service), "--rebake", "--json").stdout)
    assert (first["reused"], again["reused"], anew["reused"]) == (False, True, False)
    assert again["image_id"] == first["image_id"] != anew["image_id"]


def test_a_version_that_crashes_fails_with_its_last_words(platform: Platform, service: Path) -> None:
    platform.paved("deploy", str(service))
    manifest = service / "paved.yaml"
    text = manifest.read_text()
    manifest.write_text(text.replace("exec python3", "echo the flux is missing; exit 3; python3"))
    failed = platform.paved("deploy", str(service), check=False)
    assert failed.returncode == 6
    assert "the flux is missing" in failed.stderr
    assert "status 3" in failed.stderr
    assert enabled(platform, service.name) == [f"{service.name}-v000"]
    platform.paved("destroy", service.name, "--yes")


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_a_command_that_is_ended_ends_its_bake_and_leaves_nothing_of_it(
    platform: Platform, service: Path, number: signal.Signals
) -> None:
    _build_with(service, f"echo begun in $PWD; sh -c 'sleep 600; true' {service.name}")
    with subprocess.Popen(
        [*PAVED, "deploy", str(service)], env=platform.environment, stderr=subprocess.PIPE, text=True
    ) as deploy:
        assert deploy.stderr
        begun = next(line for line in deploy.stderr if "begun in /" in line)
        deploy.send_signal(number)
        deploy.send_signal(number)
        assert "The bake was stopped" in deploy.stderr.read()
        assert deploy.wait(60) == 130
    folder = Path(begun.split("begun in ")[1].strip())
    assert folder.is_relative_to(platform.home)
    eventually(lambda: not folder.exists())
    eventually(lambda: not [it for it in platform.processes() if service.name in " ".join(it.cmdline())])
    assert json.loads(platform.paved("deployments", "--cluster", service.name, "--json").stdout) == []


@pytest.mark.slow
def test_a_bake_whose_platform_is_killed_is_asked_for_again_and_reads_wait(
    platform: Platform, service: Path
) -> None:
    _build_with(service, "test -e ~/begun || { touch ~/begun; echo begun; sleep 600; }")
    with subprocess.Popen(
        [*PAVED, "bake", str(service)],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as bake:
        assert bake.stderr
        next(line for line in bake.stderr if line.endswith(" begun\n"))
        os.kill(_control(platform), signal.SIGKILL)
        waited = platform.paved("clusters")
        said, _ = bake.communicate(timeout=150)
    assert "The platform is starting again; waiting for it." in waited.stderr
    assert (bake.returncode, service.name in platform.paved("images").stdout) == (0, True)
    assert said.startswith("ami-")


@pytest.mark.slow
def test_ctrl_c_while_following_leaves_the_deployment_going_on(platform: Platform, service: Path) -> None:
    manifest = service / "paved.yaml"
    manifest.write_text(manifest.read_text().replace("exec python3", "sleep 600; python3"))
    with subprocess.Popen(
        [*PAVED, "deploy", str(service)], env=platform.environment, stderr=subprocess.PIPE, text=True
    ) as deploy:
        assert deploy.stderr
        for line in deploy.stderr:
            if "healthy" in line:
                break
        deploy.send_signal(signal.SIGINT)
        said = deploy.stderr.read()
        assert deploy.wait(60) == 130
    assert "goes on without you" in said
    [running] = json.loads(platform.paved("deployments", "--cluster", service.name, "--json").stdout)
    assert f"paved cancel {running['id']}" in said

    refused = platform.paved("deploy", str(service), check=False)
    assert refused.returncode == 5
    platform.paved("cancel", running["id"])
    ended = platform.paved("deployments", running["id"], "--follow", check=False)
    assert ended.returncode == 6
    assert "cancelled" in ended.stderr
    assert platform.paved("clusters", service.name, check=False).returncode == 4


@pytest.mark.slow
def test_a_deployment_is_followed_over_the_death_of_the_control_process(
    platform: Platform, service: Path
) -> None:
    manifest = service / "paved.yaml"
    manifest.write_text(manifest.read_text().replace("exec python3", "sleep 5; exec python3"))
    with subprocess.Popen(
        [*PAVED, "deploy", str(service), "--json"],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as deploy:
        eventually(
            lambda: json.loads(platform.paved("deployments", "--cluster", service.name, "--json").stdout),
            within=60,
        )
        os.kill(_control(platform), signal.SIGKILL)
        said, _ = deploy.communicate(timeout=150)
    assert deploy.returncode == 0
    assert json.loads(said)["phase"] == "succeeded"
    assert [group["name"] for group in cluster(platform, service.name)["server_groups"]] == [
        f"{service.name}-v000"
    ]
    platform.paved("destroy", service.name, "--yes")


def test_tokens_are_made_used_and_revoked(platform: Platform) -> None:
    made = json.loads(platform.paved("token", "create", "reader", "--role", "viewer", "--json").stdout)
    reader = {"PAVED_TOKEN": made["secret"]}
    assert platform.paved("clusters", **reader).returncode == 0
    refused = platform.paved("destroy", "nothing", "--yes", check=False, **reader)
    assert refused.returncode == 7
    platform.paved("token", "revoke", made["token"]["id"])
    assert platform.paved("clusters", check=False, **reader).returncode == 7
    assert made["secret"] not in platform.paved("token", "list").stdout


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["rollback", "nowhere"], 4),
        (["logs", "nowhere"], 4),
        (["logs", "i-nowhere"], 4),
        (["clusters", "nowhere"], 4),
        (["images", "nowhere"], 4),
        (["enable", "nowhere-v000"], 4),
        (["cancel", "dep-nothing"], 4),
        (["token", "revoke", "tok-nothing"], 4),
        (["resize", "nowhere-v000", "2", "--min", "3"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_there_is_said_in_a_sentence(platform: Platform, command: list[str], code: int) -> None:
    done = platform.paved(*command, check=False)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].endswith(".")


def test_status_and_open_say_where(platform: Platform) -> None:
    said = platform.paved("status").stdout
    assert "services listen" in said
    assert "0.0.0.0" in said
    assert platform.url in said
    assert platform.endpoint in said
    url = platform.paved("open").stdout.strip()
    assert url.startswith(f"{platform.url}/login#once_")
    with httpx.Client(headers={"Origin": platform.url}) as client:
        shown = client.post(f"{platform.url}/login", data={"token": url.partition("#")[2]})
        assert shown.status_code == 303
        assert client.get(platform.url).status_code == 200


def test_clusters_may_be_watched(platform: Platform) -> None:
    with subprocess.Popen(
        [*PAVED, "clusters", "--watch"], env=platform.environment, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout
        assert watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130


def test_files_that_share_a_folder_are_one_image_with_a_version_that_says_what_of_git_it_is(
    platform: Platform, service: Path
) -> None:
    text = (service / "paved.yaml").read_text()
    (service / "prod.yaml").write_text(f"{text}stack: prod\n")
    git = ["git", "-C", str(service), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    first = json.loads(platform.paved("bake", "paved.yaml", "--json", cwd=service).stdout)
    second = json.loads(platform.paved("bake", str(service / "prod.yaml"), "--json").stdout)
    assert (second["image_id"], second["reused"]) == (first["image_id"], True)
    (service / "new.txt").write_text("new")
    dirty = json.loads(platform.paved("bake", str(service), "--json").stdout)
    assert dirty["version"].startswith(f"{first['version']}+dirty.")
    assert dirty["version"] in platform.paved("images", service.name).stdout


def test_a_manifest_by_a_json_tool_ships_and_a_cluster_is_destroyed_with_the_deployment_under_way(
    platform: Platform, tmp_path: Path
) -> None:
    name = f"cli{uuid.uuid4().hex[:8]}"
    words = {"application": name, "owner": "me", "command": "exec sleep 100", "capacity": 1}
    text = json.dumps({**words, "environment": {"A": "\U0001f600"}}, indent="\t")
    assert "\\ud83d\\ude00" in text
    (tmp_path / "paved.yaml").write_text(text)
    platform.paved("deploy", "--no-follow", cwd=tmp_path)
    gone = platform.paved("destroy", name, "--yes")
    assert gone.stdout == f"Deleted the cluster {name} with all its server groups.\n"
    (ended,) = json.loads(platform.paved("deployments", "--cluster", name, "--json").stdout)
    assert ended["phase"] == "cancelled"
    assert platform.paved("clusters", name, check=False).returncode == 4
