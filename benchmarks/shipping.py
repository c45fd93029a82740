"""What a developer waits for: a deploy beside the service's own boot, a rollback, a killed instance.

Runs a whole platform in a home of its own on free ports, with `examples/hello` as the service.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.load import Load, Report
from tests.running_platform import Platform

ROOT = Path(__file__).resolve().parents[1]
NAME = "hello"
HEALTH_INTERVAL = 1.0


def boot_seconds(folder: Path, address: str = "127.0.0.77", port: int = 18080) -> float:
    """From starting the service's command by hand to its first good health answer."""
    environment = {**os.environ, "HOST": address, "PORT": str(port)}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "serve.py"], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                if httpx.get(f"http://{address}:{port}/healthz", trust_env=False).status_code == 200:
                    return time.monotonic() - started
            except httpx.ConnectError:
                assert process.poll() is None
    finally:
        process.terminate()
        process.wait()


def _cluster(platform: Platform) -> dict[str, object]:
    return json.loads(platform.paved("clusters", NAME, "--json").stdout)[0]


def _load(url: str) -> Load:
    where = urlsplit(url)
    assert where.hostname
    return Load(where.hostname, where.port or 80, connections=16, path="/version")


def _bake_and_deploy(platform: Platform, folder: Path, version: str) -> tuple[float, float]:
    """Seconds of the bake, and of the deploy with the image baked."""
    (folder / "version.txt").write_text(version)
    started = time.monotonic()
    image = json.loads(platform.paved("bake", str(folder), "--version", version, "--json").stdout)["image_id"]
    baked = time.monotonic()
    platform.paved("deploy", str(folder), "--image", image)
    return baked - started, time.monotonic() - baked


def _empty_command(platform: Platform) -> float:
    """What a command line that only asks costs, so that it can be told from the deploy."""
    started = time.monotonic()
    platform.paved("status", "--json")
    return time.monotonic() - started


def _rollback(platform: Platform, url: str) -> tuple[float, float, Report]:
    """Seconds from the request until no client saw the old version any more, the call's own, the load."""
    with _load(url) as load, platform.client() as client:
        time.sleep(2)
        asked = time.monotonic()
        client.post(f"/v1/clusters/{NAME}/rollback", json={}).raise_for_status()
        answered = time.monotonic()
        time.sleep(2)
        report = load.stop()
    last = report.last("2.0.0", asked - 1)
    assert last is not None
    return last - asked, answered - asked, report


def _kill_one(platform: Platform, url: str) -> tuple[float, Report]:
    """Seconds until three are healthy again after one was killed with -9 under load."""
    groups = _cluster(platform)["server_groups"]
    assert isinstance(groups, list)
    serving = next(group for group in groups if group["enabled"])
    victim = serving["instances"][0]
    [process] = [
        found
        for found in platform.processes()
        if "serve.py" in found.cmdline() and found.environ().get("PAVED_INSTANCE_ID") == victim["id"]
    ][:1]
    with _load(url) as load, platform.client() as client:
        time.sleep(2)
        killed = time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        while True:
            group = client.get(f"/v1/server-groups/{serving['name']}").json()
            well = [one["id"] for one in group["instances"] if one["health"] == "healthy"]
            if len(well) == 3 and victim["id"] not in well:
                break
            time.sleep(0.05)
        whole = time.monotonic() - killed
        time.sleep(1)
        return whole, load.stop()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="paved-bench-") as home:
        platform = Platform(Path(home) / "home")
        folder = Path(home) / NAME
        shutil.copytree(ROOT / "examples" / NAME, folder)
        try:
            started = time.monotonic()
            platform.start()
            print(f"paved up --detach: {time.monotonic() - started:.1f} s")
            _measure(platform, folder)
        finally:
            platform.stop()


def _measure(platform: Platform, folder: Path) -> None:
    boots = sorted(boot_seconds(folder) for _ in range(5))
    boot = boots[2]
    _, first = _bake_and_deploy(platform, folder, "1.0.0")
    bake, second = _bake_and_deploy(platform, folder, "2.0.0")
    command = _empty_command(platform)
    allowed = 1.5 * boot + HEALTH_INTERVAL
    print(f"boot of the service alone: {boot:.2f} s (median of 5); a command that only asks: {command:.2f} s")
    print(f"bake of changed source: {bake:.2f} s")
    for which, seconds in (("first deploy", first), ("deploy beside", second)):
        net = seconds - command
        print(
            f"{which}: {seconds:.2f} s, {net:.2f} s without the command line's own start; "
            f"{net / boot:.1f} x boot; 1.5 x boot + one interval would be {allowed:.2f} s"
        )
    url = str(_cluster(platform)["url"])
    visible, call, report = _rollback(platform, url)
    print(
        f"rollback under load: {visible * 1000:.0f} ms to the last old answer ({call * 1000:.0f} the call), "
        f"{report.failed} failed of {report.requests} requests"
    )
    whole, report = _kill_one(platform, url)
    print(
        f"one of three killed with -9: {report.failed} failed of {report.requests} requests "
        f"{report.failures or ''}; three healthy again after {whole:.1f} s"
    )
    print(f"platform's processes: {_memory(platform):.0f} MB resident")


def _memory(platform: Platform) -> float:
    ours = [process for process in platform.processes() if "pavedroad" in " ".join(process.cmdline())]
    sizes = [psutil.Process(process.pid).memory_info().rss for process in ours]
    return sum(sizes) / 2**20


if __name__ == "__main__":
    main()
