"""A disk that is full fails the guest that needs it, with a sentence, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud.host.layers import put_layer
from tests.localcloud.host.machine import Machine, guest
from tests.localcloud.small_disks import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 4) as mounted:
        yield mounted


def test_a_full_disk_fails_the_guest_that_needs_it(disk: Path) -> None:
    machine = Machine(disk / "cloud")
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
