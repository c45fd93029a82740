"""What passes an instance's own network is counted, to its end and whoever it was with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually

BLOCK = 61
"""One that a cloud of these tests is unlikely to have."""
ASK = "for n in $(seq 20); do curl -s -o /dev/null http://169.254.169.254/latest/meta-data/instance-id; done"


@pytest.mark.slow
def test_bytes_and_packets_are_counted_to_the_end(namespaces: None, tmp_path: Path) -> None:
    machine = Machine(tmp_path, "--network", "namespaces", "--block", str(BLOCK))
    try:
        stays, ends = guest(f"{ASK}; sleep 1000"), guest(ASK)
        machine.want(stays, ends)
        machine.ended(ends)
        link = machine.measured(ends).link
        assert link is not None
        assert not machine.measured(ends).running
        # Each answer is larger than a hundred bytes, and a connection has several packets each way.
        assert 2_000 < link.received_bytes < 100_000
        assert 60 <= link.received_packets < 1000
        assert link.sent_bytes > 2_000
        assert link.sent_packets >= 60

        def counted() -> bool:
            now = machine.measured(stays).link
            return now is not None and now.received_packets >= 60

        eventually(counted)
    finally:
        machine.close()
