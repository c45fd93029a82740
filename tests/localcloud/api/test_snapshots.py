from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.errors import StateUnreadable
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.snapshots import NotSaved, Snapshots
from pavedroad.localcloud.documents import Document
from pavedroad.localcloud.state import State
from tests.waiting import eventually


class Notes:
    """A part with state of its own."""

    form = Document(list[str])

    def __init__(self) -> None:
        self.lines: list[str] = []

    def dump(self) -> list[str]:
        return self.lines

    def load(self, saved: list[str]) -> None:
        self.lines = saved


def snapshots(path: Path, state: State, notes: Notes, **options: Any) -> Snapshots:
    return Snapshots(path, state, {"notes": notes}, **options)


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


def test_no_byte_may_be_another_one_and_none_may_be_missing(tmp_path: Path) -> None:
    path, notes = tmp_path / "state", Notes()
    notes.lines.append("something")
    snapshots(path, State(), notes).save()
    content = path.read_bytes()
    for place in range(len(content)):
        for damaged in (
            content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :],
            content[:place],
            content[:place] + b"x" + content[place:],
        ):
            path.write_bytes(damaged)
            restored = Notes()
            with pytest.raises(StateUnreadable, match=str(path)):
                snapshots(path, State(), restored).restore()
            assert (restored.lines, path.read_bytes()) == ([], damaged)
    assert [it.name for it in tmp_path.iterdir()] == ["state"]


def test_a_state_of_a_later_schema_asks_for_the_version_that_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"pavedroad-cloud-state 4 0123\n...")
    with pytest.raises(StateUnreadable, match="it is of schema 4, and this version reads up to 3") as refused:
        snapshots(path, State(), Notes()).restore()
    assert "Install the version of Pavedroad that wrote it" in (refused.value.next_step or "")


def test_a_state_that_is_missing_is_missed_once_there_was_one(tmp_path: Path) -> None:
    path, beside = tmp_path / "state", tmp_path / "instances"
    (beside / ".coming").mkdir(parents=True)
    keeper = snapshots(path, State(), Notes(), beside=[beside])
    assert not keeper.restore()
    keeper.begin()
    assert path.exists()
    (beside / "i-1").mkdir()
    assert keeper.restore()
    path.unlink()
    with pytest.raises(StateUnreadable, match="is missing"):
        keeper.restore()
    assert (beside / "i-1").exists()


def test_what_cannot_be_written_down_fails_the_call_that_brought_it_until_it_is_gone(tmp_path: Path) -> None:
    path, state, notes = tmp_path / "state", State(), Notes()
    keeper = snapshots(path, state, notes)
    notes.lines.append("good")
    keeper.start()

    def change(*lines: Any) -> int:
        with state.changing():
            notes.lines[1:] = lines
        return state.take_own_revision()

    keeper.keep(change("better"))
    with pytest.raises(NotSaved, match="what notes keeps cannot be written down"):
        keeper.keep(change(lambda: None))
    assert "what notes keeps" in keeper.failure
    restored = Notes()
    assert snapshots(path, State(), restored).restore()
    assert restored.lines == ["good", "better"]
    keeper.keep(change("best"))
    assert keeper.failure == ""
    keeper.close()


def test_what_fails_is_tried_again_by_itself(tmp_path: Path) -> None:
    folder, state, notes = tmp_path / "absent", State(), Notes()
    keeper = snapshots(folder / "state", state, notes)
    keeper.start()
    with state.changing():
        notes.lines.append("one")
    with pytest.raises(NotSaved, match="No such file or directory"):
        keeper.keep(state.take_own_revision())
    folder.mkdir()
    eventually(lambda: keeper.saved_revision == state.revision, within=30)
    assert keeper.failure == ""
    keeper.close()


@pytest.mark.parametrize("large", [False, True])
def test_a_save_that_takes_too_long_is_none(tmp_path: Path, large: bool) -> None:
    """A disk that does not answer: of a small state here, of a large one in the copy that writes it."""
    path, state, notes = tmp_path / "state", State(), Notes()
    if large:
        notes.lines += ["x" * 20] * 300_000
    keeper = snapshots(path, state, notes, limit_seconds=1.0)
    keeper.begin()
    if large:
        keeper.save()  # from now on it is known to be large
    draft = tmp_path / ".state.coming"
    os.mkfifo(draft)  # whoever opens it waits for a reader
    keeper.start()
    with state.changing():
        notes.lines.append("one")
    with pytest.raises(NotSaved, match=r"(within|longer than) 1 seconds"):
        keeper.keep(state.take_own_revision())
    eventually(lambda: keeper.failure)  # the save began a moment after the wait for it
    os.close(os.open(draft, os.O_RDONLY | os.O_NONBLOCK))  # who waits for a reader goes on
    draft.unlink(missing_ok=True)
    eventually(lambda: keeper.saved_revision == state.revision, within=30)
    assert keeper.failure == ""
    keeper.close()


def test_closing_does_not_write_beside_a_save_that_still_goes_on(tmp_path: Path) -> None:
    path, state, notes = tmp_path / "state", State(), Notes()
    keeper = snapshots(path, state, notes, limit_seconds=0.2)
    draft = tmp_path / ".state.coming"
    os.mkfifo(draft)  # whoever opens it waits for a reader
    keeper.start()
    with state.changing():
        notes.lines.append("one")
    with pytest.raises(NotSaved):
        keeper.keep(state.take_own_revision())
    keeper.close()
    os.close(os.open(draft, os.O_RDONLY | os.O_NONBLOCK))  # who waits for a reader goes on
    eventually(lambda: "snapshots" not in {thread.name for thread in threading.enumerate()}, within=30)


def test_a_part_that_does_not_take_what_was_saved_stops_the_start(tmp_path: Path) -> None:
    class Refusing(Notes):
        def load(self, saved: list[str]) -> None:
            raise KeyError("a line")

    keeper = snapshots(tmp_path / "state", State(), Notes())
    keeper.save()
    with pytest.raises(StateUnreadable, match="its part notes: 'a line'"):
        snapshots(tmp_path / "state", State(), Refusing()).restore()


def test_what_comes_while_others_are_deleted_is_in_nobodys_way(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    coming = tmp_path / ".coming" / "upload"
    coming.write_bytes(b"half")

    class Held(set[str]):
        def __contains__(self, name: object) -> bool:
            coming.unlink(missing_ok=True)  # it came in this very moment
            return False

    store.keep_only(Held())


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
