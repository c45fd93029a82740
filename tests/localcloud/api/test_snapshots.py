from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.snapshots import Snapshots
from pavedroad.localcloud.state import State
from tests.waiting import eventually


class Notes:
    """A part with state of its own."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def dump(self) -> object:
        return self.lines

    def load(self, saved: object) -> None:
        assert isinstance(saved, list)
        self.lines = saved  # pyright: ignore[reportUnknownMemberType]


def snapshots(
    path: Path, state: State, notes: Notes, version: str = "1", written: Callable[[], None] = lambda: None
) -> Snapshots:
    return Snapshots(path, state, {"notes": notes}, {"moto": version}, written)


def test_a_change_is_on_disk_soon_after(tmp_path: Path) -> None:
    path, state, notes = tmp_path / "state", State(), Notes()
    keeper = snapshots(path, state, notes)
    keeper.start()
    with state.changing():
        notes.lines.append("one")
    eventually(path.exists, within=5)
    restored = Notes()
    assert snapshots(path, State(), restored).restore()
    assert restored.lines == ["one"]
    keeper.close()


def test_closing_saves_what_was_not_saved_yet(tmp_path: Path) -> None:
    path, state, notes = tmp_path / "state", State(), Notes()
    keeper = snapshots(path, state, notes)
    keeper.start()
    with state.changing():
        notes.lines.append("last words")
    keeper.close()
    restored = Notes()
    assert snapshots(path, State(), restored).restore()
    assert restored.lines == ["last words"]


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    path, state = tmp_path / "state", State()
    keeper = snapshots(path, state, Notes())
    keeper.start()
    state.ring()
    keeper.close()
    assert not path.exists()


@pytest.mark.parametrize("damage", ["cut", "garbage", "version", "foreign"])
def test_a_snapshot_that_cannot_be_used_is_set_aside_and_named(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, notes = tmp_path / "state", Notes()
    notes.lines.append("x" * 1000)
    snapshots(path, State(), notes, "0" if damage == "version" else "1").save()
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        path.write_bytes(content[:40] + os.urandom(200))
    elif damage == "foreign":
        path.write_bytes(b"hello")
    restored = Notes()
    assert not snapshots(path, State(), restored).restore()
    assert restored.lines == []
    assert not path.exists()
    assert len(list(tmp_path.glob("state.broken-*"))) == 1
    assert "cannot be used" in caplog.text


def test_a_failed_write_keeps_the_last_good_snapshot(tmp_path: Path) -> None:
    path, state, notes = tmp_path / "state", State(), Notes()
    keeper = snapshots(path, state, notes)
    notes.lines.append("good")
    keeper.save()
    notes.lines.append(lambda: None)  # pyright: ignore[reportArgumentType] - cannot be pickled
    with pytest.raises(Exception, match="pickle"):
        keeper.save()
    restored = Notes()
    assert snapshots(path, State(), restored).restore()
    assert restored.lines == ["good"]


def test_contents_are_kept_once_and_deleted_when_nobody_holds_them(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    small, large = store.put(b"small"), store.put(b"x" * 100_000)
    assert store.put(b"x" * 100_000) == large
    assert [store.get(blob) for blob in (small, large)] == [b"small", b"x" * 100_000]
    assert store.open(large).read(3) == b"xxx"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    store.keep_only(set())
    assert files[0].exists(), "it is young: a call may be about to use it"
    os.utime(files[0], (1, 1))
    store.keep_only({large.digest})
    assert files[0].exists()
    store.keep_only(set())
    assert not files[0].exists()
