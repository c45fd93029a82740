"""`paved status` and `paved open`: how the platform stands, and where its portal is."""

from __future__ import annotations

import os

import typer

from pavedroad.cli.client import Client
from pavedroad.cli.screen import AsJson, result, say


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
    for region in client.get("/v1/regions"):
        if not region["answers"]:
            say(f"  {region['name']:<16} does not answer: {region['reason']}")
    for part in found["parts"]:
        restarts = f", restarted {part['restarts']} times" if part["restarts"] else ""
        reason = f": {part['reason']}" if part["reason"] else ""
        say(f"  {part['name']:<16} {part['state']}, process {part['pid']}{restarts}{reason}")
    say(f"  home             {found['home']}")


def login_url(client: Client) -> str:
    """The portal's address that signs its opener in."""
    return f"{client.url}/login?token={client.token}"


def open_portal(as_json: AsJson = False) -> None:
    """Print the portal's address that signs you in, and open it where there is a browser."""
    client = Client.here()
    client.get("/v1/status")
    url = login_url(client)
    if as_json:
        result({"url": url})
        return
    say(url)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        typer.launch(url)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
