"""An ended guest that nobody wants is remembered for a while, then forgotten with its disk."""

from __future__ import annotations

from pathlib import Path

from pavedroad.localcloud.host.guests import Guests
from pavedroad.localcloud.host.supervision import Supervision
from pavedroad.localcloud.wanted import GuestStatus
from tests.localcloud.host.machine import ENDPOINT, guest
from tests.waiting import eventually_async


async def test_an_ended_guest_is_forgotten_with_its_disk_and_so_is_what_an_earlier_host_left(
    tmp_path: Path,
) -> None:
    def nothing(_: str) -> None: ...

    forgotten: list[str] = []
    gone: list[str] = []
    supervision = Supervision(lambda: None)
    guests = Guests(
        tmp_path,
        ENDPOINT,
        supervision,
        changed=nothing,
        forgotten=forgotten.append,
        gone=gone.append,
        forget_seconds=0.2,
    )
    await supervision.start()
    try:
        left = tmp_path / "instances" / "i-of-an-earlier-host"
        left.mkdir()
        it, other = guest("sleep 1000"), guest("sleep 1000")
        guests.want((it, other))

        async def states() -> set[str]:
            return {status.state for status in guests.statuses().values()}

        async def both_run() -> bool:
            return await states() == {"running"}

        await eventually_async(both_run)
        guests.change({it.id: None})

        async def status() -> GuestStatus | None:
            return guests.statuses().get(it.id)

        async def is_forgotten() -> bool:
            return await status() is None and not (tmp_path / "instances" / it.id).exists()

        await eventually_async(is_forgotten)
        assert (forgotten, gone) == ([it.id], [it.address])

        async def left_is_removed() -> bool:
            return not left.exists()

        await eventually_async(left_is_removed)
        assert guests.statuses()[other.id].state == "running"
        assert (tmp_path / "instances" / other.id / "root").is_dir()
        await guests.stop_all(5)
    finally:
        await supervision.close()
