"""Every command, setting and HTTP route has its line in the reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import APIRoute

from pavedroad.cli.exits import Exit
from pavedroad.cli.main import app as command_line
from pavedroad.core import errors
from pavedroad.platform.app import routers
from pavedroad.platform.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def _commands(command: Any, name: str) -> list[str]:
    command = getattr(command, "command", command)
    children: dict[str, Any] | None = getattr(command, "commands", None)
    if children is None:
        return [name]
    return [deeper for child, sub in children.items() for deeper in _commands(sub, f"{name} {child}")]


def test_every_command_is_documented() -> None:
    text = (REFERENCE / "commands.md").read_text()
    commands = _commands(typer.main.get_command(command_line), "paved")
    assert len(commands) > 20
    assert not [name for name in commands if f"`{name}" not in text]


def test_every_setting_is_documented() -> None:
    text = (REFERENCE / "settings.md").read_text()
    assert not [name for name in Settings.model_fields if f"`PAVED_{name.upper()}`" not in text]


def test_every_route_is_documented() -> None:
    text = (REFERENCE / "http-api.md").read_text()
    routes = {
        (method, route.path)
        for router in routers()
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }
    assert len(routes) > 20
    assert not [f"{method} {path}" for method, path in sorted(routes) if f"`{method} {path}`" not in text]


def test_every_error_is_documented_with_its_status_and_exit_code() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| (\d+) \| (\d+) \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE
    )
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.PavedError)
    ]
    assert {kind.code: (kind.status, Exit.of(kind.code)) for kind in kinds} == {
        code: (int(status), int(exits)) for code, status, exits in rows
    }
    assert [kind.code for kind in kinds if Exit.of(kind.code) == Exit.INTERNAL] == ["internal"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_readme_s_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text())
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
