"""What the command shows: results on stdout, all else on stderr; colours only where someone looks."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pavedroad.core.errors import PavedError

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON of the API's models on stdout, and nothing else.")
]

_UNCUT = 400
"""Columns for what no terminal shows: a table in a file or a pipe loses nothing."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _UNCUT)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def live() -> bool:
    """Whether someone watches, so that lines may move."""
    return err.is_terminal


def result(data: Any) -> None:
    """A result as JSON, on stdout."""
    plain = (
        dataclasses.asdict(data) if dataclasses.is_dataclass(data) and not isinstance(data, type) else data
    )
    sys.stdout.write(json.dumps(plain, indent=2, default=str) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line of a result, on stdout."""
    out.print(text)


def note(text: str) -> None:
    """A line about what goes on, on stderr."""
    err.print(text)


def note_plain(text: str) -> None:
    """As `note`, for text that we did not write."""
    err.print(text, markup=False)


def show(table: Table) -> None:
    out.print(table)


def table(*columns: str) -> Table:
    """A table without borders; of its columns the last gives way where the screen is narrow."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        made.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    return made


def one_line(text: str) -> str:
    """A text for a table's cell."""
    return " ".join(text.split())


def complain(sentence: str, next_step: str | None = None) -> None:
    """What is wrong, and the next step."""
    err.print(sentence, style="red", markup=False)
    if next_step:
        err.print(f"next: {next_step}", markup=False)


def complain_of(error: PavedError) -> None:
    complain(error.sentence, error.next_step)
