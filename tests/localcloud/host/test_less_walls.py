"""What guests may do on kernels that have less, or let us have less: it is less well kept, and said."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pavedroad.core import confinement, seclusion
from tests.localcloud.host import denied
from tests.localcloud.host.machine import Machine, guest
from tests.localcloud.machines import await_state, console, image_of_command, run
from tests.localcloud.running import running_cloud
from tests.ordinary import ORDINARY, as_ordinary_user
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(confinement.way() == "none", reason="this kernel has no walls")

_SOCKETS = "but may open the Unix sockets of this user's"
_ALONE = "nothing else (Landlock)"
_OWN = "each is a user of its own"
_VIEW = "of their own"
SAID = {
    "nothing": (f"{_ALONE}, and {_OWN}", f"{_ALONE}, with /tmp, /run and shared memory {_VIEW}"),
    "users": (f"{_ALONE}, and {_OWN}", f"{_ALONE}, {_SOCKETS}"),
    "mounts": (f"{_ALONE}, {_SOCKETS}", f"{_ALONE}, {_SOCKETS}"),
    "landlock": (_OWN, "beside its home, /tmp and /run"),
    "users,mounts": (f"{_ALONE}, {_SOCKETS}", f"{_ALONE}, {_SOCKETS}"),
    "users,landlock": (_OWN, "not walled in"),
    "users,mounts,landlock": ("not walled in", "not walled in"),
}
"""What is denied -> what is said of root's instances, and of an ordinary user's."""

_ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.settimeout(10)
    asking.connect(sys.argv[1])
    asking.sendall(b"GET /actual HTTP/1.1\\r\\nHost: host\\r\\n\\r\\n")
    sys.exit(0 if asking.recv(100) else 1)
"""

_ADMIN = "envoy.sock"


def _script(home: Path, host: int, sockets: Path) -> str:
    """What a guest tries that knows where all is, as the lists of processes and sockets say."""
    asks = f"/usr/bin/python3 -c '{_ASK}' {sockets}"
    return "\n".join(
        [
            f"cat {home}/key && echo FOUND the key",
            f"cat /proc/{host}/environ > seen && echo FOUND an environment",
            f"{asks}/host && echo FOUND the host",
            f"{asks}/host.sock && echo FOUND the host",
            f"{asks}/{_ADMIN} && echo FOUND a balancer",
            "echo well > own && cat own && echo complete; sleep 1000",
        ]
    )


_FAST = ("mounts", "ordinary")


def _rung(less: str, who: str) -> object:
    return pytest.param(less, who, marks=() if (less, who) == _FAST else pytest.mark.slow)


@pytest.fixture
def home(who: str) -> Iterator[Path]:
    """In a folder that others may pass."""
    if who == "root" and os.geteuid() != 0:
        pytest.skip("we are an ordinary user")
    with tempfile.TemporaryDirectory(prefix="paved-operator-", dir="/var/tmp") as folder:
        if who == "ordinary" and os.geteuid() == 0:
            seclusion.hand_over(folder, ORDINARY)
        yield Path(folder)


@pytest.mark.parametrize(("less", "who"), [_rung(it, who) for it in SAID for who in ("root", "ordinary")])
def test_guests_run_and_what_is_missing_is_said(less: str, who: str, home: Path) -> None:
    before = as_ordinary_user() if who == "ordinary" else []
    machine = Machine(home / "cloud", prefix=(*before, sys.executable, denied.__file__, less))
    try:
        confined = machine.measurements().confined
        assert SAID[less][who == "ordinary"] in confined
        (machine.home / "key").write_text("the key of the cloud\n")
        os.chown(machine.home / "key", home.stat().st_uid, -1)
        it = guest(_script(machine.home, machine.process.pid, machine.socket.parent))
        machine.want(it)
        printed = machine.printed(it, "\ncomplete\n")
    finally:
        machine.close()
    assert "\nwell\n" in printed
    found = set(re.findall("FOUND (.*)", printed))
    assert "the host" not in found, "whatever else it finds"
    if "not walled in" not in confined:
        assert found <= ({"a balancer"} if _SOCKETS in confined else set())


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user")
def test_guests_that_keep_roots_number_enter_no_folder_of_sockets() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="paved-operator-", dir="/var/tmp") as folder,
        running_cloud(
            Path(folder) / "cloud", before=[sys.executable, denied.__file__, "users,mounts"]
        ) as cloud,
    ):
        record = json.loads((cloud.home / "cloud.json").read_text())
        sockets = Path(record["host_socket"]).parent
        assert (sockets / _ADMIN).is_socket()
        command = _script(cloud.home, record["pid"], sockets)
        [made] = run(cloud, **image_of_command(cloud, "id -u; " + command))
        await_state(cloud, made, "running")
        said = str(eventually(lambda: (text := console(cloud, made)) * ("\ncomplete" in text)))
        assert "\n0\n" in f"\n{said}"
        assert "FOUND" not in said
        eventually(lambda: _SOCKETS in str(cloud.health["confinement"]), within=90)
