"""A bakery over a cloud in memory, and its images booted as the private cloud's host boots them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import textwrap
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pavedroad.access.model import Principal, Role
from pavedroad.bakery.model import BakeResult
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.memory import MemoryCloud
from pavedroad.localcloud.host.nursery.launch import shell_line
from pavedroad.localcloud.host.nursery.messages import Part
from pavedroad.localcloud.host.nursery.root import prepare
from pavedroad.localcloud.host.unpack import unpack
from pavedroad.manifest.loading import load
from tests.waiting import eventually

WHO = Principal("ada", frozenset({Role.DEPLOYER}))


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text).lstrip())
    return folder


class Kitchen:
    """What tests bake in: each source is a folder with a `paved.yaml`."""

    def __init__(self, bakery: Bakery, cloud: MemoryCloud, home: Path) -> None:
        self.bakery = bakery
        self.cloud = cloud
        self.lines: list[str] = []
        self.home = home
        self._roots = 0

    async def bake(self, source: Path, **options: Any) -> BakeResult:
        self.lines = []
        return await self.bakery.bake(WHO, load(source), source, report=self.lines.append, **options)

    async def image_manifest(self, result: BakeResult) -> dict[str, Any]:
        name = (await self.cloud.image(result.image_id)).name
        return json.loads(await self.cloud.get_object(f"images/{name}.json"))

    async def root(self, result: BakeResult) -> Path:
        """The image's root, unpacked and laid out by the host's own code."""
        manifest = await self.image_manifest(result)
        parts: list[Part] = []
        for layer in manifest["layers"]:
            name = layer["digest"].removeprefix("sha256:")
            archive, folder = self.home / f"{name}.tar.zst", self.home / name
            if not folder.exists():
                archive.write_bytes(await self.cloud.get_object(layer["key"]))
                unpack(archive, folder)
            parts.append(Part(str(folder), layer["path"], layer["shared"]))
        self._roots += 1
        return Path(prepare(str(self.home / f"instance-{self._roots}"), parts))

    @contextmanager
    def booted(self, root: Path, manifest: dict[str, Any]) -> Generator[str]:
        """The service's URL; it has nothing of this process's environment."""
        port = free_port()
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(root),
            **manifest["environment"],
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        with (root.parent / "console.log").open("wb") as console:
            process = subprocess.Popen(
                shell_line(manifest["command"]),
                cwd=root,
                env=environment,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        try:
            eventually(lambda: _listens(process, port, root), within=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def left_in(builds: Path) -> list[Path]:
    """Of bakes that have ended, besides what the next ones find again."""
    return [place for place in builds.iterdir() if place.name not in ("homes", "fetched")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def _listens(process: subprocess.Popen[bytes], port: int, root: Path) -> bool:
    said = (root.parent / "console.log").read_text(errors="replace")
    assert process.poll() is None, f"ended with {process.returncode}: {said}"
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
