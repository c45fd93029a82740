"""`paved status` and `paved open`: how the platform stands, and where its portal is."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

import typer

from pavedroad.cli.client import Client
from pavedroad.cli.screen import AsJson, note, result, say
from pavedroad.core.places import Places


def status(as_json: AsJson = False) -> None:
    """What runs, where, since when, and whether the cloud answers."""
    client = Client.here()
    found = client.get("/v1/status")
    if as_json:
        result(found)
        return
    cloud = found["cloud"]
    say(f"Pavedroad {found['version']}, up for {_duration(found['uptime_seconds'])}")
    say(f"  portal and API   {found['url']}")
    kind = "private cloud" if cloud["private"] else "cloud"
    say(f"  {kind:<16} {cloud['endpoint'] or 'AWS'}  ({cloud['region']})")
    if not cloud["reachable"]:
        say(f"                   {cloud['reason']}")
    if cloud["services_listen"]:
        say(f"  services listen  {cloud['services_listen']}")
    for region in client.get("/v1/regions"):
        if not region["answers"]:
            say(f"  {region['name']:<16} does not answer: {region['reason']}")
    for part in found["parts"]:
        restarts = f", restarted {part['restarts']} times" if part["restarts"] else ""
        reason = f": {part['reason']}" if part["reason"] else ""
        say(f"  {part['name']:<16} {part['state']}, process {part['pid']}{restarts}{reason}")
    say(f"  home             {found['home']}")


def sign_in_link(client: Client) -> str:
    """An address of the portal that signs its opener in, once, within minutes."""
    return f"{client.url}{client.post('/v1/sign-in-links')['path']}"


def open_portal(as_json: AsJson = False) -> None:
    """Print a link to the portal that signs you in, once, and open it where there is a browser."""
    client = Client.here()
    made = client.post("/v1/sign-in-links")
    url = f"{client.url}{made['path']}"
    if as_json:
        result({"url": url, "expires_at": made["expires_at"]})
        return
    say(url)
    note("It signs in one browser, once, within 10 minutes.")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        typer.launch(str(_leading_to(url)))


def _leading_to(url: str) -> Path:
    """A page of this user's own that leads there: what a browser is started with, everybody here can read."""
    path = Places.default().home / "open.html"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">\n')
    return path


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
