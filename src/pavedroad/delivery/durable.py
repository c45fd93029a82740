"""Workflows that outlive the process: the small part of DBOS that we use, with types.

A workflow is a function of one JSON document. Each step runs at least once and its answer is kept as JSON;
a process that was killed takes up at the first step without an answer. What a step refuses (`PavedError`)
is kept too, so that it is refused again in the same words.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy.exc import DBAPIError

from pavedroad.core.checkpoints import Checkpoints
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.database import subseconds
from pavedroad.database.engine import open_engine
from pavedroad.delivery.failures import NotUp, StepRefused

_log = logging.getLogger(__name__)

Document = dict[str, Any]
Body = Callable[[Document], Awaitable[None]]
Result = TypeVar("Result")

WORKFLOWS_VERSION: Final = "pavedroad-1"
"""Pinned, so that an upgraded platform goes on with what its forerunner began. The order and the names of
a workflow's steps are therefore a contract: change them behind `DBOS.patch`."""

_ALIVE = frozenset({"PENDING", "ENQUEUED", "DELAYED"})
_BATCH = 200
_PATIENCE = 60
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 3.0
_TAKE_UP_PAUSE = 2.0


class Durable:
    """The process's workflows. One per process: DBOS knows no more."""

    def __init__(self, url: sa.URL, *, executor: str, checkpoints: Checkpoints) -> None:
        self.started = False
        self._checkpoints = checkpoints
        self._troubles: dict[str, str] = {}
        self._taking_up: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[Any]] = set()
        self._bodies: dict[str, Callable[[str], Awaitable[None]]] = {}
        habits: dict[str, Any] = {}
        if url.get_backend_name() == "sqlite":
            open_engine(url).connect().close()  # sets WAL and the file's mode, both of which stay
            habits = {"connect_args": {"factory": subseconds.Connection}}
        DBOS(
            config={
                "name": "pavedroad",
                "system_database_url": url.render_as_string(hide_password=False),
                "db_engine_kwargs": habits,
                "executor_id": executor,
                "application_version": WORKFLOWS_VERSION,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "ERROR",
                "notification_listener_polling_interval_sec": 1.0,
            }
        )

    def workflow(self, name: str, body: Body) -> None:
        """Make a body known under a name, before `start`."""

        async def run(document: str) -> None:
            task = cast("asyncio.Task[Any]", asyncio.current_task())
            self._running.add(task)
            try:
                await body(json.loads(document))
            except DBAPIError as error:
                # A step could not be written down. It stops without an end, and goes on when it can.
                self._take_up_later(str(DBOS.workflow_id), error)
                raise asyncio.CancelledError from error
            finally:
                self._running.discard(task)

        run.__qualname__ = name
        self._bodies[name] = DBOS.workflow(name=name)(run)

    def start(self) -> None:
        """Begin; what a killed process left is taken up. To be called in the loop that the workflows use."""
        DBOS.launch()
        self.started = True

    async def begin(self, name: str, workflow_id: str, document: Document) -> None:
        """Start a workflow; if one with this id was ever started, nothing happens."""
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(cast("Any", self._bodies[name]), json.dumps(document))

    async def is_over(self, workflow_id: str) -> bool:
        """Whether a workflow was started and will not run again."""
        found = await DBOS.get_workflow_status_async(workflow_id)
        return found is not None and found.status not in _ALIVE

    def trouble(self, workflow_id: str) -> str:
        """Why what a workflow did cannot be written down just now; empty when it can."""
        return self._troubles.get(workflow_id, "")

    def _take_up_later(self, workflow_id: str, error: DBAPIError) -> None:
        reason = str(error.orig).strip().partition("\n")[0].rstrip(".")
        self._troubles[workflow_id] = f"It cannot be written down, and goes on when it can: {reason}."
        _log.warning("%s cannot be written down: %s", workflow_id, reason)
        outside = contextvars.Context()  # not as a step of the workflow that has stopped
        taking_up = asyncio.create_task(self._take_up(workflow_id), context=outside)
        self._taking_up.add(taking_up)
        taking_up.add_done_callback(self._taking_up.discard)

    async def _take_up(self, workflow_id: str) -> None:
        while True:
            await asyncio.sleep(_TAKE_UP_PAUSE)
            try:
                await DBOS.resume_workflow_async(workflow_id)
            except DBAPIError as error:
                _log.warning("%s cannot be taken up yet: %s", workflow_id, error.orig)
            else:
                self._troubles.pop(workflow_id, None)
                return

    async def forget_finished(self, before: datetime) -> None:
        """Drop what is kept of workflows that ended before then."""
        while True:
            ended = await DBOS.list_workflows_async(
                completed_before=before.isoformat(), limit=_BATCH, load_input=False, load_output=False
            )
            ids = [workflow.workflow_id for workflow in ended if workflow.status not in _ALIVE]
            if not ids:
                return
            await DBOS.delete_workflows_async(ids)

    async def step(
        self, name: str, work: Callable[[], Awaitable[Result]], *, gives_up: bool = True
    ) -> Result:
        """The answer of `work`, which must be JSON; waits out a cloud or database that is away, as long as it
        takes where it never `gives_up`."""
        workflow_id = str(DBOS.workflow_id)

        async def run() -> Document:
            self._checkpoints.reach(f"before {name}")
            answer = await self._outcome(workflow_id, work, gives_up=gives_up)
            self._checkpoints.reach(f"after {name}")
            return answer

        outcome = await DBOS.run_step_async({"name": name}, run)
        self._checkpoints.reach(f"recorded {name}")
        if "refused" in outcome:
            raise _refusal(outcome["refused"])
        return cast("Result", outcome["answer"])

    async def _outcome(
        self, workflow_id: str, work: Callable[[], Awaitable[object]], *, gives_up: bool
    ) -> Document:
        pause, attempt = _FIRST_PAUSE, 0
        try:
            while True:
                attempt += 1
                try:
                    return {"answer": await work()}
                except Unavailable as error:
                    if gives_up and attempt == _PATIENCE:
                        return {"refused": _kept(error)}
                    self._troubles[workflow_id] = f"It waits: {error.sentence}"
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        except PavedError as error:
            return {"refused": _kept(error)}
        except Exception as error:
            _log.exception("a step broke")
            broken = PavedError(f"The platform itself broke: {type(error).__name__}: {error}")
            return {"refused": _kept(broken)}
        finally:
            self._troubles.pop(workflow_id, None)

    async def sleep(self, seconds: float) -> None:
        """Sleep until a moment that is remembered: a restart does not lengthen it."""
        await DBOS.sleep_async(seconds)

    async def close(self) -> None:
        """Stop where it stands; the next start takes it up."""
        self.started = False
        running = [*self._running, *self._taking_up]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        loop = asyncio.get_running_loop()
        fresh = ThreadPoolExecutor()  # DBOS made its own the loop's, and shuts it down
        await loop.run_in_executor(fresh, partial(DBOS.destroy, destroy_registry=True))
        loop.set_default_executor(fresh)


def _kept(error: PavedError) -> Document:
    console = error.console if isinstance(error, NotUp | StepRefused) else ""
    return {"why": error.code, "sentence": error.sentence, "next_step": error.next_step, "console": console}


def _refusal(kept: Document) -> StepRefused:
    return StepRefused(
        kept["sentence"], next_step=kept["next_step"], why=kept["why"], console=kept["console"]
    )
