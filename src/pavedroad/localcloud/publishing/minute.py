"""What load balancers did in one minute, gathered by metric and dimensions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from pavedroad.localcloud.measured import Histogram
from pavedroad.localcloud.ports import Sample

_NEW_A_MINUTE, _ACTIVE, _BYTES_A_MINUTE = 25 * 60, 3000, 1e9 / 60
"""What one capacity unit is of: connections that are new, those that there are, a GB an hour."""

Dimensions = tuple[tuple[str, str], ...]
_SECONDS = frozenset({"TargetResponseTime", "Latency"})


class Minute:
    """The metrics of one place in one minute."""

    def __init__(self, began: int) -> None:
        self._began = float(began)
        self._values: dict[tuple[str, Dimensions], Counter[float]] = defaultdict(Counter)
        self._sums: dict[tuple[str, Dimensions], float] = defaultdict(float)
        self._levels: dict[tuple[str, Dimensions], float] = {}

    def ones(self, name: str, dimensions: Dimensions, count: float) -> None:
        """Events: each is a value of 1, so that their average is 1 and their number the sum."""
        self._values[name, dimensions][1.0] += int(count)

    def histogram(self, name: str, dimensions: Dimensions, histogram: Histogram) -> None:
        self._values[name, dimensions].update(dict(zip(histogram.values, histogram.counts, strict=True)))

    def sum(self, name: str, dimensions: Dimensions, value: float) -> None:
        """Nothing is published of 0."""
        if value:
            self._sums[name, dimensions] += value

    def level(self, name: str, dimensions: Dimensions, value: float) -> None:
        """As it is, 0 too."""
        self._levels[name, dimensions] = value

    def requests(self, dimensions: Dimensions) -> float:
        return float(self._values["RequestCount", dimensions].total())

    def capacity_units(self, dimensions: Dimensions) -> float:
        """At this minute's pace: what is used most is what counts."""
        return max(
            self._sums.get((name, dimensions), 0.0) / of_one
            for name, of_one in (
                ("NewConnectionCount", _NEW_A_MINUTE),
                ("ActiveConnectionCount", _ACTIVE),
                ("ProcessedBytes", _BYTES_A_MINUTE),
            )
        )

    def samples(self) -> Iterator[Sample]:
        for (name, dimensions), values in self._values.items():
            if values:
                ordered = tuple(sorted(values))
                counts = tuple(float(values[value]) for value in ordered)
                unit = "Seconds" if name in _SECONDS else "Count"
                yield Sample(name, dict(dimensions), self._began, ordered, counts, unit)
        for levels in (self._sums, self._levels):
            for (name, dimensions), value in levels.items():
                unit = "Bytes" if name == "ProcessedBytes" else "Count"
                yield Sample(name, dict(dimensions), self._began, (float(value),), (), unit)
