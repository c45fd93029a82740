"""Where a private cloud is in the machine's network: its names and addresses there, by its block."""

from __future__ import annotations

from dataclasses import dataclass

TABLES = "pavedroad_"
METADATA_PORT = 1338
MOST_SLOTS = 65534


@dataclass(frozen=True, slots=True)
class Place:
    """`gateway` is the machine as instances see it; the endpoint listens there at `port`."""

    block: int
    gateway: str
    port: int

    @property
    def table(self) -> str:
        """Of nftables, family inet."""
        return f"{TABLES}{self.block}"

    @property
    def prefix(self) -> str:
        """What the machine's ends of all links begin with."""
        return f"pv{self.block}n"

    def link(self, slot: int) -> str:
        return f"{self.prefix}{slot}"

    def outside(self, slot: int) -> str:
        """An instance's address towards the outside world, which sends nothing back to loopback."""
        return f"100.{64 + self.block}.{slot >> 8}.{slot & 255}"

    @property
    def outside_network(self) -> str:
        return f"100.{64 + self.block}.0.0/16"
