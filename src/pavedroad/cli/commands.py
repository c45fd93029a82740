"""The commands by name. Each is imported when it is used, so that none waits for what another needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Entry:
    """A command's module here and its name there, a function or a Typer application of several; and what it
    does in a few words."""

    place: str
    help: str


COMMANDS = {
    "up": Entry("lifecycle:up", "Start the private cloud, the platform and the portal."),
    "down": Entry("lifecycle:down", "Stop everything that runs here; state is kept."),
    "status": Entry("standing:status", "What runs, where, since when, and whether the cloud answers."),
    "open": Entry("standing:open_portal", "Print a link to the portal that signs you in, once."),
    "new": Entry("creating:new", "Write a folder with a working service and its paved.yaml."),
    "bake": Entry("deploying:bake", "Make an image of a folder."),
    "deploy": Entry("deploying:deploy", "Ship a folder: bake, launch beside, wait, give it the traffic."),
    "rollback": Entry("changing:rollback", "Give the traffic back to an earlier server group."),
    "enable": Entry("changing:enable", "Let a server group take traffic."),
    "disable": Entry("changing:disable", "Take a server group's traffic away."),
    "resize": Entry("changing:resize", "Change how many instances a server group has."),
    "destroy": Entry("changing:destroy", "Delete a server group, or a cluster with all it has."),
    "clusters": Entry("clusters:clusters", "The clusters with their server groups, and how they do."),
    "applications": Entry("clusters:applications", "The applications with their owners and clusters."),
    "images": Entry("images:app", "The images that were baked: list them, and prune."),
    "deployments": Entry("deployments:deployments", "The deployments, newest first; or one, line by line."),
    "cancel": Entry("deployments:cancel", "Stop a deployment and take away what it made."),
    "logs": Entry("logs:logs", "The last lines that instances wrote."),
    "audit": Entry("access:audit", "What was done, by whom, to what, and how it ended."),
    "schema": Entry("creating:schema", "Print the JSON Schema of paved.yaml, for editors."),
    "validate": Entry("creating:validate", "Check a paved.yaml."),
    "token": Entry("access:app", "Tokens for the API: make, list and revoke them."),
    "session": Entry("access:sessions", "Browsers that are signed in: list and end them."),
    "cloud": Entry("cloud:app", "The private cloud alone: an AWS endpoint on this machine."),
}

CLOUD = {
    "up": Entry("lifecycle:cloud_up", "Start the private cloud without the platform."),
    "down": Entry("lifecycle:cloud_down", "Stop what runs here; the cloud's state is kept."),
    "status": Entry("cloud:status", "Whether the private cloud runs, and where."),
    "env": Entry("cloud:env", "Lines to `eval` so that AWS clients use it."),
    "fault": Entry("faults:app", "Faults on purpose. Each ends by itself."),
}
"""Of `paved cloud`."""


class Later(TyperCommand):
    """A command that is imported once it is to run."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.help)
        self._entry = entry

    @cached_property
    def command(self) -> Any:
        """The command itself."""
        module, attribute = self._entry.place.split(":")
        return _made(self.name or "", getattr(import_module(f"pavedroad.cli.{module}"), attribute))

    def make_context(self, *arguments: Any, **details: Any) -> Any:
        return self.command.make_context(*arguments, **details)


class Commands(TyperGroup):
    """The group of all commands; a group of others says which."""

    table: ClassVar[Mapping[str, Entry]] = COMMANDS

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: Later(name, entry) for name, entry in self.table.items()}


def group(*, help: str, cls: type[TyperGroup] = TyperGroup, **attributes: Any) -> typer.Typer:
    """Of several commands. Its help is plain text: frames and markup would take longer than most commands."""
    return typer.Typer(help=help, cls=cls, no_args_is_help=True, rich_markup_mode=None, **attributes)


def _made(name: str, found: Any) -> Any:
    if isinstance(found, typer.Typer):
        made: Any = typer.main.get_group(found)
        made.name = name
        return made
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(found)
    return typer.main.get_command(alone)
