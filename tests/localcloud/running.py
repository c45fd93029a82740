"""A private cloud of a test's own: the real launcher, with its real processes, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
from botocore.config import Config

from pavedroad.core import cloud_key
from pavedroad.core.cloud_key import CloudKey
from pavedroad.core.places import KEY_FILE
from tests.localcloud.signing import by, client_of
from tests.waiting import eventually


class RunningCloud:
    """`start`, `stop` and `kill` may be called as often as a test likes; the port stays the same."""

    def __init__(self, home: Path, port: int = 0, *options: str, before: Sequence[str] = ()) -> None:
        self.home = home
        self.before = before
        """What comes before its command, as for another user."""
        self.options = options
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> CloudKey:
        """The cloud's own, as whoever may read its folder has it."""
        return cloud_key.read(self.home / KEY_FILE)

    def session(self) -> boto3.Session:
        """With the cloud's key; its clients need the endpoint yet."""
        return boto3.Session(self.key.access_key_id, self.key.secret_access_key)

    @property
    def signed(self) -> httpx.Auth:
        """For requests of httpx to what is the cloud's own."""
        return by(self.key)

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def _log_path(self) -> Path:
        return self.home.with_name(f"{self.home.name}.log")

    def start(self) -> None:
        """Returns when the cloud is ready."""
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*self.before, sys.executable, "-m", "pavedroad.localcloud", "--home", self.home),
                    *("--port", str(self.port), *self.options),
                ],
                stdout=log,
                stderr=log,
            )
        record = eventually(self._record, within=60) or {}
        self.port = int(record["endpoint"].rpartition(":")[2])

    def stop(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def ended(self) -> int:
        """The launcher's status, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(60)

    def kill(self) -> None:
        """The launcher alone, with -9: the rest must end by itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def part(self, name: str, other_than: psutil.Process | None = None) -> psutil.Process:
        """Its `api` or `host` process, awaited: after a crash there is none for a moment."""
        return eventually(lambda: self._parts(f"pavedroad.localcloud.{name}", other_than), within=60)[0]

    def _parts(self, module: str, other_than: psutil.Process | None) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):
                if child != other_than and module in child.cmdline():
                    found.append(child)
        return found

    @property
    def health(self) -> dict[str, Any]:
        """What the cloud says of itself."""
        with urllib.request.urlopen(f"{self.endpoint}/_pavedroad/health", timeout=30) as answer:
            return json.loads(answer.read())

    def client(self, service: str, region: str = "us-east-1") -> Any:
        config = Config(retries={"max_attempts": 1}, connect_timeout=10, read_timeout=60)
        return client_of(service, self.endpoint, self.key, region, config)

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """For an AWS command line: nothing but the endpoint, and the cloud's key."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_DEFAULT_REGION": region,
            "AWS_PAGER": "",
        }

    def _record(self) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.poll() is None, f"the cloud has ended:\n{self.log[-4000:]}"
        try:
            record = json.loads((self.home / "cloud.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return record if record["pid"] == self._process.pid else None


@contextmanager
def running_cloud(home: Path, *options: str, before: Sequence[str] = ()) -> Generator[RunningCloud]:
    cloud = RunningCloud(home, 0, *options, before=before)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()
