"""`paved cloud`: the private cloud alone, for any AWS client."""

from __future__ import annotations

from typing import Any

from pavedroad.cli.client import Client
from pavedroad.cli.commands import CLOUD, Commands, group
from pavedroad.cli.screen import AsJson, result, say
from pavedroad.core import cloud_key
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.core.networking import LISTENS
from pavedroad.core.places import Places
from pavedroad.platform import running
from pavedroad.platform.running import Running


class CloudCommands(Commands):
    """Those of `paved cloud`."""

    table = CLOUD


app = group(help="The private cloud alone: an AWS endpoint on this machine.", cls=CloudCommands)


def status(as_json: AsJson = False) -> None:
    """Whether the private cloud runs, and where."""
    runs = _running()
    if as_json:
        result(runs)
        return
    for part in runs.parts:
        say(f"{part.name:<16} {part.state}, {part.address}, process {part.pid}")
    health = _health(runs.endpoint)
    say(f"{'credentials':<16} {health.get('credentials', 'not known: it does not answer')}")
    if (listening := health.get("listening")) in LISTENS:
        say(f"{'services listen':<16} {LISTENS[listening]}")


def env(as_json: AsJson = False) -> None:
    """Lines to `eval` so that AWS clients use the private cloud, with its own key."""
    runs = _running()
    key = cloud_key.read(Places.default().cloud_key)
    values = {
        "AWS_ENDPOINT_URL": runs.endpoint,
        "AWS_REGION": runs.region,
        "AWS_DEFAULT_REGION": runs.region,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }
    if as_json:
        result(values)
        return
    for name, value in values.items():
        say(f"export {name}={value}")
    say("unset AWS_SESSION_TOKEN")  # of another cloud, it would be taken for this key's


def _health(endpoint: str) -> dict[str, Any]:
    """What the cloud says of itself; nothing where it does not answer."""
    try:
        return Client(endpoint, "").get("/_pavedroad/health")
    except PavedError:
        return {}


def _running() -> Running:
    places = Places.default()
    runs = running.read(places) if running.holder(places) is not None else None
    if runs is None or not runs.endpoint:
        raise Unavailable(
            "The private cloud is not running.",
            next_step="Start it with `paved up`, or alone with `paved cloud up`.",
        )
    return runs
