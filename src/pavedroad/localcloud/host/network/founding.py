"""Makes an annex (see `annex`): a program of its own, since only a process of one thread may leave the
machine's users. Run isolated, on the standard library alone; it answers on the socket named in argv."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pavedroad.core import capabilities
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.nursery import linux

LONGEST = 1 << 16
_BACKLOG = 1024
_DNS = 53
_IP_PKTINFO = 8
_INSIDE, _BEYOND = "169.254.2.2", "169.254.2.1"
"""The ends of the link between the annex and what is beyond it."""
_CONF = Path("/proc/sys/net/ipv4")
_BEYOND_TABLE = """table inet beyond {{
 set machine {{
  type ipv4_addr
  {machine}
 }}
 chain b {{ type filter hook prerouting priority raw; policy accept;
  iifname "beyond" ip daddr @machine meta l4proto tcp tcp dport != 53 drop
 }}
 chain a {{ type nat hook prerouting priority dstnat; policy accept;
  iifname "beyond" meta l4proto tcp redirect to :{port}
 }}
}}
"""


def main() -> None:
    """argv: the descriptor of the answer's socket, where the endpoint listens, resolvers on loopback, and the
    machine's other addresses, whose services are nobody's business."""
    answers = socket.socket(fileno=int(sys.argv[1]))
    gateway, port, resolvers = sys.argv[2], int(sys.argv[3]), sys.argv[4].split()
    machine = sys.argv[5].split()
    step = "users"
    try:
        capabilities.leave_users()
        capabilities.hand_on()
        step = "network"
        linux.leave_network()
        commands.ip(["link set lo up"])
        endpoint = _listening(gateway, port)
        streams, datagrams = _beyond(machine)
        _link()
        for address in resolvers:
            streams.append(_listening(address, _DNS))
            datagrams.append(_receiving(address))
        spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
    except OSError as error:
        answer: dict[str, Any] = {"step": step, "number": error.errno, "words": error.strerror or str(error)}
        answers.send(json.dumps(answer).encode())
        return
    given = [*spaces, *(it.fileno() for it in (endpoint, *streams, *datagrams))]
    socket.send_fds(answers, [json.dumps({"streams": len(streams)}).encode()], given)


def _listening(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((address, port))
    listening.listen(_BACKLOG)
    return listening


def _receiving(address: str) -> socket.socket:
    receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiving.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    receiving.bind((address, _DNS))
    return receiving


def _beyond(machine: list[str]) -> tuple[list[socket.socket], list[socket.socket]]:
    """The network to which the annex's packets for the outside world go, where every address is ours: one
    socket takes all connections, another what is asked of any resolver."""
    made: list[tuple[socket.socket, socket.socket]] = []
    trouble: list[OSError] = []

    def make() -> None:
        try:
            linux.leave_network()
            commands.ip(
                [
                    f"link add beyond type veth peer name outside netns {os.getpid()}",
                    "link set lo up",
                    f"addr add {_BEYOND}/30 dev beyond",
                    "link set beyond up",
                    "route add local default dev lo table main",
                ]
            )
            (_CONF / "icmp_echo_ignore_all").write_text("1")
            stream, datagrams = _listening("0.0.0.0", 0), _receiving("0.0.0.0")
            elements = f"elements = {{ {', '.join(machine)} }}" if machine else ""
            commands.nft(_BEYOND_TABLE.format(port=stream.getsockname()[1], machine=elements))
            made.append((stream, datagrams))
        except OSError as error:
            trouble.append(error)

    maker = threading.Thread(target=make)
    maker.start()
    maker.join()
    if trouble:
        raise trouble[0]
    stream, datagrams = made[0]
    return [stream], [datagrams]


def _link() -> None:
    """The annex's end."""
    for setting, value in _settings():
        (_CONF / setting).write_text(value)
    commands.ip(
        [
            f"addr add {_INSIDE}/30 dev outside",
            "link set outside up",
            f"route add default via {_BEYOND} dev outside",
        ]
    )


def _settings() -> Iterator[tuple[str, str]]:
    yield "ip_forward", "1"
    yield "conf/all/rp_filter", "0"
    yield "conf/default/rp_filter", "0"
    yield "ip_unprivileged_port_start", "0"
