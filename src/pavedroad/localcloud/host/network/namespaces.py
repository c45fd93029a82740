"""The network of a private cloud whose instances have one each: spaces, walls, the machine's part."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pavedroad.localcloud.faults.tunnels import tunnels_possible
from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.network import forwarding, spaces
from pavedroad.localcloud.host.network.delays import Delays, Slow
from pavedroad.localcloud.host.network.direct import Direct
from pavedroad.localcloud.host.network.doors import Doors
from pavedroad.localcloud.host.network.firewall import Firewall
from pavedroad.localcloud.host.network.place import METADATA_PORT, Place
from pavedroad.localcloud.wanted import Front, SecurityGroup

_LOG = logging.getLogger(__name__)
_ADMISSION_SECONDS = 2.0


class Namespaces:
    """One a host. With `doors` they are in an annex, and else in the machine's own network."""

    def __init__(self, place: Place, doors: Doors | None = None) -> None:
        self._place = place
        self._direct = Direct(doors) if doors is not None else None
        self._spaces = spaces.Spaces(place)
        self._firewall = Firewall(place, self._spaces.slots)
        self._delays = Delays() if tunnels_possible() else None
        self._troubles: Mapping[str, Trouble] = {}

    @property
    def gateway(self) -> str:
        """The machine, as instances see it."""
        return self._place.gateway

    @property
    def is_annex(self) -> bool:
        return self._direct is not None

    @property
    def metadata_url(self) -> str:
        """Where every instance finds its own; 169.254.169.254 leads there too."""
        return f"http://{self._place.gateway}:{METADATA_PORT}"

    def sweep(self) -> None:
        """Take away what an earlier host has left, and prepare the machine; blocks."""
        spaces.sweep(self._place)
        if not self.is_annex:
            forwarding.enter(self._place)

    async def start(self) -> None:
        self._firewall.start()
        if self._direct is not None:
            self._direct.start()

    def have(self, groups: Mapping[str, SecurityGroup], fronts: Iterable[Front]) -> None:
        """Make these groups true between instances; balancers are where the fronts are."""
        addresses = {
            it for front in fronts for it in (front.address, *(node.address for node in front.nodes))
        }
        self._firewall.have(groups, addresses)
        if self._direct is not None:
            self._direct.have(groups)

    def fail(self, troubles: Mapping[str, Trouble]) -> Mapping[str, Trouble]:
        """Have the network of these instances fail, by their addresses, for all that they send and are sent.
        Gives what this machine cannot do: others may make it felt."""
        self._troubles = troubles
        self._firewall.fail(troubles)
        if self._delays is not None:
            self._slow_down()
            return {}
        return {
            address: replace(trouble, loss=0.0, cut=False)
            for address, trouble in troubles.items()
            if trouble.is_slow
        }

    async def open(self, address: str) -> int:
        """The namespace for a guest's boot, once its groups hold: a descriptor that stays ours."""
        space = await self._spaces.open(address)
        if self._direct is not None:
            await self._direct.watch(address, space)
        self._slow_down()
        self._firewall.look()
        if not await self._firewall.admitted(address, _ADMISSION_SECONDS):
            _LOG.warning("No security group of %s is known yet; nothing gets through to it", address)
        return space

    def shut(self, address: str) -> None:
        """Its guest has ended."""
        if self._direct is not None:
            self._direct.forget(address)
        self._spaces.close(address)
        self._slow_down()
        self._firewall.look()

    async def close(self) -> None:
        """Nothing is left of it in the machine."""
        await self._firewall.close()
        if self._delays is not None:
            await self._delays.close()
        if self._direct is not None:
            await self._direct.close()
        await self._spaces.close_all()
        if self.is_annex:
            return  # it goes with all that is in it
        try:
            await asyncio.to_thread(forwarding.leave, self._place)
        except OSError as error:
            _LOG.error("The machine's network could not be left as it was: %s", error)

    def _slow_down(self) -> None:
        """Those that there are."""
        if self._delays is None:
            return
        slow: dict[str, Slow] = {}
        for address, trouble in self._troubles.items():
            if trouble.is_slow and (found := self._spaces.way(address)):
                slow[address] = Slow(*found, trouble.delay_seconds, trouble.jitter_seconds)
        self._delays.have(slow)
