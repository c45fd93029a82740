"""`paved new` and `paved schema`: a service to start from, and what may be said of one."""

from __future__ import annotations

import getpass
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pavedroad.cli.screen import AsJson, result, say
from pavedroad.core.errors import Conflict, InvalidInput, Unavailable
from pavedroad.core.names import ClusterName
from pavedroad.manifest.loading import load
from pavedroad.manifest.schema import json_schema

_TEMPLATES = Path(__file__).with_name("templates")


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
    if str(ClusterName.parse(name)) != name or "-" in name:
        raise InvalidInput(
            f"'{name}' is not an application's name: it takes letters, digits, '.' and '_'.",
            next_step=f"Try `paved new {re.sub(r'[^a-zA-Z0-9._]+', '_', name).strip('_') or 'api'}`.",
        )
    folder = Path(name)
    if folder.exists():
        raise Conflict(
            f"{folder.absolute()} is there already.", next_step="Choose another name, or remove it."
        )
    files = _write(folder, _TEMPLATES / kind, {"@NAME@": name, "@OWNER@": owner or _user()})
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


def _write(folder: Path, template: Path, words: dict[str, str]) -> list[str]:
    written: list[str] = []
    try:
        for source in sorted(path for path in template.rglob("*") if path.is_file()):
            text = source.read_text()
            for word, value in words.items():
                text = text.replace(word, value)
            target = folder / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            written.append(str(target.relative_to(folder)))
    except OSError as error:
        raise Unavailable(
            f"{folder.absolute()} cannot be written: {error.strerror}.", next_step="Choose a folder that can."
        ) from error
    return written


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
