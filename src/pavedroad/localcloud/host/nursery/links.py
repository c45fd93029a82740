"""What has passed a guest's own link, as the kernel counts it."""

from __future__ import annotations

from typing import NamedTuple

from pavedroad.localcloud.host.nursery.cage import read

_LINK = b"eth0:"
_BYTES_IN, _PACKETS_IN, _BYTES_OUT, _PACKETS_OUT = 0, 1, 8, 9
"""Of the numbers after a link's name."""


class Passed(NamedTuple):
    """Since the guest's boot, as the guest sees it."""

    received_bytes: int = 0
    received_packets: int = 0
    sent_bytes: int = 0
    sent_packets: int = 0


def passed(pid: int) -> Passed | None:
    """In the network of this process; raises `OSError` where it is gone."""
    for line in read(f"/proc/{pid}/net/dev").splitlines():
        name, *numbers = line.split()
        if name == _LINK:
            return Passed(
                int(numbers[_BYTES_IN]),
                int(numbers[_PACKETS_IN]),
                int(numbers[_BYTES_OUT]),
                int(numbers[_PACKETS_OUT]),
            )
    return None
