"""Where this machine lets the host make control groups: version 2, else version 1, else nowhere."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pavedroad.core.files import write_whole
from pavedroad.localcloud.host.nursery.cage import CONTROLLERS, Bounds, Cage

_NEEDED = frozenset({"cpu", "memory", "pids"})
"""Controllers of version 2; it counts time and freezes without any."""
_WELCOME = "io"
"""One that counts what disks do."""
_RECORD = "cgroups.json"
_TRIAL = "trial"
_JOIN = 'for group; do echo 0 2>/dev/null > "$group/cgroup.procs" || exit 1; done'
_PATIENCE = 5.0
_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The parents of all guests' groups of one home: one in each hierarchy, or one in all."""

    version: Literal[1, 2]
    parents: tuple[Path, ...]

    def cage(self, name: str) -> Cage:
        """The group of this name, which is there once it is made."""
        parents = self.parents * len(CONTROLLERS) if self.version == 2 else self.parents
        cpu, cpuacct, memory, pids, freezer = (str(parent / name) for parent in parents)
        return Cage(self.version, cpu, cpuacct, memory, pids, freezer)

    def end(self) -> int:
        """End whatever runs in any of the groups, and take them away; gives how many processes there were."""
        deadline = time.monotonic() + _PATIENCE
        ended = 0
        names = {it.name for parent in self.parents for it in _below(parent)}
        while names and time.monotonic() < deadline:
            for name in tuple(names):
                cage = self.cage(name)
                ended += len(cage.processes())
                if not cage.kill() and cage.remove():
                    names.discard(name)
            if names:
                time.sleep(_PAUSE)
        return ended


def find(home: Path) -> ControlGroups | None:
    """Groups of this home's own. Where one control of guests is not to be had, none is used: what holds is
    then said in one word. A record is left in the home, by which the next host finds what this one leaves."""
    name = f"pavedroad-{digest(home)}"
    hierarchies = _hierarchies()
    groups = _version_2(hierarchies, name) or _version_1(hierarchies, name)
    if groups is not None:
        try:
            write_whole(home / _RECORD, json.dumps([groups.version, *map(str, groups.parents)]).encode())
        except OSError:
            _remove(groups.parents)
            return None
    return groups


def digest(home: Path) -> str:
    """What a home's groups are named by."""
    return hashlib.blake2b(str(home).encode(), digest_size=6).hexdigest()


def sweep(home: Path) -> int:
    """`ControlGroups.end` for those that an earlier host of this home has left, and their parents go too."""
    record = home / _RECORD
    with suppress(OSError, ValueError, LookupError, TypeError):
        saved = cast("list[Any]", json.loads(record.read_text()))
        groups = ControlGroups(2 if saved[0] == 2 else 1, tuple(Path(it) for it in saved[1:]))
        ended = groups.end()
        _remove(groups.parents)
        record.unlink()
        return ended
    return 0


def _version_2(hierarchies: dict[str, Path], name: str) -> ControlGroups | None:
    """Below our own group, or the nearest above it that hands the controllers on: groups that have processes
    of their own may not."""
    own = hierarchies.get("")
    if own is None or not _words(own / "cgroup.controllers") >= _NEEDED:
        return None
    for place in (own, *own.parents):
        if not (place / "cgroup.procs").exists():
            return None
        groups = ControlGroups(2, (place / name,))
        if _hands_on(place) and _made(groups.parents):
            if _hands_on(place / name) and _may_join(groups):
                return groups
            _remove(groups.parents)
    return None


def _version_1(hierarchies: dict[str, Path], name: str) -> ControlGroups | None:
    places = [hierarchies.get(controller) for controller in CONTROLLERS]
    parents = tuple(place / name for place in places if place is not None)
    if len(parents) < len(CONTROLLERS) or not _made(parents):
        return None
    groups = ControlGroups(1, parents)
    if _may_join(groups):
        return groups
    _remove(parents)
    return None


def _hands_on(group: Path) -> bool:
    """Whether groups below this one get the controllers, asked for where they do not yet."""
    control = group / "cgroup.subtree_control"
    if lacking := _NEEDED - _words(control):
        with suppress(OSError):
            control.write_text(" ".join(f"+{controller}" for controller in sorted(lacking)))
    if _WELCOME in _words(group / "cgroup.controllers") - _words(control):
        with suppress(OSError):
            control.write_text(f"+{_WELCOME}")
    return _words(control) >= _NEEDED


def _made(parents: tuple[Path, ...]) -> bool:
    try:
        for parent in parents:
            parent.mkdir(exist_ok=True)
    except OSError:
        _remove(parents)
        return False
    return True


def _may_join(groups: ControlGroups) -> bool:
    """Tried by a process of its own, since being let make a group is not being let into it."""
    trial = groups.cage(_TRIAL)
    try:
        trial.make(Bounds())
        joined = subprocess.run(["/bin/sh", "-c", _JOIN, "join", *trial.folders], check=False)
    except OSError:
        return False
    return trial.remove() and joined.returncode == 0


def _remove(parents: tuple[Path, ...]) -> None:
    for parent in parents:
        with suppress(OSError):
            parent.rmdir()


def _below(parent: Path) -> list[Path]:
    with suppress(OSError):
        return [it for it in parent.iterdir() if it.is_dir()]
    return []


def _words(path: Path) -> set[str]:
    with suppress(OSError):
        return set(path.read_text().split())
    return set()


def _hierarchies() -> dict[str, Path]:
    """Our own group's folder by controller of version 1, and by the empty name that of version 2; what no
    mount shows is left out."""
    own: dict[str, str] = {}
    found: dict[str, Path] = {}
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own.update(dict.fromkeys(controllers.split(","), path))
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            place, _, kind = line.partition(" - ")
            root, point = place.split()[3:5]
            filesystem, _, options = kind.split(" ", 2)
            names = {"cgroup2": [""], "cgroup": options.split(",")}.get(filesystem, [])
            for controller in own.keys() & set(names):
                inside = _inside(own[controller], root)
                if inside is not None:
                    found.setdefault(controller, Path(point, inside))
    return found


def _inside(path: str, root: str) -> str | None:
    """A group's path below what a mount shows of its hierarchy."""
    if path == root:
        return ""
    head = root.rstrip("/") + "/"
    return path[len(head) :] if path.startswith(head) else None
