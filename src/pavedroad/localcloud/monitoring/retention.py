"""How long datapoints stay, and how finely: AWS's ages, and a bound on memory."""

from __future__ import annotations

from dataclasses import dataclass

from pavedroad.core.clock import Clock
from pavedroad.localcloud.monitoring.series import Series
from pavedroad.localcloud.monitoring.store import Place, Store

HOUR = 3600
DAY = 24 * HOUR
MOST_BYTES = 256 * 2**20
_AGES = ((3 * HOUR, 60), (15 * DAY, 300), (63 * DAY, 3600))
"""From that age on, datapoints are of so many seconds."""
_LONGEST = 455 * DAY
_SQUEEZES = (1, 4, 16, 64)
"""Over the bound, everything ages so many times faster."""


@dataclass(frozen=True, slots=True)
class Retention:
    clock: Clock
    most_bytes: int = MOST_BYTES

    def tidy(self, store: Store) -> None:
        """The lock is held for a stretch of one series at a time."""
        now = self.clock.now().timestamp()
        for squeeze in _SQUEEZES:
            with store.lock:
                everything = list(store.everything())
            size = sum(self._tidied(store, place, series, now, squeeze) for place, series in everything)
            if size <= self.most_bytes:
                return

    def _tidied(self, store: Store, place: Place, series: Series, now: float, squeeze: int) -> int:
        for age, width in _AGES:
            more = True
            while more:
                with store.lock:
                    more = series.coarsen(int(now - age / squeeze), width)
        with store.lock:
            series.drop(int(now - _LONGEST / squeeze))
            if not len(series) and series.newest < now - _LONGEST / squeeze:
                store.forget(place, series)
            return series.size
