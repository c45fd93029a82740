"""100,000 launches and terminations leave nothing behind: no memory, no addresses, no records."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pavedroad.localcloud.autoscaling.journal import MOST

LAUNCHES = 100_000


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_100_000_launches_and_terminations_leave_memory_and_addresses_flat() -> None:
    """In a process of its own, so that all its memory is theirs."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.localcloud.whole.fast_forward", str(LAUNCHES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    found = json.loads(ran.stdout)
    first, halfway, last = found["first"], found["halfway"], found["last"]
    sys.stdout.write(json.dumps({name: {**one, "ec2": "..."} for name, one in found.items()}, indent=1))
    assert last["launched"] == LAUNCHES
    assert last["ec2"] == first["ec2"], "instances, volumes, interfaces, tags, reservations"
    assert (last["used addresses"], last["guests"]) == (0, 0)
    for found_then in (halfway, last):  # a group's log is cut to its bound when it is a tenth over it
        assert MOST <= found_then["activities"] <= MOST + MOST // 10
    assert 0 < last["alarm history"] <= halfway["alarm history"] * 1.02 + 2
    assert last["objects"] < halfway["objects"] * 1.03
    assert last["rss"] < halfway["rss"] * 1.05
