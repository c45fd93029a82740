"""Datapoints over a restart, a crash, and a file that ends in the middle."""

from __future__ import annotations

import errno
import resource
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.clock import ManualClock
from pavedroad.core.files import write_whole
from pavedroad.localcloud.monitoring import journal
from pavedroad.localcloud.monitoring.journal import MetricJournal, NotKept
from pavedroad.localcloud.monitoring.retention import Retention
from pavedroad.localcloud.monitoring.series import Summary
from pavedroad.localcloud.monitoring.store import Point, Store, metric_id
from tests.localcloud.monitoring.bench import BEGINNING
from tests.waiting import eventually

PLACE = ("123456789012", "us-east-1")
NOW = BEGINNING.timestamp()


def point(value: float, name: str = "Load", at: float = NOW, **more: Any) -> Point:
    metric = metric_id("Test", name, [("Host", "a")])
    return Point(metric, "Count", at, 60, more.pop("values", (value,)), **more)


def content(store: Store) -> list[Any]:
    return [(place, series.metric, series.unit, series.dump()) for place, series in store.everything()]


def begun(folder: Path) -> tuple[Store, MetricJournal]:
    store = Store()
    kept = MetricJournal(folder, store, Retention(ManualClock(BEGINNING)))
    kept.start()
    store.wait_whole()
    return store, kept


def fill(store: Store) -> None:
    store.put(PLACE, [point(float(number), f"m{number % 7}") for number in range(500)])
    store.put(PLACE, [point(0, values=(1.0, 2.0), counts=(3.0, 4.0))])
    store.put(PLACE, [point(0, values=(), summary=Summary(3, 6, 1, 3))])


def test_datapoints_outlive_a_restart(tmp_path: Path) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.close()
    again, kept_again = begun(tmp_path)
    assert content(again) == content(store)
    assert again.points == store.points == 502
    kept_again.close()


def test_what_comes_while_the_past_is_read_comes_after_it(tmp_path: Path) -> None:
    before, kept = begun(tmp_path)
    before.put(PLACE, [point(1.0)])
    kept.close()
    store = Store()
    again = MetricJournal(tmp_path, store, Retention(ManualClock(BEGINNING)))
    store.await_past()
    store.put(PLACE, [point(2.0)])
    assert not store.is_whole
    assert store.metrics(PLACE) == []
    again.start()
    store.wait_whole()
    ((_, series),) = store.everything()
    assert (list(series.counts), list(series.totals)) == ([2.0], [3.0])
    again.close()
    last, kept = begun(tmp_path)
    assert content(last) == content(store)
    kept.close()


def test_a_folder_that_cannot_be_read_leaves_datapoints_in_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text("no folder")
    store, kept = begun(tmp_path / "metrics")
    store.put(PLACE, [point(1.0)])
    assert store.points == 1
    with pytest.raises(NotKept, match="could not be read"):
        kept.keep()
    eventually(lambda: "metrics" not in {thread.name for thread in threading.enumerate()})  # nothing to do
    kept.close()


def test_a_crash_costs_what_was_not_written_yet_at_most(tmp_path: Path) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    eventually(lambda: sum(path.stat().st_size for path in tmp_path.iterdir()) > 500)
    again, kept_again = begun(tmp_path)
    assert content(again) == content(store)
    kept.close()
    kept_again.close()


def test_what_was_kept_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 1000)
    store, kept = begun(tmp_path)
    fill(store)
    kept.keep()
    again, kept_again = begun(tmp_path)
    assert content(again) == content(store)
    kept.close()
    kept_again.close()


def test_a_full_disk_is_said_and_all_is_written_once_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was put meanwhile, and after half a frame was written."""
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 1000)
    store, kept = begun(tmp_path)
    fill(store)
    kept.keep()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(path.stat().st_size for path in tmp_path.iterdir())
    try:
        for most in (size + 100, 100, 100):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, limit[1]))
            fill(store)
            with pytest.raises(NotKept, match="File too large"):
                kept.keep()
        assert str(tmp_path) in kept.failure
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert len(list(tmp_path.iterdir())) == 1
    store.put(PLACE, [point(7.0)])
    kept.keep()
    assert kept.failure == ""
    store.put(PLACE, [point(8.0)])
    kept.keep()
    again, kept_again = begun(tmp_path)
    assert content(again) == content(store)
    kept.close()
    kept_again.close()


def test_all_is_well_again_once_the_series_could_be_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = threading.Event()

    def write(path: Path, content: Iterable[bytes]) -> None:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        write_whole(path, content)

    is_full.set()
    monkeypatch.setattr(journal, "write_whole", write)
    monkeypatch.setattr(journal, "COMPACT_BYTES", 0)
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(journal, "PAUSE_SECONDS", 0.02)
    store, kept = begun(tmp_path)
    store.put(PLACE, [point(1.0)])
    eventually(lambda: "No space left" in kept.failure)
    is_full.clear()
    eventually(lambda: kept.failure == "")
    kept.close()


def test_compacting_and_what_comes_meanwhile_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "COMPACT_BYTES", 0)
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 0.02)
    store, kept = begun(tmp_path)
    for round_ in range(30):
        store.put(PLACE, [point(float(number), f"m{number}", NOW + 60 * round_) for number in range(100)])
    eventually((tmp_path / "series").exists)
    fill(store)
    kept.close()
    again, kept_again = begun(tmp_path)
    assert content(again) == content(store)
    kept_again.close()


def test_a_broken_end_is_left_out(tmp_path: Path) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.close()
    (appended,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    whole = appended.read_bytes()
    for length in (3, 8, 9, 400, len(whole) - 1):
        appended.write_bytes(whole + whole[:length])
        again, kept_again = begun(tmp_path)
        assert kept_again.failure == ""
        assert content(again) == content(store)
        kept_again.close()


def damaged(folder: Path, content: bytes) -> None:
    """Is named, stays as it is, and takes no datapoints in."""
    (appended,) = [path for path in folder.iterdir() if path.stat().st_size]
    appended.write_bytes(content)
    again, kept_again = begun(folder)
    assert f"{appended.name} is damaged" in kept_again.failure
    again.put(PLACE, [point(1.0)])
    with pytest.raises(NotKept, match="is damaged"):
        kept_again.keep()
    kept_again.close()
    assert appended.read_bytes() == content
    assert [path for path in folder.iterdir() if path.stat().st_size] == [appended]


@pytest.mark.parametrize("length", [0, 1, 5000, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize("frame", ["first", "last"])
def test_a_length_that_is_damaged_is_named_and_takes_no_memory(
    tmp_path: Path, frame: str, length: int
) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.keep()
    (appended,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    second = appended.stat().st_size
    fill(store)
    kept.close()
    at = 0 if frame == "first" else second
    whole = appended.read_bytes()
    with limited_memory(256 << 20):
        damaged(tmp_path, whole[:at] + length.to_bytes(4, "big") + whole[at + 4 :])


@pytest.mark.parametrize("end", [b"garbage " * 10, b"\x00\x00\x10\x00half of a frame", b"\xff" * 5000])
def test_what_is_no_beginning_of_a_frame_is_named(tmp_path: Path, end: bytes) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.close()
    (appended,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    damaged(tmp_path, appended.read_bytes() + end)


@pytest.mark.parametrize("lost", ["series", "appended-00000002"])
@pytest.mark.parametrize("emptied", [True, False])
def test_a_file_that_is_missing_or_empty_among_others_is_said(
    tmp_path: Path, lost: str, emptied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for round_ in range(3):
        monkeypatch.setattr(journal, "COMPACT_BYTES", 0 if lost == "series" and not round_ else 1 << 30)
        monkeypatch.setattr(journal, "FLUSH_SECONDS", 0.02)
        store, kept = begun(tmp_path)
        fill(store)
        if lost == "series":
            eventually((tmp_path / lost).exists)
        kept.close()
    (tmp_path / lost).write_bytes(b"") if emptied else (tmp_path / lost).unlink()
    _, kept = begun(tmp_path)
    assert "missing" in kept.failure
    kept.close()


def test_a_link_to_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "appended-00000001").symlink_to("nowhere")
    _, kept = begun(tmp_path)
    assert "appended-00000001 is a link to nothing" in kept.failure
    kept.close()


@contextmanager
def limited_memory(more: int) -> Generator[None]:
    """`MemoryError` where this process asks for more than that on top."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("place", [9, 400])
def test_what_is_damaged_in_the_middle_is_said_and_left_as_it_is(tmp_path: Path, place: int) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.keep()
    fill(store)
    kept.close()
    (appended,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    changed = bytearray(appended.read_bytes())
    changed[place] ^= 0x55
    damaged(tmp_path, bytes(changed))


def test_zeros_at_the_end_are_no_datapoints(tmp_path: Path) -> None:
    store, kept = begun(tmp_path)
    fill(store)
    kept.close()
    (appended,) = [path for path in tmp_path.iterdir() if path.stat().st_size]
    with appended.open("ab") as file:
        file.write(bytes(4096))
    again, kept_again = begun(tmp_path)
    assert kept_again.failure == ""
    assert content(again) == content(store)
    kept_again.close()


def test_old_datapoints_grow_coarse_and_go_and_memory_is_bounded() -> None:
    clock = ManualClock(BEGINNING)
    store = Store()
    store.put(PLACE, [point(1.0, at=NOW - 60 * minute) for minute in range(14 * 24 * 60)])
    ((_, series),) = list(store.everything())
    assert len(series) == 14 * 24 * 60
    clock.advance(timedelta(days=15).total_seconds())
    Retention(clock).tidy(store)
    assert len(series) == 14 * 24 * 12 + 1
    Retention(clock, most_bytes=40 * 500).tidy(store)
    assert series.size <= 40 * 500
    clock.advance(timedelta(days=500).total_seconds())
    Retention(clock).tidy(store)
    assert list(store.everything()) == []
