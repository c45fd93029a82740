"""A disk that is full fails the guest that needs it, with a sentence, and no other."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud.host.layers import put_layer
from tests.localcloud.host.machine import Machine, guest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip(
            "needs to mount a small file system: run the tests as root to prove what a full disk does"
        )
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_fails_the_guest_that_needs_it(small_disk: Path) -> None:
    machine = Machine(small_disk / "cloud")
    try:
        other = guest("while :; do echo still; sleep 0.1; done")
        machine.want(other)
        machine.running(other)
        layer = put_layer(machine.home, {"big": os.urandom(1_500_000)})
        guests = [guest("sleep 1000", layers=(layer,)) for _ in range(2)]
        machine.want(*guests)
        for it in guests:
            ended = machine.ended(it)
            assert ended.state == "failed"
            assert ended.reason.startswith("could not start: ")
            assert "No space left on device" in ended.reason
        assert machine.status(other).state == "running"
    finally:
        machine.close()
