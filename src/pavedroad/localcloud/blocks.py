"""Which part of 127/8 a private cloud lives in, so that several run on one machine side by side.

Block 0 is `127.16.0.0/16` (us-east-1), `127.32.0.0/16` (us-west-2) and `127.48.0.0/16` (eu-west-1); block 1
is the next `/16` after each of them, and so on. A cloud keeps its block for life, as its addresses are in it.
"""

from __future__ import annotations

import re
import socket
import zlib
from dataclasses import dataclass
from pathlib import Path

from pavedroad.core.errors import StateUnreadable, Unavailable

_BLOCKS = 64
_IN_A_ROW = 16
_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
_FIRST_OCTET = 16
_NUMBER = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its number; `networks` maps a region to the CIDR of its default network."""

    number: int

    @property
    def networks(self) -> dict[str, str]:
        row, place = divmod(self.number, _IN_A_ROW)
        first = _FIRST_OCTET + row * _IN_A_ROW * len(_REGIONS) + place
        return {region: f"127.{first + _IN_A_ROW * index}.0.0/16" for index, region in enumerate(_REGIONS)}

    @property
    def gateway(self) -> str:
        """An address that no instance is given: the machine's, for instances with networks of their own."""
        return self.networks[_REGIONS[0]].replace(".0.0/16", ".0.1")


class Claim:
    """A block that is ours while this object lives; the kernel gives it back when the process ends."""

    def __init__(self, block: Block, held: socket.socket) -> None:
        self.block = block
        self._held = held

    def release(self) -> None:
        self._held.close()


def claim(home: Path) -> Claim:
    """The block that this home has always had; a new home gets a free one, by its path.

    By its path and not the lowest: a cloud that rests should find its block free when it comes back.
    `Unavailable` where another private cloud holds it, or where none is free.
    """
    record = home / "block"
    if (block := _recorded(record)) is not None:
        held = _hold(block)
        if held is None:
            raise Unavailable(
                f"The addresses of this cloud, {block.networks[_REGIONS[0]]} and on, are in use by another.",
                next_step="Stop the other one with `paved down` under its PAVED_HOME.",
            )
        return Claim(block, held)
    start = zlib.crc32(bytes(home.absolute()))
    for block in (Block((start + step) % _BLOCKS) for step in range(_BLOCKS)):
        held = _hold(block)
        if held is not None:
            coming = record.with_suffix(".coming")
            coming.write_text(str(block.number))
            coming.replace(record)
            return Claim(block, held)
    raise Unavailable(
        f"{_BLOCKS} private clouds run on this machine already, and there are no addresses for another.",
        next_step="Stop one of them with `paved down` under its PAVED_HOME.",
    )


def _recorded(record: Path) -> Block | None:
    """The block that is written down, if one is. What cannot be read is not written over: the addresses of
    all that the cloud has are of that block."""
    try:
        text = record.read_text()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(record, getattr(error, "strerror", None) or "it is no text") from error
    if not _NUMBER.fullmatch(text.strip()) or int(text) >= _BLOCKS:
        raise _unreadable(record, f"it holds {text.strip()[:20]!r}, and not a number below {_BLOCKS}")
    return Block(int(text))


def _unreadable(record: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The file {record} cannot be read: {why}.",
        next_step="Write the number of this cloud's block back; or move the file away, to begin with a block "
        "that is free.",
    )


def _hold(block: Block) -> socket.socket | None:
    """A name in the kernel's abstract namespace: nothing is left behind, whatever happens to the process."""
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        held.bind(f"\0pavedroad-block-{block.number}")
    except OSError:
        held.close()
        return None
    return held
