"""The `paved` command: what it says of itself, and how every failure ends."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from pavedroad import __version__
from pavedroad.cli import interrupting, screen
from pavedroad.cli.commands import Commands, group
from pavedroad.cli.exits import Exit
from pavedroad.cli.screen import complain, say
from pavedroad.core.errors import InvalidInput, PavedError

_POSSIBLE = re.compile(r" \(Possible options: ([^)]*)\)")

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
    screen.speak_json("--json" in arguments)
    try:
        return app(list(arguments), prog_name="paved", standalone_mode=False) or Exit.OK
    except PavedError as error:
        return _failed(error, error)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        if context is not None and error.format_message() == context.get_help():
            say(error.format_message())  # a group of commands alone
            return Exit.USAGE
        return _failed(_misused(error.format_message(), context.command_path if context else "paved"))
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        broken = PavedError(
            f"Something broke inside the command: {type(error).__name__}: {error}",
            next_step="Run it again with PAVED_DEBUG=1 to see where, and report it.",
        )
        return _failed(broken, error)


def _misused(message: str, command: str) -> InvalidInput:
    """Of what makes no sense as typed."""
    sentence = message.replace("Value error, ", "").rstrip(".")
    sentence = _POSSIBLE.sub(lambda found: f". Did you mean {found[1].replace(', ', ' or ')}?", sentence)
    return InvalidInput(
        sentence if sentence.endswith(("?", "!")) else f"{sentence}.", next_step=f"See `{command} --help`."
    )


def _failed(error: PavedError, origin: Exception | None = None) -> Exit:
    code = Exit.of(error.code)
    complain(error, code)
    if origin is not None and os.environ.get("PAVED_DEBUG"):
        raise origin
    return code


def main() -> None:
    try:
        interrupting.listen()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)


if __name__ == "__main__":
    main()
