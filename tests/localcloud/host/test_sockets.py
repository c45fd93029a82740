"""Where a guest listens, as the kernel tells."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from pavedroad.localcloud.host.limits import Hold
from pavedroad.localcloud.host.sockets import elsewhere

_SHIM = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
_SERVICE = """
import socket, sys
held = [socket.create_server((host, 0)) for host in {hosts}]
print(*(one.getsockname()[1] for one in held), flush=True)
sys.stdin.read()
"""


@contextmanager
def _guest(*hosts: str) -> Generator[tuple[Hold, list[str]]]:
    """A guest that listens at these addresses, and on which ports."""
    command = [sys.executable, "-c", _SHIM, _SERVICE.format(hosts=hosts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shim:
        assert shim.stdout
        yield Hold(1, None, None, shim.pid), sorted(shim.stdout.readline().split(), key=int)  # pyright: ignore[reportArgumentType]
        assert shim.stdin
        shim.stdin.close()


@pytest.mark.parametrize("host", ["127.16.9.9", "0.0.0.0"])
def test_its_ports_are_told_and_nobody_else_s(host: str) -> None:
    with socket.create_server(("127.16.9.9", 0)), _guest(host, host) as (hold, ports):
        found = elsewhere(hold)
        assert found.told() == f"the instance listens on ports {', '.join(ports)}"
        with found.connect(host, int(ports[0])) as connected:
            assert connected.getpeername()[1] == int(ports[0])


def test_what_only_itself_can_reach_is_told_as_that() -> None:
    with _guest("127.0.0.1") as (hold, [port]):
        found = elsewhere(hold)
        assert found.told() == f"the instance listens on port {port} of 127.0.0.1 alone"
        found.connect(found.lonely[int(port)], int(port)).close()


def test_who_does_not_listen_or_has_ended_is_not_told_of() -> None:
    with _guest() as (hold, _):
        assert elsewhere(hold).told() == ""
    with _guest("127.16.9.9") as (hold, _):
        assert elsewhere(hold).told()
    assert elsewhere(hold).told() == ""
