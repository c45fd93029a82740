"""Scripts on their way through a cloud."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from pavedroad.localcloud.api.calls import reads
from tests.localcloud.whole.scripts import SCRIPTS, Script
from tests.localcloud.whole.scripts.saved import saved
from tests.localcloud.whole.scripts.step import Json, Step
from tests.waiting import eventually


class Cloud(Protocol):
    """The whole of it, or its API process alone."""

    @property
    def home(self) -> Path: ...

    def client(self, service: str, region: str = "us-east-1") -> Any: ...


class Caller:
    """Operations by their names, through boto3's clients."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self.cloud.client(service, region)
        return self._clients[service, region]

    def call(self, service: str, region: str, operation: str, made: Json) -> Json:
        return self.client(service, region)._make_api_call(operation, made)

    def tick(self, script: Script, number: int) -> None:
        """Something else is saved, and with it all that memory has."""
        if script.service == "cloudwatch":
            self.client("sns", "eu-west-1").create_topic(Name=f"tick{number}")
        else:
            dashboard = {"DashboardName": f"tick{number}", "DashboardBody": '{"widgets": []}'}
            self.client("cloudwatch", "eu-west-1").put_dashboard(**dashboard)


@dataclass(slots=True)
class Run:
    """One script on its way: `done` of its steps are answered; the next is perhaps being asked."""

    name: str
    caller: Caller
    known: Json
    done: int = 0
    asking: bool = False
    refused: str = ""
    ended: Event = field(default_factory=Event)
    """Set, whatever is answered from then on is nobody's."""

    @property
    def script(self) -> Script:
        return SCRIPTS[self.name]

    @property
    def at_end(self) -> bool:
        return self.done == len(self.script.steps)

    @property
    def place(self) -> float:
        return self.done / len(self.script.steps)

    def step(self) -> Step:
        """Do the next one; gives it."""
        step = self.script.steps[self.done]
        made = step.parameters(self.script.service, self.known)
        self.asking = not reads(step.operation)
        answer = self._asked(step, made)
        if not self.ended.is_set():
            step.learn(answer, self.known)
            self.done += 1
            self.asking = False
        return step

    def until_ended(self) -> None:
        while not self.at_end and not self.ended.is_set():
            try:
                self.step()
            except BotoCoreError:
                return
            except ClientError as error:
                self.refused = "" if self.ended.is_set() else f"{self.name}: {error}"
                return

    def _asked(self, step: Step, made: Json) -> Json:
        def ask() -> Json:
            return self.caller.call(
                step.service or self.script.service, self.script.region, step.operation, made
            )

        until = step.until
        if until is None:
            return ask()
        said = list[Json]()

        def is_so() -> bool:
            said[:] = [ask()]
            return self.ended.is_set() or until(said[0])

        eventually(is_so, within=60)
        return said[0]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step was answered: what was on disk then, and in memory, as a later call has written it."""

    name: str
    step: Step
    disk: Path
    memory: Path
    runs: dict[str, tuple[int, Json]]
    """How far each script was by then, and what it knew."""

    @property
    def script(self) -> Script:
        return SCRIPTS[self.name]


def rehearsed(cloud: Cloud, folder: Path, base: Json, names: Iterable[str], most: int) -> Iterator[Moment]:
    """Scripts in turns, at most so many steps of each."""
    caller = Caller(cloud)
    runs = [Run(name, caller, {**base, **SCRIPTS[name].known(cloud.client)}) for name in names]
    for run in runs:  # what they need of other services is there before anything is compared
        while run.script.steps[run.done].service:
            run.step()
    number = 0
    while under_way := [run for run in runs if not run.at_end and run.done < most]:
        number += 1
        run = min(under_way, key=lambda run: run.place)
        step = run.step()
        disk = linked(cloud, folder / f"{number}")
        caller.tick(run.script, number)
        memory = linked(cloud, folder / f"{number}.memory")
        yield Moment(run.name, step, disk, memory, {it.name: (it.done, copy(it.known)) for it in runs})


def linked(cloud: Cloud, name: Path) -> Path:
    """The saved state, as a kill would leave it now."""
    os.link(cloud.home / "state.snapshot", name)
    return name


def states(moments: list[Moment], name: str, done: int) -> Iterator[list[str]]:
    """What a script's part of the state was like after so many of its steps, until the next was asked."""
    script = SCRIPTS[name]
    for moment in (it for it in moments if it.runs[name][0] == done):
        yield saved(moment.disk).lines(script.service, script.region)
        yield saved(moment.memory).lines(script.service, script.region)
