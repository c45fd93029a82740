"""Judges alarms again and again: at their minute, when their metric has new data, and composites after them.

Datapoints are read without the state lock; it is held only while states change.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from pavedroad.core.clock import Clock
from pavedroad.localcloud.monitoring.alarms import actions, composites, transition, wording
from pavedroad.localcloud.monitoring.alarms.actions import Actions
from pavedroad.localcloud.monitoring.alarms.math_plan import MathPlan, math_plan
from pavedroad.localcloud.monitoring.alarms.plan import Plan, Reading, plan_of
from pavedroad.localcloud.monitoring.alarms.verdict import Verdict, judge
from pavedroad.localcloud.monitoring.model import Alarm, Region
from pavedroad.localcloud.monitoring.store import Store
from pavedroad.localcloud.state import State
from pavedroad.localcloud.watch import Watch

_log = logging.getLogger(__name__)

_AT_ONCE = 200
"""Alarms that are judged in one hold of the state lock."""


@dataclass(slots=True)
class _Watched:
    """A metric alarm between two looks."""

    region: Region
    alarm: Alarm
    settings: dict[str, object]
    plan: Plan | MathPlan
    end: float = -math.inf
    newest: int = -1
    """The number of the newest datapoint that was judged."""


class Controller:
    """`step` is one look at all alarms."""

    def __init__(
        self,
        state: State,
        store: Store,
        regions: Callable[[], Iterable[Region]],
        outlets: Actions,
        clock: Clock,
    ) -> None:
        self._state = state
        self._store = store
        self._regions = regions
        self._actions = outlets
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._watch = Watch("alarms", state, self.step, least_rest=0.2)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> bool:
        """Says whether any alarm has changed its state. None does before all datapoints are there again."""
        if not self._store.is_whole:
            return False
        with self._state.lock:
            regions = list(self._regions())
            for region in regions:
                self._follow(region)
        changed = False
        due = [watched for watched in self._watched.values() if self._is_due(watched)]
        for begin in range(0, len(due), _AT_ONCE):
            readings = [(watched, self._read(watched)) for watched in due[begin : begin + _AT_ONCE]]
            with self._state.lock:
                for watched, reading in readings:
                    changed |= reading is not None and self._apply(watched, reading)
        with self._state.lock:
            for region in regions:
                changed |= composites.settle(region, self._actions, self._clock.now())
                changed |= self._again(region)
            if changed:
                self._state.touch()
        return changed

    def _follow(self, region: Region) -> None:
        """Plans are made anew for what was put since the last look."""
        place = (region.account, region.name)
        if self._seen.get(place) == region.generation:
            return
        self._seen[place] = region.generation
        metric_alarms = {alarm.arn: alarm for alarm in region.alarms.values() if alarm.kind == "MetricAlarm"}
        for arn, watched in list(self._watched.items()):
            if watched.region is region and metric_alarms.get(arn) is not watched.alarm:
                del self._watched[arn]
        for arn, alarm in metric_alarms.items():
            known = self._watched.get(arn)
            if known is None or known.settings is not alarm.settings:
                self._watched[arn] = _Watched(region, alarm, alarm.settings, _plan(alarm))

    def _is_due(self, watched: _Watched) -> bool:
        end = watched.plan.end(self._clock.now().timestamp())
        newest = self._store.newest((watched.region.account, watched.region.name), watched.plan.metrics)
        due = end != watched.end or newest != watched.newest
        watched.end, watched.newest = end, newest
        return due

    def _read(self, watched: _Watched) -> Reading | None:
        place = (watched.region.account, watched.region.name)
        try:
            return watched.plan.read(self._store, place, self._clock.now().timestamp())
        except Exception:
            _log.exception("The alarm %s could not be judged", watched.alarm.name)
            return None

    def _apply(self, watched: _Watched, reading: Reading) -> bool:
        region, alarm, plan = watched.region, watched.alarm, watched.plan
        if (
            region.alarms.get(alarm.name) is not alarm
            or alarm.settings is not watched.settings
            or reading.few
        ):
            return False
        verdict = judge(plan.criterion, reading.newest_first)
        told = verdict.breaching if verdict.state == "ALARM" else verdict.evaluated
        alarm.value = told[0].value if told else None
        alarm.datapoints = tuple((point.start, point.value) for point in told)
        if verdict.state is None or verdict.state == alarm.state:
            return False
        now = self._clock.now()
        before = _enter(region, alarm, plan, verdict, now)
        self._actions.take(region, alarm, before.state, now)
        return True

    def _again(self, region: Region) -> bool:
        now = self._clock.now()
        again = [alarm for alarm in region.alarms.values() if actions.scales(alarm)]
        return sum(self._actions.take_again(region, alarm, now) for alarm in again) > 0


def _plan(alarm: Alarm) -> Plan | MathPlan:
    return math_plan(alarm.settings) if "Metrics" in alarm.settings else plan_of(alarm.settings)


def _enter(
    region: Region, alarm: Alarm, plan: Plan | MathPlan, verdict: Verdict, now: datetime
) -> transition.history.Before:
    assert verdict.state is not None
    reason = wording.reason(plan.criterion, verdict, alarm.state, verdict.state, m_of_n=plan.m_of_n)
    data = wording.reason_data(
        plan.criterion, verdict, statistic=plan.statistic_name, period=plan.period, unit=plan.unit, at=now
    )
    return transition.enter(region, alarm, verdict.state, now, reason=reason, data=data)
