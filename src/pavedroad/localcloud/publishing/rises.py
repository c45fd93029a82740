"""By how much counters have risen since they were last looked at, however often they began anew."""

from __future__ import annotations

from collections.abc import Hashable

from pavedroad.localcloud.measured import Histogram


class Rises:
    """Counters by key, looked at in rounds. What was counted before the first round is nobody's: it may be a
    month old. A counter that appears later began at 0, as does one of another generation, or that fell."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Hashable, float]] = {}
        self._bins: dict[Hashable, tuple[Hashable, dict[float, int]]] = {}
        self._first = True
        self._seen: set[Hashable] = set()

    def of(self, key: Hashable, generation: Hashable, value: float) -> float:
        before = self._known.get(key)
        self._known[key] = (generation, value)
        self._seen.add(key)
        if before is None and self._first:
            return 0.0
        same = before is not None and before[0] == generation and before[1] <= value
        return value - before[1] if before is not None and same else value

    def of_bins(self, key: Hashable, generation: Hashable, histogram: Histogram) -> Histogram:
        """The values that came to a histogram."""
        now = dict(zip(histogram.values, histogram.counts, strict=True))
        before = self._bins.get(key)
        self._bins[key] = (generation, now)
        self._seen.add(key)
        if before is None and self._first:
            return Histogram()
        known = before[1] if before is not None and before[0] == generation else {}
        if any(count > now.get(value, 0) for value, count in known.items()):
            known = {}
        risen = {value: count - known.get(value, 0) for value, count in now.items()}
        values = tuple(value for value, count in risen.items() if count)
        return Histogram(values, tuple(risen[value] for value in values))

    def end_round(self, *, complete: bool = True) -> None:
        """A complete one had all counters there are: the others are forgotten."""
        self._first = False
        if not complete:
            return
        for kept in (self._known, self._bins):
            for gone in kept.keys() - self._seen:
                del kept[gone]
        self._seen.clear()
