"""The API process by itself, without a launcher and without a host: as fast to start as it is to kill."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config

from pavedroad.core import cloud_key
from pavedroad.core.places import KEY_FILE
from pavedroad.localcloud.blocks import recorded
from tests.localcloud.signing import client_of
from tests.waiting import eventually

RELEASED = Path(__file__).parents[1] / "released"


def released(form: str, folder: Path) -> Path:
    """A home as it was left by the version that had that form."""
    home = folder / "home"
    with tarfile.open(RELEASED / f"{form}.tar.xz") as archive:
        # Python before 3.11.4 knows no filters; 3.12 warns where none is named.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(home)
    return home


class AloneApi:
    """Its port stays open while it is killed and started again: calls wait in it."""

    def __init__(self, home: Path, before: Sequence[str] = ()) -> None:
        self.home = home
        self.before = before
        block = recorded(home)
        self.block = str(block.number) if block else "62"
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.refusal = home.with_name("refusal")
        self.log_path = home.with_name("api.log")
        home.mkdir(parents=True, exist_ok=True)
        self.key = cloud_key.ensure(home / KEY_FILE)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def begin(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(*self.before, sys.executable, "-m", "pavedroad.localcloud.api", "--home", self.home),
                    *("--host-socket", self.home / "none.sock", "--block", self.block),
                    *(
                        "--listen",
                        str(self.listening.fileno()),
                        "--refusal",
                        self.refusal,
                        "--fresh",
                        "--open",
                    ),
                ],
                pass_fds=[self.listening.fileno()],
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> None:
        """Returns when it answers."""
        self.begin()
        eventually(self._answers, within=60)

    def refuses(self) -> tuple[int, list[str]]:
        """It ends by itself: its status, and the sentence and next step that it leaves."""
        status = self.begin().wait(60)
        return status, json.loads(self.refusal.read_text()) if self.refusal.exists() else []

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    @property
    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/_pavedroad/health", timeout=60) as answer:
            return json.loads(answer.read())

    def client(self, service: str, region: str = "us-east-1") -> Any:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)
        return client_of(service, self.endpoint, self.key, region, config)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it has ended:\n{self.log[-4000:]}"
        return bool(self.health)


@contextmanager
def api_alone(home: Path, before: Sequence[str] = ()) -> Generator[AloneApi]:
    """Not started yet."""
    api = AloneApi(home, before)
    try:
        yield api
    finally:
        api.stop()
        api.listening.close()


def copied(home: Path, folder: Path) -> Path:
    return Path(shutil.copytree(home, folder / "home"))
