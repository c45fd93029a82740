"""Bakes that were asked for: each runs by itself, and whoever likes follows its lines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from uuid import uuid4

from pavedroad.bakery.model import FINISHED, BakeResult, BakeView
from pavedroad.bakery.queueing import Line
from pavedroad.bakery.running import Report
from pavedroad.core.clock import Clock
from pavedroad.core.errors import NotFound, PavedError

_KEPT = 200
_MOST_LINES = 5000

_log = logging.getLogger(__name__)


class Jobs:
    """In memory: a bake is idempotent by its key, so one that a restart has cut off is simply asked again."""

    def __init__(self, clock: Clock, line: Line) -> None:
        self._clock = clock
        self._line = line
        self._views: dict[str, BakeView] = {}
        self._lines: dict[str, list[str]] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: dict[str, str] = {}

    def start(
        self,
        application: str,
        who: str,
        work: Callable[[Report], Awaitable[BakeResult]],
        kept: AbstractAsyncContextManager[object],
    ) -> BakeView:
        """`kept` is what the bake holds from now until it has ended, however it ends."""
        job = BakeView(uuid4().hex[:12], application, "waiting", who, self._clock.now())
        self._views[job.id] = job
        self._lines[job.id] = []
        self._changed[job.id] = asyncio.Event()
        self._forget_old()
        task = asyncio.create_task(self._run(job.id, work, kept))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))
        return job

    def view(self, job_id: str) -> BakeView:
        if job_id not in self._views:
            raise NotFound(
                f"There is no bake {job_id}.", next_step="Ask for it again: nothing is baked twice."
            )
        return replace(self._views[job_id], lines=tuple(self._lines[job_id]))

    async def follow(self, job_id: str, after: int = 0) -> AsyncIterator[tuple[int, str]]:
        """Its lines with their numbers, from one, until it has finished."""
        self.view(job_id)
        while True:
            changed = self._changed[job_id]
            lines = self._lines[job_id][after:]
            for line in lines:
                after += 1
                yield after, line
            if not lines and self._views[job_id].state in FINISHED:
                return
            if not lines:
                await changed.wait()

    def cancel(self, job_id: str, who: str) -> BakeView:
        """Stop it, whether it waits or builds; one that has finished stays as it is."""
        view = self.view(job_id)
        if (task := self._tasks.get(job_id)) is not None:
            self._cancelled[job_id] = f"{who} cancelled it."
            task.cancel()
        return view

    async def close(self) -> None:
        """Stop all that still runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self,
        job_id: str,
        work: Callable[[Report], Awaitable[BakeResult]],
        kept: AbstractAsyncContextManager[object],
    ) -> None:
        def report(line: str) -> None:
            if len(self._lines[job_id]) < _MOST_LINES:
                self._lines[job_id].append(line)
                self._tell(job_id)

        def began() -> None:
            self._views[job_id] = replace(self._views[job_id], state="running")

        try:
            async with kept, self._line.turn(report, began):
                result = await work(report)
        except PavedError as error:
            self._finish(job_id, state="failed", error=error.sentence, code=error.code)
        except asyncio.CancelledError:
            why = self._cancelled.pop(job_id, "The platform was stopped.")
            self._finish(job_id, state="failed", error=why, code="cancelled")
            raise
        except Exception:
            _log.exception("the bake %s broke", job_id)
            self._finish(job_id, state="failed", error="The bakery failed unexpectedly.", code="internal")
        else:
            self._finish(job_id, state="succeeded", result=result)

    def _finish(self, job_id: str, **changes: object) -> None:
        view = self._views[job_id]
        self._views[job_id] = replace(view, finished_at=self._clock.now(), **changes)  # pyright: ignore[reportArgumentType]
        self._tell(job_id)

    def _tell(self, job_id: str) -> None:
        self._changed[job_id].set()
        self._changed[job_id] = asyncio.Event()

    def _forget_old(self) -> None:
        done = [job_id for job_id, view in self._views.items() if view.state in FINISHED]
        for job_id in done[: max(0, len(self._views) - _KEPT)]:
            del self._views[job_id], self._lines[job_id], self._changed[job_id]
