"""The thread that publishes: at the end of each minute, what was measured in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from pavedroad.core.clock import Clock
from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.measured import LimitedBy, Measurements
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing import balancers, classics, instances
from pavedroad.localcloud.publishing.views import (
    Balancers,
    Classics,
    ClassicView,
    Groups,
    Instances,
    OutletOf,
    Place,
)
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)
_AT_ONCE = 500
"""Values that are handed over in one hold of the state lock, or one sample's that has more."""
_SEEN_AT_ONCE = 1000
"""Instances that are looked at in one hold of it."""
_RETRY_SECONDS = 1.0

_Seen = TypeVar("_Seen")

Measure = Callable[[float], Measurements]
"""Asks the host; what ended before the given time is known already. Raises `Unavailable`."""


def _none() -> Iterator[ClassicView]:
    yield from ()


class Publishing:
    """Of everything in all accounts and regions. A minute in which the host cannot be asked is counted with
    the next one."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        measure: Measure,
        outlet_of: OutletOf,
        *,
        instances_of: Instances,
        balancers_of: Balancers,
        groups_of: Groups,
        classics_of: Classics = _none,
    ) -> None:
        self._state = state
        self._clock = clock
        self._measure = measure
        self._outlet_of = outlet_of
        self._instances_of = instances_of
        self._balancers_of = balancers_of
        self._groups_of = groups_of
        self._instances = instances.InstanceMetrics()
        self._balancers = balancers.BalancerMetrics()
        self._classics_of = classics_of
        self._classics = classics.ClassicMetrics()
        self._since = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publishing", daemon=True)
        self.limited_by: LimitedBy | None = None
        """What holds instances to their types' limits on the host; None before it was asked."""
        self.confined = ""
        """How they are walled in there."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def step(self) -> None:
        """Publish the minute that has just ended. Raises `Unavailable` where the host does not answer."""
        measured = self._measure(self._since)
        now = self._clock.now().timestamp()
        minute = int(now // instances.MINUTE - 1) * instances.MINUTE
        self._since, self.limited_by = measured.at, measured.limited_by
        self.confined = measured.confined
        running = self._some_by_some(self._instances_of, _SEEN_AT_ONCE)
        with self._state.lock:
            balancing = list(self._balancers_of())
        groups = self._some_by_some(self._groups_of, 1)
        self._publish(instances.NAMESPACE, self._instances.samples(minute, measured, running))
        self._publish(balancers.NAMESPACE, self._balancers.samples(minute, measured, balancing, groups))
        old = self._some_by_some(self._classics_of, 1)
        self._publish(classics.NAMESPACE, self._classics.samples(minute, measured, old))

    def _some_by_some(self, look: Callable[[], Iterator[_Seen]], at_once: int) -> list[_Seen]:
        """All of it; calls have their turn in between."""
        found: list[_Seen] = []
        views = look()
        while True:
            with self._state.lock:
                some = list(islice(views, at_once))
            found += some
            if len(some) < at_once:
                return found
            self._state.give_way()

    def _publish(self, namespace: str, samples: dict[Place, list[Sample]]) -> None:
        for place, all_of_it in samples.items():
            for some in _parts(all_of_it):
                with self._state.lock:
                    self._outlet_of(*place).publish(namespace, some)
                self._state.give_way()

    def _run(self) -> None:
        while not self._stopping.is_set() and not self._stepped():
            self._stopping.wait(_RETRY_SECONDS)
        while not self._stopping.wait(self._until_next_minute()):
            self._stepped()

    def _stepped(self) -> bool:
        try:
            self.step()
        except Unavailable as error:
            _log.debug("%s", error.sentence)
            return False
        except Exception:
            _log.exception("What was measured could not be published")
        return True

    def _until_next_minute(self) -> float:
        return instances.MINUTE - self._clock.now().timestamp() % instances.MINUTE


def _parts(samples: list[Sample]) -> Iterator[list[Sample]]:
    part: list[Sample] = []
    values = 0
    for sample in samples:
        if part and values + len(sample.values) > _AT_ONCE:
            yield part
            part, values = [], 0
        part.append(sample)
        values += len(sample.values)
    if part:
        yield part
