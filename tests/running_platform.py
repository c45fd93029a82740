"""A whole platform for tests: real processes on free ports, in a home of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil

from pavedroad.core import cloud_key
from pavedroad.core.cloud_key import CloudKey
from pavedroad.core.places import Places
from tests.waiting import eventually

PAVED = (sys.executable, "-m", "pavedroad.cli.main")
_LEFT_OUT = ("AWS_", "PAVED_")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Platform:
    """What `paved up` runs for one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.cloud_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoint = f"http://127.0.0.1:{self.cloud_port}"

    @property
    def token(self) -> str:
        return (self.home / "token").read_text().strip()

    @property
    def key(self) -> CloudKey:
        """The private cloud's own."""
        return cloud_key.read(Places(self.home).cloud_key)

    @property
    def environment(self) -> dict[str, str]:
        """For processes of the tests; nothing of the machine's own settings is in it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        return ours | {
            "PAVED_HOME": str(self.home),
            "PAVED_PORT": str(self.port),
            "PAVED_CLOUD_PORT": str(self.cloud_port),
            "NO_COLOR": "1",
        }

    def paved(
        self, *arguments: str, check: bool = True, cwd: Path | None = None, timeout: float = 170, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; with `check`, it must succeed."""
        done = subprocess.run(
            [*PAVED, *arguments],
            env=self.environment | env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, (
                f"paved {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def client(self, **headers: str) -> httpx.Client:
        """The HTTP API, with the administrator's token."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=bearer | headers, timeout=60, trust_env=False)

    def aws(self, service: str, region: str = "us-east-1") -> Any:
        """boto3, with nothing of ours but the endpoint."""
        return boto3.client(  # pyright: ignore[reportUnknownMemberType]
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key.access_key_id,
            aws_secret_access_key=self.key.secret_access_key,
        )

    def start(self) -> None:
        self.paved("up", "--detach")

    def stop(self) -> None:
        """`paved down`, which must leave nothing."""
        try:
            self.paved("down")
            assert not self.processes()
        finally:
            for process in self.processes():
                with suppress(psutil.Error):
                    process.kill()

    def processes(self) -> list[psutil.Process]:
        """Whatever runs for this home: told by its environment, its arguments or its folder."""
        home = str(self.home)
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                belongs = process.environ().get("PAVED_HOME") == home or process.cwd().startswith(home)
                if belongs or any(home in part for part in process.cmdline()):
                    found.append(process)
        return found

    def nothing_left(self, within: float = 20) -> None:
        eventually(lambda: not self.processes(), within=within)
