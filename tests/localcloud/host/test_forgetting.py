"""An ended guest that nobody wants loses its disk soon, and is forgotten later; a stopped one keeps all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pavedroad.localcloud.host.guests import Guests
from pavedroad.localcloud.host.limits import Limiter
from pavedroad.localcloud.host.meter import Meter
from pavedroad.localcloud.host.supervision import Supervision
from pavedroad.localcloud.wanted import GuestStatus
from tests.localcloud.host.machine import ENDPOINT, Machine, guest
from tests.waiting import eventually, eventually_async


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
        Meter(Limiter(tmp_path)),
        changed=nothing,
        forgotten=forgotten.append,
        gone=gone.append,
        forget_seconds=0.2,
        disk_seconds=0.1,
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


def test_a_stopped_guest_keeps_its_disk_over_hosts_until_it_is_no_longer_wanted(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home")
    it, other = guest("sh -c 'echo $(cat kept); echo mine > kept; exec sleep 1000'"), guest("sleep 1000")
    kept = machine.home / "instances" / it.id / "root" / "kept"
    try:
        machine.want(it, other)
        machine.running(it)
        eventually(kept.exists)
        machine.want(replace(it, running=False))
        machine.ended(it)
        machine.process.kill()
        machine.process.wait(10)
    finally:
        machine.close()
    machine = Machine(tmp_path / "home")
    try:
        machine.want(replace(it, running=False))
        assert machine.status(it).state == "exited"
        machine.want(it := replace(it, boot=2))
        machine.running(it, boot=2)
        machine.printed(it, "mine")
        assert machine.console(it)
        machine.drop(it)
        machine.ended(it, boot=2)
        eventually(lambda: not kept.parent.exists())
        assert "mine" in machine.console(it)
        eventually(lambda: not (machine.home / "instances" / other.id).exists())
    finally:
        machine.close()
