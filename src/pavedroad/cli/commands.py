"""The commands by name. Each is imported when it is used, so that none waits for what another needs."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "up": "lifecycle:up",
    "down": "lifecycle:down",
    "status": "standing:status",
    "open": "standing:open_portal",
    "new": "creating:new",
    "bake": "deploying:bake",
    "deploy": "deploying:deploy",
    "rollback": "changing:rollback",
    "enable": "changing:enable",
    "disable": "changing:disable",
    "resize": "changing:resize",
    "destroy": "changing:destroy",
    "clusters": "clusters:clusters",
    "applications": "clusters:applications",
    "images": "images:app",
    "deployments": "deployments:deployments",
    "cancel": "deployments:cancel",
    "logs": "logs:logs",
    "audit": "access:audit",
    "schema": "creating:schema",
    "validate": "creating:validate",
    "token": "access:app",
    "session": "access:sessions",
    "cloud": "cloud:app",
}
"""Each command's module here, and its name there: a function, or a Typer application of several."""


class _Loading(MutableMapping[str, Any]):
    """The commands as Typer keeps them, made when they are asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(name, *COMMANDS[name].split(":"))
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loading()


def _made(name: str, module: str, attribute: str) -> Any:
    found: Any = getattr(import_module(f"pavedroad.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group: Any = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)
