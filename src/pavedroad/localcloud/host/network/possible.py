"""Whether this machine can give instances networks of their own, tried before anything is started."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Literal

from pavedroad.core.errors import PavedError
from pavedroad.localcloud.host.network import annex, commands
from pavedroad.localcloud.host.network.annex import Annex, NoAnnex
from pavedroad.localcloud.host.nursery import linux

Way = Literal["machine", "annex"]
"""In the machine's own network, which root may change, or in one beside it."""

_TRIAL = """add table inet pavedtrial_{pid}
delete table inet pavedtrial_{pid}
table inet pavedtrial_{pid} {{
 chain a {{ type filter hook input priority filter; policy accept;
  iifname "pvtrial*" ct state established fib daddr type local drop
 }}
 chain b {{ type nat hook postrouting priority srcnat; policy accept;
  oifname "pvtrial*" masquerade
 }}
}}
"""
_LINKS = ["link add pvtrial0 type veth peer name pvtrial1", "link set lo up"]
_SETTINGS = "/proc/sys/net/ipv4/ip_forward"
_PROGRAMS = {"ip": "iproute2", "nft": "nftables"}


class NetworkImpossible(PavedError):
    """This machine, or this user of it, cannot have namespaces and walls."""

    code = "network-impossible"


def require_namespaces() -> Way:
    """How they can be had here. Raises with what is missing; leaves nothing behind. Blocks."""
    shared = "or start with --network shared, where security groups are recorded only"
    if sys.platform != "linux":
        raise NetworkImpossible("Networks of instances' own need Linux.", next_step=f"Use Linux, {shared}.")
    missing = [it for it in _PROGRAMS if shutil.which(it, path=commands.search_path()) is None]
    if missing:
        packages = " ".join(_PROGRAMS[it] for it in missing)
        raise NetworkImpossible(
            f"Networks of instances' own need {' and '.join(missing)}, which are not installed.",
            next_step=f"Install them (apt-get install {packages}), {shared}.",
        )
    first = "start it as root (sudo), "
    before = ""
    if os.geteuid() == 0:
        if not (trouble := _trouble(_try_machine)):
            return "machine"
        first, before = "", f"The machine's own network cannot be changed ({trouble}). "
    try:
        made = annex.make("127.0.0.1", 0)
    except NoAnnex as none:
        next_step = f"{none.remedy}, {first}{shared}."
        raise NetworkImpossible(f"{before}{none.reason}.", next_step=next_step) from none
    try:
        trouble = _trouble(lambda: _try_annex(made))
    finally:
        made.close()
    if trouble:
        raise NetworkImpossible(
            f"This machine's kernel gives instances no networks of their own: {trouble}.",
            next_step=f"Allow network namespaces, veth and nf_tables, {first}{shared}.",
        )
    return "annex"


def _trouble(trial: Callable[[], None]) -> str:
    """What the trial fails with, on a thread of its own; empty if it does not."""
    trouble: list[str] = []

    def run() -> None:
        try:
            trial()
        except (OSError, subprocess.SubprocessError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            trouble.append((words or str(error)).rstrip("."))

    thread = threading.Thread(target=run, name="network trial")
    thread.start()
    thread.join()
    return trouble[0] if trouble else ""


def _try_machine() -> None:
    """In the machine's own network, without a change, then in one that ends with this thread."""
    commands.tables()
    if not os.access(_SETTINGS, os.W_OK):
        raise OSError(errno.EROFS, f"{_SETTINGS} cannot be written")
    linux.leave_network()
    commands.ip(_LINKS)
    commands.nft(_TRIAL.format(pid=os.getpid()))


def _try_annex(made: Annex) -> None:
    done = subprocess.run(
        ["nft", "-f", "-"],
        input=_TRIAL.format(pid=os.getpid()),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": commands.search_path(), "LC_ALL": "C"},
        preexec_fn=made.enter,
    )
    if done.returncode:
        raise OSError(done.stderr.strip().partition("\n")[0] or f"nft ended with {done.returncode}")
