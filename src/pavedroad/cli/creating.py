"""`paved new` and `paved schema`: a service to start from, and what may be said of one."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pavedroad.cli.screen import AsJson, result, say
from pavedroad.manifest import starters
from pavedroad.manifest.loading import load
from pavedroad.manifest.schema import json_schema


class Kind(StrEnum):
    """What the service is written in."""

    PYTHON = "python"
    NODE = "node"
    COMMAND = "command"


def new(
    name: Annotated[str, typer.Argument(help="The application's name; also the folder's.")],
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="What it is written in.")] = Kind.PYTHON,
    owner: Annotated[
        str | None, typer.Option("--owner", help="The team or e-mail; default: your user name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a folder with a working service and its paved.yaml."""
    folder = Path(name)
    files = starters.write(folder, name=name, kind=kind.value, owner=owner or _user())
    if as_json:
        result({"folder": str(folder.absolute()), "files": files})
        return
    for file in files:
        say(f"  {name}/{file}")
    say(f"Ship it: paved deploy {name}")


def schema() -> None:
    """Print the JSON Schema of paved.yaml, for editors."""
    result(json_schema())


def validate(
    source: Annotated[Path, typer.Argument(metavar="[PATH]", help="The folder, or the file.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Check a paved.yaml; with --json, all that it says and leaves to the defaults."""
    manifest = load(source)
    if as_json:
        result(manifest.model_dump(mode="json"))
    else:
        say(f"{manifest.cluster}, of {manifest.owner}: all is well.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
