"""Ways in which the files of a home are damaged, and a home that has all of them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.running_platform import Platform

Damage = Callable[[Path], None]


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garbled(path: Path) -> None:
    path.write_bytes(b"\x00\xffgarbage\n" * 200)


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def linked_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nonexistent/elsewhere")


def removed(path: Path) -> None:
    path.unlink()


def used(platform: Platform) -> None:
    """Fill the home by use, and end it by kill -9, which leaves the most behind."""
    platform.start()
    s3, watch = platform.aws("s3"), platform.aws("cloudwatch")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="key", Body=os.urandom(50_000))
    points = [{"MetricName": f"m{number}", "Value": 1.0} for number in range(300)]
    for _ in range(2):
        watch.put_metric_data(Namespace="Kept", MetricData=points)
    tree = platform.processes()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
    psutil.wait_procs(tree, timeout=30)


def files(home: Path) -> Iterator[str]:
    """All that are written by the platform itself."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(home))


def restored(whole: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(whole, home, symlinks=True)
