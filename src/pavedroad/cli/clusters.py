"""`paved clusters` and `paved applications`: what there is, and how it does."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from pavedroad.cli import screen
from pavedroad.cli.client import Client, segment
from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import AsJson, result, say, show
from pavedroad.core.errors import NotFound, PavedError

_EVERY_SECONDS = 1.0


def applications(as_json: AsJson = False) -> None:
    """The applications with their owners and clusters."""
    found = Client.here().get("/v1/applications")
    if as_json:
        result(found)
        return
    rows = Rows("APPLICATION", "OWNER", "CLUSTERS", beneath=("CLUSTERS",))
    for application in found:
        rows.add(application["name"], application["owner"], ", ".join(application["clusters"]))
    _show(rows, "There are no applications yet. Ship one: paved new api --kind python && paved deploy api")


def clusters(
    application: Annotated[str | None, typer.Argument(help="Only this application's.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and show changes as they come.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The clusters with their server groups: traffic, health, version, age and address."""
    client = Client.here()
    if watch:
        _watch(client, application)
        return
    found = client.get("/v1/clusters", application=application)
    if application and not found:
        raise NotFound(
            f"The application '{application}' has no cluster.",
            next_step="List the applications: paved applications.",
        )
    if as_json:
        result(found)
        return
    _say_silent(client)
    if not found:
        say("There are no clusters yet. Ship one: paved new api --kind python && paved deploy api")
        return
    show(_rows(found))
    for cluster in found:
        if cluster["reason"] and cluster["server_groups"]:
            say(f"{cluster['name']}: {cluster['reason']}")


def _say_silent(client: Client) -> None:
    for region in client.get("/v1/regions"):
        if not region["answers"]:
            say(f"{region['name']} has not answered for {age(region['since'])}: {region['reason']}")


def age(moment: str | None) -> str:
    """How long ago, in its largest unit."""
    if not moment:
        return ""
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"


def cluster_path(name: str) -> str:
    return f"/v1/clusters/{segment(name)}"


def _rows(found: list[dict[str, Any]]) -> Rows:
    columns = ("CLUSTER", "SERVER GROUP", "TRAFFIC", "HEALTHY", "VERSION", "AGE", "ADDRESS", "REASON")
    rows = Rows(*columns, beneath=("REASON", "ADDRESS"), spare=("CLUSTER", "AGE"))
    for cluster in found:
        first = True
        for group in cluster["server_groups"] or [None]:
            name, url = (cluster["name"], cluster["url"]) if first else ("", "")
            first = False
            if group is None:
                rows.add(name, "", "", "", "", "", url, cluster["reason"])
                continue
            rows.add(
                name,
                group["name"],
                f"{group['weight']} %" if group["enabled"] else "off",
                Text(
                    f"{'?' if group['unknown'] else group['healthy']}/{group['desired']}", style=_style(group)
                ),
                group["version"],
                age(group["created_at"]),
                url,
                "going away" if group["deleting"] else group["reason"],
            )
    return rows


def _style(group: dict[str, Any]) -> str:
    if group["unknown"] or not group["enabled"]:
        return "dim"
    return "green" if group["healthy"] >= group["desired"] else "yellow" if group["healthy"] else "red"


def _watch(client: Client, application: str | None) -> None:
    """Looks again at each event, and every second besides, since instances die without one."""
    woken = threading.Event()
    threading.Thread(target=_wake, args=(client, woken), daemon=True).start()
    with Live(console=screen.out, auto_refresh=False) if screen.out.is_terminal else nullcontext() as moving:
        shown: object = None
        while True:
            try:
                found = client.get("/v1/clusters", application=application)
                looks = screen.fitted(_rows(found)) if found else Text("There are no clusters yet.")
            except PavedError as error:
                found, looks = error.sentence, Text(error.sentence, style="red")
            if moving is not None:
                moving.update(looks, refresh=True)
            elif found != shown:
                screen.out.print(looks)
            shown = found
            woken.wait(_EVERY_SECONDS)
            woken.clear()


def _wake(client: Client, woken: threading.Event) -> None:
    try:
        for _ in client.follow("/v1/events"):
            woken.set()
    except PavedError:
        return


def _show(rows: Rows, empty: str) -> None:
    if rows:
        show(rows)
    else:
        say(empty)
