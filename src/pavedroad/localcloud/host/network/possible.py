"""Whether this machine can give instances networks of their own, tried before anything is started."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading

from pavedroad.core.errors import PavedError
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.nursery import linux

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
_SETTINGS = "/proc/sys/net/ipv4/ip_forward"
_PROGRAMS = {"ip": "iproute2", "nft": "nftables"}


class NetworkImpossible(PavedError):
    """This machine, or this user of it, cannot have namespaces and walls."""

    code = "network-impossible"


def require_namespaces() -> None:
    """Raises with what is missing; leaves nothing behind. Blocks."""
    shared = "or start with --network shared, where security groups are recorded only"
    if sys.platform != "linux":
        raise NetworkImpossible("Networks of instances' own need Linux.", next_step=f"Use Linux, {shared}.")
    if os.geteuid() != 0:
        raise NetworkImpossible(
            "Networks of instances' own need root.", next_step=f"Start it as root (sudo), {shared}."
        )
    missing = [it for it in _PROGRAMS if shutil.which(it, path=commands.search_path()) is None]
    if missing:
        packages = " ".join(_PROGRAMS[it] for it in missing)
        raise NetworkImpossible(
            f"Networks of instances' own need {' and '.join(missing)}, which are not installed.",
            next_step=f"Install them (apt-get install {packages}), {shared}.",
        )
    trouble: list[str] = []
    trial = threading.Thread(target=_try, args=(trouble,), name="network trial")
    trial.start()
    trial.join()
    if trouble:
        raise NetworkImpossible(
            f"This machine's kernel gives instances no networks of their own: {trouble[0].rstrip('.')}.",
            next_step=f"Allow network namespaces, veth and nf_tables, {shared}.",
        )


def _try(trouble: list[str]) -> None:
    """In the machine's own network, without a change, then in one that ends with this thread."""
    try:
        commands.tables()
        if not os.access(_SETTINGS, os.W_OK):
            raise OSError(errno.EROFS, f"{_SETTINGS} cannot be written")
        linux.leave_network()
        commands.ip(["link add pvtrial0 type veth peer name pvtrial1", "link set lo up"])
        commands.nft(_TRIAL.format(pid=os.getpid()))
    except OSError as error:
        trouble.append(error.strerror or str(error))
