"""The `paved` command: what it says of itself, and how every failure ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from pavedroad import __version__
from pavedroad.cli import interrupting
from pavedroad.cli.commands import Commands, group
from pavedroad.cli.exits import Exit
from pavedroad.cli.screen import complain, complain_of, say
from pavedroad.core.errors import PavedError

app = group(
    name="paved",
    cls=Commands,
    help="The paved road: ship services on a private cloud in the box, or on AWS.",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"pavedroad {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The paved road: ship services on a private cloud in the box, or on AWS."""


def run(arguments: Sequence[str]) -> int:
    """Run a command; gives its exit code. No failure ends in a traceback, unless PAVED_DEBUG is set."""
    try:
        return app(list(arguments), prog_name="paved", standalone_mode=False) or Exit.OK
    except PavedError as error:
        complain_of(error)
        return _ended(error, Exit.of(error.code))
    except TyperException as error:
        context = getattr(error, "ctx", None)
        if context is not None and error.format_message() == context.get_help():
            say(error.format_message())  # a group of commands alone
            return Exit.USAGE
        complain(_sentence(error.format_message().replace("Value error, ", "")), "See `paved --help`.")
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        complain(
            f"Something broke inside the command: {type(error).__name__}: {error}",
            "Run it again with PAVED_DEBUG=1 to see where, and report it.",
        )
        return _ended(error, Exit.INTERNAL)


def _ended(error: Exception, code: Exit) -> Exit:
    if os.environ.get("PAVED_DEBUG"):
        raise error
    return code


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def main() -> None:
    try:
        interrupting.listen()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)


if __name__ == "__main__":
    main()
