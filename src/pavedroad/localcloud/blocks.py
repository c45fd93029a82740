"""Which part of 127/8 a private cloud lives in, so that several run on one machine side by side.

Block 0 is `127.16.0.0/16` (us-east-1), `127.32.0.0/16` (us-west-2) and `127.48.0.0/16` (eu-west-1); block 1
is the next `/16` after each of them, and so on. The other regions have a `/22` each, in a `/17` of the block,
from `127.224.0.0` on. A cloud keeps its block for life, as its addresses are in it.
"""

from __future__ import annotations

import re
import socket
import zlib
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import psutil

from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.core.files import write_whole
from pavedroad.localcloud.regions import HOME, REGIONS

_BLOCKS = 64
_IN_A_ROW = 16
_LARGE = ("us-east-1", "us-west-2", "eu-west-1")
_SMALL = tuple(name for name in REGIONS if name not in _LARGE)
_FIRST_OCTET = 16
_FIRST_SMALL = int(IPv4Address("127.224.0.0"))
_SMALL_OF_A_BLOCK = 2**15
_SMALL_ADDRESSES = 2**10
_RECORD = re.compile(rf"block ([0-9]{{1,2}}) of {_BLOCKS}|([0-9]{{1,2}})")
"""In words, whose beginnings are no record: a file that was cut is not one of another block. Earlier versions
wrote the number alone."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its number; `networks` maps a region to the CIDR of its default network."""

    number: int

    @property
    def networks(self) -> dict[str, str]:
        row, place = divmod(self.number, _IN_A_ROW)
        first = _FIRST_OCTET + row * _IN_A_ROW * len(_LARGE) + place
        large = {region: f"127.{first + _IN_A_ROW * index}.0.0/16" for index, region in enumerate(_LARGE)}
        begin = _FIRST_SMALL + self.number * _SMALL_OF_A_BLOCK
        places = {region: IPv4Address(begin + at * _SMALL_ADDRESSES) for at, region in enumerate(_SMALL)}
        return large | {region: f"{place}/22" for region, place in places.items()}

    @property
    def gateway(self) -> str:
        """An address that no instance is given: the machine's, for instances with networks of their own."""
        return self.networks[HOME].replace(".0.0/16", ".0.1")


class Claim:
    """A block that is ours while this object lives; the kernel gives it back when the process ends."""

    def __init__(self, block: Block, held: socket.socket) -> None:
        self.block = block
        self._held = held

    def release(self) -> None:
        self._held.close()


def claim(home: Path) -> Claim:
    """The block that this home has always had. Where nothing was ever saved it gets a free one, by its path.

    By its path and not the lowest: a cloud that rests should find its block free when it comes back.
    `Unavailable` where another private cloud holds it, or where none is free.
    """
    record, is_used = _record(home), (home / "state.snapshot").exists()
    if (block := recorded(home)) is not None:
        held = _hold(block)
        if held is not None:
            if record.read_text() != _said(block):
                write_whole(record, _said(block).encode())
            return Claim(block, held)
        if is_used:
            raise _taken(block)
    elif is_used:
        raise _unreadable(record, "it is missing, and a state is saved beside it")
    start = zlib.crc32(bytes(home.absolute()))
    for block in (Block((start + step) % _BLOCKS) for step in range(_BLOCKS)):
        held = _hold(block)
        if held is not None:
            write_whole(record, _said(block).encode())
            return Claim(block, held)
    raise Unavailable(
        f"{_BLOCKS} private clouds run on this machine already, and there are no addresses for another.",
        next_step="Stop one of them with `paved down` under its PAVED_HOME.",
    )


def recorded(home: Path) -> Block | None:
    """The block that is written down, if one is. What cannot be read is not written over: the addresses of
    all that the cloud has are of that block."""
    record = _record(home)
    try:
        text = record.read_text()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(record, getattr(error, "strerror", None) or "it is no text") from error
    said = _RECORD.fullmatch(text.strip())
    if said is None or int(said[1] or said[2]) >= _BLOCKS:
        wanted = f"'block N of {_BLOCKS}' with a number below {_BLOCKS}"
        raise _unreadable(record, f"it holds {text.strip()[:20]!r}, and not {wanted}")
    return Block(int(said[1] or said[2]))


def _record(home: Path) -> Path:
    return home / "block"


def _said(block: Block) -> str:
    return f"block {block.number} of {_BLOCKS}\n"


def _unreadable(record: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The file {record} cannot be read: {why}.",
        next_step=f"Put a copy of it in its place, or write 'block N of {_BLOCKS}' into it with this cloud's "
        f"number; or move {record.parent} away, to begin with an empty cloud.",
    )


def _taken(block: Block) -> Unavailable:
    """A cloud that rests holds no block, so that another home may have come by its."""
    holder = _holder(block)
    return Unavailable(
        f"The addresses of this cloud, {block.networks[HOME]} and on, are in use by "
        f"{holder or 'a private cloud of another user'}.",
        next_step="Stop that one with `paved down` under its PAVED_HOME, and start this one again.",
    )


def _holder(block: Block) -> str:
    """The process that holds a block, and its home where its command says one; empty where it is not ours to
    see."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if any(_name(block) == str(it.laddr).lstrip("@\0") for it in process.net_connections("unix")):
                command = process.cmdline()
                home = command[command.index("--home") + 1] if "--home" in command[:-1] else ""
                where = f"the private cloud in {home}" if home else "another"
                return f"{where} (process {process.pid})"
    return ""


def _name(block: Block) -> str:
    return f"pavedroad-block-{block.number}"


def _hold(block: Block) -> socket.socket | None:
    """A name in the kernel's abstract namespace: nothing is left behind, whatever happens to the process."""
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        held.bind(f"\0{_name(block)}")
    except OSError:
        held.close()
        return None
    return held
