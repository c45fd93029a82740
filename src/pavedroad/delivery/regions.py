"""Regions, each asked by itself: one that does not answer is told of, and holds up none of the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.delivery.model import RegionView

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)

_GLANCE = 0.5
"""How long a region is waited for that did not answer the last time; it is asked on in the background."""


class Regions:
    """Those that are looked at. `patience` is how long one is waited for, in seconds."""

    def __init__(
        self, clouds: CloudProvider, names: Sequence[str], clock: Clock, *, patience: float = 10.0
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._clouds = clouds
        self._clock = clock
        self._patience = patience
        self._silent: dict[str, RegionView] = {}
        self._asked: dict[str, asyncio.Task[object]] = {}

    def cloud(self, region: str) -> Cloud:
        return self._clouds.region(region)

    def views(self) -> list[RegionView]:
        """How each did when it was last asked."""
        return [self._silent.get(name, RegionView(name, True, "", None)) for name in self.names]

    async def silence(self, region: str) -> RegionView | None:
        """Whether a region is silent still; one that answered the last time is not asked."""
        if region not in self._silent:
            return None
        answer = await self._ask(region, lambda cloud: cloud.zones())
        return answer if isinstance(answer, RegionView) else None

    async def one(self, region: str, work: Callable[[Cloud], Awaitable[Answer]]) -> Answer:
        """The answer of one region, or why there is none."""
        try:
            async with asyncio.timeout(self._patience):
                return await work(self.cloud(region))
        except TimeoutError:
            raise Unavailable(
                f"The region {region} did not answer within {self._patience:g} s.",
                next_step="See which regions do: paved status.",
            ) from None

    async def all(
        self, work: Callable[[Cloud], Awaitable[Answer]], *, but: str = ""
    ) -> tuple[list[Answer], list[RegionView]]:
        """The answers of those that give one, and those that do not."""
        asked = [self._ask(name, work) for name in self.names if name != but]
        answers = await asyncio.gather(*asked)
        silent = [answer for answer in answers if isinstance(answer, RegionView)]
        return [answer for answer in answers if not isinstance(answer, RegionView)], silent

    async def first(
        self, work: Callable[[Cloud], Awaitable[Answer | None]], *, but: str = ""
    ) -> tuple[Answer | None, list[RegionView]]:
        """The first answer that is one, without waiting for the others; with none, those that are silent."""
        asking = [asyncio.ensure_future(self._ask(name, work)) for name in self.names if name != but]
        silent: list[RegionView] = []
        try:
            for coming in asyncio.as_completed(asking):
                match await coming:
                    case RegionView() as view:
                        silent.append(view)
                    case None:
                        pass
                    case answer:
                        return answer, []
        finally:
            for task in asking:
                task.cancel()
        return None, silent

    async def _ask(self, region: str, work: Callable[[Cloud], Awaitable[Answer]]) -> Answer | RegionView:
        silent = self._silent.get(region)
        if silent is None:
            return await self._try(region, work)
        if region in self._asked:
            return silent
        trying = asyncio.create_task(self._try(region, work))
        self._asked[region] = trying
        trying.add_done_callback(lambda _: self._asked.pop(region, None))
        with suppress(TimeoutError):
            async with asyncio.timeout(_GLANCE):
                return await asyncio.shield(trying)
        return self._silent.get(region, silent)

    async def _try(self, region: str, work: Callable[[Cloud], Awaitable[Answer]]) -> Answer | RegionView:
        try:
            answer = await self.one(region, work)
        except PavedError as error:
            return self._fallen_silent(region, error.sentence)
        except Exception as error:
            _log.exception("the region %s cannot be read", region)
            return self._fallen_silent(region, f"It cannot be read: {type(error).__name__}: {error}.")
        self._silent.pop(region, None)
        return answer

    def _fallen_silent(self, region: str, reason: str) -> RegionView:
        return self._silent.setdefault(region, RegionView(region, False, reason, self._clock.now()))


def unknown(what: str, silent: Sequence[RegionView]) -> Unavailable:
    """What is in no region that answers may be in one that does not."""
    names = ", ".join(view.name for view in silent)
    return Unavailable(
        f"{what} is in no region that answers, and {names} does not: {silent[0].reason}",
        next_step="Try again when it answers: paved status.",
    )
