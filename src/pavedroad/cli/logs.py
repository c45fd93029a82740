"""`paved logs`: what the instances write to their consoles."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import cluster_path
from pavedroad.cli.screen import AsJson, out, result
from pavedroad.core.errors import InvalidInput, NotFound
from pavedroad.core.names import is_server_group
from pavedroad.core.showing import LINES, last_lines

_EVERY_SECONDS = 0.5
_OVERLAP = 512
_COLOURS = ("cyan", "magenta", "yellow", "green", "blue")


def logs(
    name: Annotated[str, typer.Argument(metavar="CLUSTER|GROUP|INSTANCE", help="Whose consoles.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay, and show lines as they come.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of each instance, from the end.")
    ] = LINES,
    raw: Annotated[
        bool, typer.Option("--raw", help="As written, escapes and all: for a file or a pipe, not a terminal.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The last lines that instances wrote; of a cluster, all groups that take traffic."""
    if raw and sys.stdout.isatty():
        raise InvalidInput(
            "What instances write may hold escapes that rule a terminal.",
            next_step="Leave out --raw, or send it to a file or a pipe.",
        )
    client = Client.here()
    if name.startswith("i-"):
        client.get(f"/v1/instances/{segment(name)}/console")
    consoles = {instance: _console(client, instance) for instance in _instances(client, name)}
    first = {instance: last_lines(text, lines) for instance, text in consoles.items()}
    if as_json:
        result(first)
        return
    printer = _Printer(single=name.startswith("i-"), raw=raw)
    for instance, text in first.items():
        printer.show(instance, text)
    while follow:
        time.sleep(_EVERY_SECONDS)
        for instance in _instances(client, name):
            text = _console(client, instance)
            printer.show(instance, fresh(consoles.get(instance, ""), text))
            consoles[instance] = text


def fresh(before: str, now: str) -> str:
    """What came since; a console is a window on the end of a stream."""
    if now.startswith(before):
        return now[len(before) :]
    found = now.rfind(before[-_OVERLAP:])
    return now[found + len(before[-_OVERLAP:]) :] if found >= 0 else now


class _Printer:
    """Whole lines, each after its instance's name; a line begun is held until it ends."""

    def __init__(self, *, single: bool, raw: bool) -> None:
        self._single = single
        self._raw = raw
        self._begun: dict[str, str] = {}
        self._colours: dict[str, str] = {}

    def show(self, instance: str, text: str) -> None:
        *lines, rest = (self._begun.get(instance, "") + text).split("\n")
        self._begun[instance] = rest
        colour = self._colours.setdefault(instance, _COLOURS[len(self._colours) % len(_COLOURS)])
        for line in lines:
            if not self._single:
                out.print(f"{instance} ", style=colour, end="")
            if self._raw:
                out.file.write(line.encode(errors="replace").decode() + "\n")
            else:
                out.print(line)


def _instances(client: Client, name: str) -> list[str]:
    if name.startswith("i-"):
        return [name]
    if is_server_group(name):
        groups: list[dict[str, Any]] = [client.get(f"/v1/server-groups/{segment(name)}")]
    else:
        cluster = client.get(cluster_path(name))
        groups = [group for group in cluster["server_groups"] if group["enabled"]] or cluster["server_groups"]
    return [instance["id"] for group in groups for instance in group["instances"]]


def _console(client: Client, instance: str) -> str:
    try:
        found = client.get(f"/v1/instances/{segment(instance)}/console")
    except NotFound:
        return ""
    return found if isinstance(found, str) else found["console"]
