"""Datapoints on disk: appended as they come, and now and then written anew as the series that they made.

Each file is of frames: length, checksum, `marshal`ed data. What follows a broken frame was never whole, and
is left out: a crash costs the last second of datapoints, never a start. A series knows the number of its last
datapoint, so that one that is in both files counts once. All is read in the background of a start.
"""

from __future__ import annotations

import logging
import marshal
import math
import os
import struct
import threading
import time
import zlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from pavedroad.localcloud.monitoring.retention import Retention
from pavedroad.localcloud.monitoring.series import Series, Summary
from pavedroad.localcloud.monitoring.store import Place, Point, Store, apply, metric_id

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
COMPACT_BYTES = 16 * 2**20
"""How much is appended before the series are written anew: the next start reads as much point by point."""
TIDY_SECONDS = 600.0
_BYTES_AT_ONCE = 2**20
_SERIES_AT_ONCE = 500
_HEAD = struct.Struct(">II")
_FORMAT = "pavedroad-metrics-1"


class MetricJournal:
    """Keeps a store in a folder. `start` begins to read what there is; `close` ends it."""

    def __init__(self, folder: Path, store: Store, retention: Retention) -> None:
        self._folder = folder
        self._store = store
        self._retention = retention
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._file: BinaryIO | None = None
        self._generation = 0
        self._appended = 0
        self._tidied_at = time.monotonic()
        self._clear()

    def start(self) -> None:
        self._store.await_past()
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._ended.set()
            self._thread.join(60)
        if self._file:
            self._flush()
            self._file.close()

    def opened(self, place: Place, series: Series) -> None:
        metric = series.metric
        self._series.append(
            (series.number, *place, metric.namespace, metric.name, metric.dimensions, series.unit)
        )

    def added(self, first: int, series: Sequence[int], points: Sequence[Point]) -> None:
        if not self._numbers:
            self._first = first
        begin = len(self._numbers)
        self._numbers.extend(series)
        self._times.extend([point.at for point in points])
        self._widths.extend([point.width for point in points])
        self._values.extend([_single(point) for point in points])
        for place, point in enumerate(points, begin):
            if _is_several(point):
                told = point.summary
                summary = (told.count, told.total, told.low, told.high) if told else None
                self._others[place] = (tuple(point.values), tuple(point.counts), summary)

    def _clear(self) -> None:
        self._first = 0
        self._numbers, self._times = array("q"), array("d")
        self._widths, self._values = array("h"), array("d")
        self._others: dict[int, tuple[Any, ...]] = {}
        self._series: list[tuple[Any, ...]] = []

    def _run(self) -> None:
        self._begin()
        while not self._ended.wait(FLUSH_SECONDS):
            try:
                self._flush()
                if self._appended > COMPACT_BYTES or time.monotonic() - self._tidied_at > TIDY_SECONDS:
                    self._retention.tidy(self._store)
                    self._compact()
            except Exception:
                _log.exception("Datapoints could not be written to %s", self._folder)
                self._ended.wait(5)

    def _begin(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._restore()
            self._open(self._generation + 1)
            self._store.journal = self
        except Exception:
            _log.exception("Datapoints could not be read from %s, and are not kept", self._folder)
        finally:
            self._store.has_past()

    def _flush(self) -> None:
        with self._store.lock:
            frame = self._frame()
            self._clear()
        if frame and self._file:
            self._appended += _write(self._file, frame)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _frame(self) -> tuple[Any, ...] | None:
        if not self._numbers and not self._series:
            return None
        columns = (self._numbers, self._times, self._widths, self._values)
        return (
            self._series,
            self._first,
            tuple(column.tobytes() for column in columns),
            self._others,
        )

    def _compact(self) -> None:
        """The series as they are, into a file that replaces all appended before it began."""
        with self._store.lock:
            frame = self._frame()
            self._clear()
            everything = list(self._store.everything())
            points = self._store.points
        everything.reverse()
        if frame and self._file:
            _write(self._file, frame)
        self._open(self._generation + 1)
        coming = self._folder / "series.coming"
        with coming.open("wb") as file:
            _write(file, (_FORMAT, self._generation, points))
            while everything:
                with self._store.lock:
                    part = _some(everything)
                _write(file, part)
                # The lock is not fair: callers who wait for it get it now.
                time.sleep(0.001)
            file.flush()
            os.fsync(file.fileno())
        coming.replace(self._folder / "series")
        for generation, path in self._appendices():
            if generation < self._generation:
                path.unlink()
        self._appended = 0
        self._tidied_at = time.monotonic()

    def _open(self, generation: int) -> None:
        if self._file:
            self._file.close()
        self._generation = generation
        self._file = (self._folder / f"appended-{generation:08d}").open("ab")
        self._appended = sum(path.stat().st_size for _, path in self._appendices())

    def _appendices(self) -> list[tuple[int, Path]]:
        found = self._folder.glob("appended-*")
        return sorted((int(path.name.rpartition("-")[2]), path) for path in found)

    def _restore(self) -> None:
        """Without the lock: until all is read nobody else looks into the store."""
        frames = _frames(self._folder / "series")
        head = next(frames, None)
        if head is not None and head[0] == _FORMAT:
            self._generation, self._store.points = head[1], head[2]
            for part in frames:
                for number, place, key, unit, dumped in part:
                    series = self._store.open(tuple(place), metric_id(*key), unit, number)
                    series.load(dumped)
        for generation, path in self._appendices():
            for frame in _frames(path):
                self._replay(frame)
            self._generation = max(self._generation, generation)

    def _replay(self, frame: tuple[Any, ...]) -> None:
        opened, first, (numbers, times, widths, values), others = frame
        for number, account, region, *key, unit in opened:
            if self._store.numbered(number) is None:
                self._store.open((account, region), metric_id(*key), unit, number)
        rows = list(
            zip(array("q", numbers), array("d", times), array("h", widths), array("d", values), strict=True)
        )
        for place, (number, at, width, value) in enumerate(rows):
            series = self._store.numbered(number)
            if series is None or series.last_number >= first + place:
                continue
            several = others.get(place)
            if several is None:
                series.last_number = first + place
                series.newest = max(series.newest, at)
                series.add(int(at // width) * width, value)
                continue
            summary = Summary(*several[2]) if several[2] else None
            point = Point(series.metric, series.unit, at, width, several[0], several[1], summary)
            apply(series, first + place, point)
        self._store.points = max(self._store.points, first + len(rows) - 1)


def _single(point: Point) -> float:
    return math.nan if _is_several(point) else point.values[0]


def _is_several(point: Point) -> bool:
    return len(point.values) != 1 or len(point.counts) > 0


def _some(remaining: list[tuple[Place, Series]]) -> list[tuple[Any, ...]]:
    """Takes as many from the end as are written in one go."""
    part: list[tuple[Any, ...]] = []
    size = 0
    while remaining and size < _BYTES_AT_ONCE and len(part) < _SERIES_AT_ONCE:
        place, series = remaining.pop()
        series.freeze()
        size += series.size
        part.append(_dumped(place, series))
    return part


def _dumped(place: Place, series: Series) -> tuple[Any, ...]:
    metric = series.metric
    return (
        series.number,
        place,
        (metric.namespace, metric.name, metric.dimensions),
        series.unit,
        series.dump(),
    )


def _write(file: BinaryIO, data: Any) -> int:
    body = marshal.dumps(data)
    file.write(_HEAD.pack(len(body), zlib.crc32(body)))
    file.write(body)
    return len(body)


def _frames(path: Path) -> Iterator[tuple[Any, ...]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while head := file.read(_HEAD.size):
            if len(head) < _HEAD.size:
                break
            size, checksum = _HEAD.unpack(head)
            body = file.read(size)
            if len(body) < size or zlib.crc32(body) != checksum:
                _log.warning("The end of %s is broken and left out.", path.name)
                break
            yield cast("tuple[Any, ...]", marshal.loads(body))  # noqa: S302
