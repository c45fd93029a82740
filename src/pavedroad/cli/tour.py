"""`paved up --tour`: a service shipped, shipped again under load, and taken back."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

from rich.text import Text

import pavedroad
from pavedroad.cli.client import Client
from pavedroad.cli.deploying import Deploy
from pavedroad.cli.load import Load
from pavedroad.cli.screen import note, say
from pavedroad.cli.story import Story
from pavedroad.core.errors import NotFound, PavedError

_VERSIONS = ("1.0.0", "2.0.0")
_LOOK_SECONDS = 1.5
_FLIP_SECONDS = 10.0


def take(client: Client, portal: Callable[[], str]) -> None:
    """The tour; `client` reaches a platform that is ready, and `portal` makes a link that is good once."""
    first, second = _VERSIONS
    with tempfile.TemporaryDirectory(prefix="paved-tour-") as folder:
        hello = Path(folder) / "hello"
        shutil.copytree(_example(), hello)

        note(_chapter(f"1. Ship version {first}", "paved deploy examples/hello"))
        url = _ship(client, hello, first)
        with Load(url) as load:
            note(_chapter(f"2. Ship version {second} beside it, under load", "paved deploy examples/hello"))
            time.sleep(_LOOK_SECONDS)
            _ship(client, hello, second, load)
            _until(load, second)

            note(_chapter("3. Take it back", "paved rollback hello"))
            done = client.post("/v1/clusters/hello/rollback", {"to": None})
            _until(load, first)
            note(f"  {done['enabled']} serves again after {done['seconds']:.2f} s; {load.counts()}")
    if load.failed:
        raise PavedError(
            f"The tour lost {load.failed} requests.",
            next_step="Report it, with `paved deployments` and the logs.",
        )
    note("")
    say(f"The service:  {url}")
    say(f"The portal:   {portal()}")
    for label, command in zip_longest(("Try next:",), next_commands(), fillvalue=""):
        say(f"{label:<14}{command}")


def _chapter(title: str, command: str) -> Text:
    return Text.assemble("\n", (title, "bold"), f": {command}")


def next_commands() -> list[str]:
    """What to try, as it works in the user's shell: one that knows no `paved`, or another, is told first."""
    program = Path(sys.executable).with_name("paved")
    known = shutil.which("paved")
    reach = [] if known and Path(known).resolve() == program.resolve() else [_export(program.parent)]
    return [*reach, "paved clusters --watch", "paved new api && paved deploy api", "paved down"]


def _export(folder: Path) -> str:
    return f"export PATH={shlex.quote(str(folder))}:$PATH"


def _ship(client: Client, folder: Path, version: str, load: Load | None = None) -> str:
    (folder / "version.txt").write_text(f"{version}\n")
    with Story(beside=load.counts if load else None) as story:
        deployment = Deploy(client, story).folder(folder, version=version)
        if load:
            time.sleep(_LOOK_SECONDS)
            story.line(load.counts())
    return deployment["url"]


def _until(load: Load, version: str) -> None:
    """Until that version answers; the flip is done, but an answer may still be on its way."""
    deadline = time.monotonic() + _FLIP_SECONDS
    while load.latest != version and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(_LOOK_SECONDS)


def _example() -> Path:
    """The example's folder: beside the sources, or in the installed package."""
    package = Path(pavedroad.__file__).parent
    for folder in (package / "examples" / "hello", package.parents[1] / "examples" / "hello"):
        if (folder / "paved.yaml").is_file():
            return folder
    raise NotFound(
        "The tour's service, examples/hello, is not there.", next_step="Run it in a clone of the repository."
    )
