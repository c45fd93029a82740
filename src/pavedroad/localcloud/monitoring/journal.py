"""Datapoints on disk: appended as they come, and now and then written anew as the series that they made.

Each file is of frames: length, checksum, `marshal`ed data. A last one that is broken was never whole, and is
left out: a crash never costs a start. What is damaged elsewhere is left as it is, and no datapoints are kept
until somebody has seen to it. Who puts datapoints is answered once they are on disk (`keep`);
calls that come at the same time share a write. What the cloud measures of itself follows within half a
second. A series knows the number of its last datapoint, so that one that is in both files counts once. All is
read in the background of a start.
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
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from pavedroad.core.files import sync, write_whole
from pavedroad.localcloud.monitoring.retention import Retention
from pavedroad.localcloud.monitoring.series import Series, Summary
from pavedroad.localcloud.monitoring.store import Place, Point, Store, apply, metric_id

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
PAUSE_SECONDS = 5.0
"""After a write that failed."""
COMPACT_BYTES = 16 * 2**20
"""How much is appended before the series are written anew: the next start reads as much point by point."""
TIDY_SECONDS = 600.0
_BYTES_AT_ONCE = 2**20
_SERIES_AT_ONCE = 500
_HEAD = struct.Struct(">II")
_ZEROS = 64
"""In a row, at the end: no frame ends so."""
_FORMAT = "pavedroad-metrics-1"


class Damaged(ValueError):
    """The sentence says which file."""


class NotKept(Exception):
    """The sentence says why."""


class MetricJournal:
    """Keeps a store in a folder. `start` begins to read what there is; `close` ends it."""

    def __init__(self, folder: Path, store: Store, retention: Retention) -> None:
        self._folder = folder
        self._store = store
        self._retention = retention
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._writing = threading.RLock()
        """Held by whoever writes; taken before the store's lock."""
        self._anew = threading.Lock()
        """Held by whoever writes all series."""
        self._written = 0
        """The number of the last datapoint that is on disk."""
        self._is_short = False
        """Something could not be appended: all is to be written anew."""
        self._failure = ""
        self._file: int | None = None
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
        if self._file is not None:
            with suppress(NotKept):
                self._flush()
            os.close(self._file)

    @property
    def failure(self) -> str:
        """Why datapoints are not kept, in a sentence; empty while all is well."""
        return self._failure

    def keep(self) -> None:
        """Return once all that has been put is on disk; `NotKept` where it cannot be."""
        self._store.wait_whole()
        number = self._store.points
        with self._writing:
            if self._written < number:
                self._flush()

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
        while self._file is not None and not self._ended.wait(FLUSH_SECONDS):
            try:
                self._flush()
                if self._appended > COMPACT_BYTES or time.monotonic() - self._tidied_at > TIDY_SECONDS:
                    self._retention.tidy(self._store)
                    self._compact()
            except NotKept as error:
                _log.error("%s", error)
                self._ended.wait(5)
            except Exception:
                _log.exception("Datapoints could not be written to %s", self._folder)
                self._ended.wait(PAUSE_SECONDS)

    def _begin(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._restore()
            self._open(self._generation + 1)
            self._written = self._store.points
            self._store.journal = self
        except Exception as error:
            self._failure = f"Datapoints could not be read from {self._folder}, and are not kept: {error}."
            _log.error("%s", self._failure, exc_info=not isinstance(error, Damaged | OSError))
        finally:
            self._store.has_past()

    def _flush(self) -> None:
        with self._writing:
            if self._file is None:
                raise NotKept(self._failure)
            if self._is_short:
                self._write_anew()
                return
            with self._store.lock:
                frame, points = self._frame(), self._store.points
                self._clear()
            if frame:
                self._append(self._file, _framed(frame))
            self._written = points

    def _append(self, descriptor: int, framed: bytes) -> None:
        try:
            left = memoryview(framed)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        except OSError as error:
            self._is_short = True
            raise self._refused(error) from error
        self._appended += len(framed)

    def _refused(self, error: OSError) -> NotKept:
        self._failure = f"Datapoints could not be written to {self._folder}: {error}."
        return NotKept(self._failure)

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
        with self._writing:
            self._flush()
            self._open(self._generation + 1)
            generation = self._generation
        self._write_all(generation)
        self._tidied_at = time.monotonic()
        with self._writing:
            if not self._is_short:
                self._failure = ""

    def _write_anew(self) -> None:
        """All there is, where something could not be appended."""
        with self._store.lock:
            self._clear()
            points = self._store.points
        self._write_all(self._generation + 1)
        self._open(self._generation + 1)
        self._is_short, self._failure, self._written = False, "", points

    def _write_all(self, generation: int) -> None:
        with self._anew:
            try:
                write_whole(self._folder / "series", self._everything(generation))
            except OSError as error:
                raise self._refused(error) from error
            for older, path in self._appendices():
                if older < generation:
                    path.unlink()

    def _everything(self, generation: int) -> Iterator[bytes]:
        with self._store.lock:
            everything = list(self._store.everything())
            points = self._store.points
        everything.reverse()
        yield _framed((_FORMAT, generation, points))
        while everything:
            with self._store.lock:
                part = _some(everything)
            yield _framed(part)
            # The lock is not fair: callers who wait for it get it now.
            time.sleep(0.001)

    def _open(self, generation: int) -> None:
        try:
            path = self._folder / f"appended-{generation:08d}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            sync(self._folder)
        except OSError as error:
            raise self._refused(error) from error
        if self._file is not None:
            os.close(self._file)
        self._file, self._generation = descriptor, generation
        self._appended = sum(path.stat().st_size for _, path in self._appendices())

    def _appendices(self) -> list[tuple[int, Path]]:
        found = self._folder.glob("appended-*")
        return sorted((int(path.name.rpartition("-")[2]), path) for path in found)

    def _restore(self) -> None:
        """Without the lock: until all is read nobody else looks into the store."""
        frames = _frames(self._folder / "series", is_whole=True)
        head = next(frames, None)
        if head is not None and head[0] != _FORMAT:
            raise Damaged("series was written by another version; install that, or move the file away")
        if head is None and (appended := self._appendices()) and appended[0][0] > 1:
            raise Damaged("series is missing or empty; put a copy of it in its place, or move all away")
        if head is not None:
            self._generation, self._store.points = head[1], head[2]
            for part in frames:
                for number, place, key, unit, dumped in part:
                    series = self._store.open(tuple(place), metric_id(*key), unit, number)
                    series.load(dumped)
        for generation, path in self._appendices():
            for frame in _frames(path):
                if frame[1] > self._store.points + 1:
                    raise Damaged(f"those before {path.name} are missing; put copies back, or move all away")
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


def _framed(data: Any) -> bytes:
    body = marshal.dumps(data)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _frames(path: Path, *, is_whole: bool = False) -> Iterator[tuple[Any, ...]]:
    """`Damaged` where that is no end that a crash has left: of a file that is written whole, anywhere."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        if path.is_symlink():
            raise Damaged(f"{path.name} is a link to nothing; put a copy in its place") from None
        return
    with file:
        left = os.fstat(file.fileno()).st_size
        while left:
            head = file.read(_HEAD.size)
            left -= len(head)
            size, checksum = _HEAD.unpack(head.ljust(_HEAD.size, b"\0"))
            body = file.read(min(size, left) or left)
            left -= len(body)
            if not size or len(body) < size or zlib.crc32(body) != checksum:
                if is_whole or left or not _is_end(head, body, size):
                    raise Damaged(f"{path.name} is damaged; put a copy of it in its place, or move it away")
                _log.warning("The end of %s is broken and left out.", path.name)
                break
            yield cast("tuple[Any, ...]", marshal.loads(body))  # noqa: S302


def _is_end(head: bytes, body: bytes, size: int) -> bool:
    """Whether that is how a crash leaves what it was appending: the beginning of a frame, or zeros for what
    had not come to the disk. A frame that is all there, or is followed by another, was damaged later."""
    if body.endswith(b"\0" * _ZEROS) or not any(head + body):
        return True
    return len(body) < size and (not body or _begins(body)) and not _holds_frame(head + body)


def _holds_frame(content: bytes) -> bool:
    """Also one whose length is what is wrong, of which all comes to the end."""
    for at in range(len(content) - _HEAD.size):
        size, checksum = _HEAD.unpack_from(content, at)
        body = memoryview(content)[at + _HEAD.size :]
        wanted = len(body) if at == 0 else size
        if 0 < wanted <= len(body) and _begins(body) and zlib.crc32(body[:wanted]) == checksum:
            return True
    return False


def _begins(body: bytes | memoryview) -> bool:
    """As a frame does: with a tuple or a list, which `marshal` marks so."""
    return body[0] & 0x7F in b"()["
