"""An annex: a network of the cloud's own beside the machine's, for a user who may change nothing of that.

A user namespace allows it. The host and its guests live in it as they would in the machine's network, and the
gate (`pavedroad.localcloud.gate`) lets connections in and out. It is there while somebody holds one of its
descriptors.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pavedroad
from pavedroad.core import capabilities
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.founding import LONGEST
from pavedroad.localcloud.host.network.resolvers import resolvers
from pavedroad.localcloud.host.nursery import linux

_SOURCE = str(Path(pavedroad.__file__).parent.parent)
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop()); "
    "from pavedroad.localcloud.host.network.founding import main; main()"
)
_MOST = 64
"""Descriptors."""
_SECONDS = 60.0
_SWITCHES = {
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "user/max_user_namespaces": ("0", "10000"),
    "user/max_net_namespaces": ("0", "10000"),
}
"""By which kernels refuse: the value that does, and one that does not."""
_REFUSED = "The kernel refuses user namespaces"


class NoAnnex(Exception):
    """The machine allows none: why, and what would change that."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Annex:
    """Descriptors: its namespaces, where the endpoint listens in it, and where what its guests send to the
    outside world arrives."""

    users: int
    network: int
    endpoint: int
    streams: tuple[int, ...]
    datagrams: tuple[int, ...]

    def enter(self) -> None:
        """This process, of one thread, and what it executes."""
        capabilities.enter_users(self.users)
        linux.enter_network(self.network)
        capabilities.hand_on()

    def enter_halfway(self) -> None:
        """As `enter`, but it stays in the machine's network; it may go on."""
        capabilities.enter_users(self.users)
        capabilities.hand_on()

    @property
    def descriptors(self) -> tuple[int, ...]:
        return (self.users, self.network, self.endpoint, *self.streams, *self.datagrams)

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


def make(gateway: str, port: int) -> Annex:
    """The endpoint listens there in it. Raises `NoAnnex`; blocks."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lists = (_loopback_resolvers(), _addresses())
    words = [str(theirs.fileno()), gateway, str(port), *(" ".join(it) for it in lists), _SOURCE]
    with ours, theirs:
        program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *words],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        try:
            ours.settimeout(_SECONDS)
            packet, given, _, _ = socket.recv_fds(ours, LONGEST, _MOST)
            _, complaint = program.communicate(timeout=_SECONDS)
        except (TimeoutError, subprocess.TimeoutExpired):
            program.kill()
            program.communicate()
            raise NoAnnex(f"{_REFUSED}: it takes too long", "Try again on a machine that does less") from None
    if not packet:
        last = (complaint.strip().splitlines() or ["it said nothing"])[-1]
        raise NoAnnex(f"A network of this cloud's own could not be made: {last}", "Repair what it names")
    said = json.loads(packet)
    if not given:
        raise _refusal(said["step"], said["number"], said["words"])
    for descriptor in given:
        os.set_inheritable(descriptor, False)
    users, network, endpoint, *others = given
    count = said["streams"]
    return Annex(users, network, endpoint, tuple(others[:count]), tuple(others[count:]))


def _loopback_resolvers() -> list[str]:
    """Those that a guest asks inside the annex. Its own 127.0.0.1 is nobody's but its own."""
    found: list[str] = []
    for address in resolvers():
        with suppress(ValueError):
            if ipaddress.IPv4Address(address).is_loopback and address != "127.0.0.1":
                found.append(address)
    return found


def _addresses() -> list[str]:
    """The machine's, as they are now, without loopback."""
    try:
        found = set(commands.addresses())
    except OSError as error:
        reason = f"The machine's addresses cannot be listed: {error}"
        raise NoAnnex(reason, "Repair what it names") from error
    return sorted(it for it in found if not it.startswith("127."))


def _refusal(step: str, number: int | None, words: str) -> NoAnnex:
    for name, (refusing, allowing) in _SWITCHES.items():
        with suppress(OSError):
            if Path("/proc/sys", name).read_text().strip() == refusing:
                setting = name.replace("/", ".")
                return NoAnnex(
                    f"{_REFUSED} ({setting} is {refusing})",
                    f"Allow them (sudo sysctl {setting}={allowing})",
                )
    if step == "users":
        if number == errno.ENOSPC:
            return NoAnnex(
                "This user has as many user namespaces as user.max_user_namespaces allows",
                "Raise it with sudo sysctl",
            )
        return NoAnnex(
            f"{_REFUSED}: {words}",
            "Allow them (a container may need other seccomp and AppArmor profiles)",
        )
    return NoAnnex(
        f"The kernel gives a user namespace no networks: {words}",
        "Allow network namespaces, veth and nf_tables",
    )
