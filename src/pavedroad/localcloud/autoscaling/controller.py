"""The thread that keeps looking at all groups: woken by changes, and looking again every second."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import islice

from pavedroad.localcloud.autoscaling.group_pass import GroupPass
from pavedroad.localcloud.state import State
from pavedroad.localcloud.watch import Watch

STEPS_A_TURN = 16
"""Launches, terminations and registrations in one hold of the state lock."""
REST_RATIO = 2.0
"""Rest so much longer than looking took of the processor: many groups never take more than a third of it."""
LONGEST_REST_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Controller:
    """Drives a pass over every group, letting go of the state lock between turns.

    `passes` gives the passes to make; `generation` changes with every call that changes a group.
    """

    def __init__(
        self, state: State, passes: Callable[[], Iterator[GroupPass]], generation: Callable[[], int]
    ) -> None:
        self._state = state
        self._passes = passes
        self._generation = generation
        self._watch = Watch(
            "autoscaling", state, self.step, rest_ratio=REST_RATIO, longest_rest=LONGEST_REST_SECONDS
        )
        self._failing: dict[str, str] = {}
        """What keeps a group from being looked after, by its ARN: said once, not every second."""

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> bool:
        """Look at every group once. Says whether anything was changed."""
        changed = False
        with self._state.lock:
            passes = list(self._passes())
        for gone in self._failing.keys() - {group_pass.group.arn for group_pass in passes}:
            del self._failing[gone]
        for number, group_pass in enumerate(passes):
            if number:
                self._state.give_way()
            group = group_pass.group
            try:
                changed |= self._drive(group_pass)
                self._failing.pop(group.arn, None)
            except Exception as error:
                if self._failing.get(group.arn) != repr(error):
                    self._failing[group.arn] = repr(error)
                    _log.exception("The group %s could not be looked after", group.name)
        return changed

    def _drive(self, group_pass: GroupPass) -> bool:
        """One pass, in turns. A call between turns ends it: what it has seen is stale then."""
        steps = group_pass.run()
        generation: int | None = None
        while not self._watch.is_stopping:
            with self._state.lock:
                if generation is None:
                    generation = self._generation()
                elif generation != self._generation():
                    self._state.touch()
                    return True
                taken = sum(1 for _ in islice(steps, STEPS_A_TURN))
                if group_pass.changed or taken:
                    self._state.touch()
                if taken < STEPS_A_TURN:
                    return group_pass.changed
            self._state.give_way()
        return group_pass.changed
