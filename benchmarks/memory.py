"""What `paved up` takes of the machine's memory, by process: idle, and with a service of three instances.

Shared pages count in each process's resident memory, and by their share in its proportional memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.running_platform import Platform

ROOT = Path(__file__).resolve().parents[1]
_MEGABYTE = 1_000_000
_PARTS = {
    "pavedroad.platform.supervisor": "supervisor",
    "pavedroad.platform.control": "platform",
    "pavedroad.localcloud": "cloud's launcher",
    "pavedroad.localcloud.api": "cloud's API",
    "pavedroad.localcloud.host": "cloud's host",
}


class Taken(NamedTuple):
    resident: int
    proportional: int


def _part(process: psutil.Process) -> str:
    command = process.cmdline()
    named = next((_PARTS[word] for word in command if word in _PARTS), "")
    if named:
        return named
    if any("nursery" in word for word in command):
        return "nursery"
    return "Envoy" if "envoy" in Path(process.exe()).name else "instances"


def _memory(processes: Iterable[psutil.Process]) -> dict[str, Taken]:
    found: dict[str, Taken] = {}
    for process in processes:
        used, part = process.memory_full_info(), _part(process)
        before = found.get(part, Taken(0, 0))
        found[part] = Taken(before.resident + used.rss, before.proportional + used.pss)
    return found


def _print(title: str, found: dict[str, Taken]) -> None:
    print(f"\n| {title} | resident | proportional |\n|---|---|---|")
    own = Taken(0, 0)
    for part, taken in sorted(found.items()):
        print(f"| {part} | {taken.resident / _MEGABYTE:.0f} MB | {taken.proportional / _MEGABYTE:.0f} MB |")
        if part != "instances":
            own = Taken(own.resident + taken.resident, own.proportional + taken.proportional)
    print(
        f"| all but instances | {own.resident / _MEGABYTE:.0f} MB | {own.proportional / _MEGABYTE:.0f} MB |"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="paved-home-") as folder:
        platform = Platform(Path(folder))
        try:
            platform.start()
            _print("idle", _memory(platform.processes()))
            platform.paved("deploy", str(ROOT / "examples" / "hello"))
            _print("with three instances", _memory(platform.processes()))
        finally:
            platform.stop()


if __name__ == "__main__":
    main()
