"""What the screens look like where there is little room, and what is said where `paved` is not known."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pavedroad.cli.rows import Rows
from pavedroad.cli.tour import next_commands

REASON = "0 of 3 healthy: connection refused on the health check."


def rows() -> Rows:
    made = Rows("ID", "CLUSTER", "WHO", "REASON", beneath=("REASON",), spare=("WHO",))
    made.add("dep-1", "hello", "administrator", REASON)
    made.add("dep-2", "other", "ci", "")
    return made


def test_nothing_is_left_out_of_a_pipe() -> None:
    assert rows().text(None).plain.splitlines() == [
        "ID     CLUSTER  WHO            REASON",
        f"dep-1  hello    administrator  {REASON}",
        "dep-2  other    ci",
    ]
    assert rows().text(200).plain == rows().text(None).plain


def test_what_is_too_wide_goes_beneath_its_row() -> None:
    assert rows().text(40).plain.splitlines() == [
        "ID     CLUSTER  WHO",
        "dep-1  hello    administrator",
        "    0 of 3 healthy: connection refused",
        "    on the health check.",
        "dep-2  other    ci",
    ]


def test_then_what_may_be_spared_is_left_out() -> None:
    assert rows().text(20).plain.splitlines()[:2] == ["ID     CLUSTER", "dep-1  hello"]


def test_a_cell_is_one_line_and_an_address_is_never_broken() -> None:
    made = Rows("NAME", "ADDRESS", beneath=("ADDRESS",))
    made.add("two\nlines", "http://127.16.0.12:18080")
    assert made.text(12).plain.splitlines() == ["NAME", "two lines", "    http://127.16.0.12:18080"]


def test_no_line_ends_in_blanks() -> None:
    assert all(
        line == line.rstrip() for width in (None, 40, 20) for line in rows().text(width).plain.split("\n")
    )


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `paved` in a folder of its own, as of a virtual environment."""
    folder = tmp_path / "our venv" / "bin"
    folder.mkdir(parents=True)
    made = folder / "paved"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return made


def test_where_paved_is_not_on_the_path_it_is_put_there_first(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    first, *commands = next_commands()
    assert first == f"export PATH='{program.parent}':$PATH"
    assert all(command.startswith("paved ") for command in commands)


def test_where_it_is_on_the_path_even_by_a_link_nothing_more_is_said(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paved").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert next_commands()[0] == "paved clusters --watch"
