"""What the screens look like where there is little room, and what is said where `paved` is not known."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.status import Status
from rich.text import Text

from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import Screen
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


HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "\x1b]8;;http://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31mC1",
    "\x90qdcs\x9c",
    "all is well\rFAILED     ",
    "abc\x08\x08\x08xyz",
    "\u202eevil\u202c \u2066x\u2069",
    "zero\u200bwidth\ufeff",
    "[link=http://evil.example]a link[/link] [red]red[/red] [/]",
    ":fire: :warning:",
    "a lone \udc80 surrogate",
    "\x00\x0b\x0c\x0e\x7f",
)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A screen that believes to be one, in memory."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    made = Screen(file=io.StringIO())
    assert made.is_terminal
    return made


def written(screen: Screen) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_others_wrote_rules_no_terminal(terminal: Screen, text: str) -> None:
    rows = Rows("NAME", "REASON", beneath=("REASON",))
    rows.add("x", text)
    for thing in (text, Text(text), Text.assemble(text, " ", text), rows.text(None), rows.text(8)):
        terminal.print(thing)
    said = written(terminal)
    said.encode()
    for styled in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):  # the headings' and what is beneath, our own
        said = said.replace(styled, "")
    assert not [it for it in said if it not in "\n\t" and not it.isprintable()], repr(said)
    assert "fire:" in said or ":fire:" not in text
    assert "[link=http://evil.example]" in said or "[link" not in text


def test_what_moves_while_someone_watches_is_no_less_careful(terminal: Screen) -> None:
    with Status(Text.assemble(("1.0 s", "dim"), " ", HOSTILE[1]), console=terminal):
        terminal.print(HOSTILE[0])
    said = written(terminal)
    assert "\x1b]" not in said
    assert "\x1b[31m" not in said
    assert "␛[31mred" in said


def test_our_own_styles_reach_the_terminal(terminal: Screen) -> None:
    terminal.print("wrong", style="red")
    assert "\x1b[31mwrong" in written(terminal)


def test_lines_and_tabs_stay_what_they_are(terminal: Screen) -> None:
    terminal.print("one\ttwo\nthree \U0001f468\u200d\U0001f469 é 山")
    assert written(terminal).split("\n")[1] == "three \U0001f468\u200d\U0001f469 é 山"
