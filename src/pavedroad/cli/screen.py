"""What the command shows: results on stdout, all else on stderr; colours only where someone looks."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from typing import IO, Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from pavedroad.cli.rows import Rows
from pavedroad.core.errors import InvalidInput, PavedError
from pavedroad.core.showing import shown

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON of the API's models on stdout, and nothing else.")
]


class Screen(Console):
    """Whatever is printed may hold what instances, builds and strangers wrote: it is shown, never obeyed.
    Styles are given as such (`Text`), never in the text."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        super().__init__(stderr=stderr, file=file, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))


out = Screen()
err = Screen(stderr=True)


class _Speech:
    json = False


def speak_json(wanted: bool) -> None:
    """Whether a program reads this: stderr has then the error alone, as JSON."""
    _Speech.json = wanted


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


def say(text: str | Text) -> None:
    """A line of a result, on stdout."""
    out.print(text)


def note(text: str | Text) -> None:
    """A line about what goes on, on stderr."""
    if not _Speech.json:
        err.print(text)


def must_be_asked(doing: str) -> None:
    """Raises InvalidInput where nobody is there to be asked, such as in a script."""
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"This would {doing}, and nobody is here to be asked.", next_step="Say --yes if that is meant."
        )


def confirm(doing: str) -> None:
    """Go on only if whoever asked means it: `delete the server group api-v003`."""
    must_be_asked(doing)
    typer.confirm(shown(f"{doing[:1].upper()}{doing[1:]}?"), abort=True, err=True)


def show(rows: Rows) -> None:
    out.print(fitted(rows))


def fitted(rows: Rows) -> Text:
    """As the screen has room for it; in a file or a pipe nothing is left out."""
    return rows.text(out.width if out.is_terminal else None)


def complain(error: PavedError, exit_code: int) -> None:
    """What is wrong, and the next step; on stderr."""
    if _Speech.json:
        problem = {"code": error.code, "detail": error.sentence, "next_step": error.next_step}
        sys.stderr.write(json.dumps({**problem, "exit_code": int(exit_code)}) + "\n")
        return
    err.print(error.sentence, style="red")
    if error.next_step:
        err.print(f"next: {error.next_step}")
