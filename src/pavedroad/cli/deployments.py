"""`paved deployments` and `cancel`: what was shipped."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import age
from pavedroad.cli.following import follow_deployment, tell_end
from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import AsJson, result, say, show
from pavedroad.cli.story import Story

_STYLES = {"succeeded": "green", "failed": "red", "cancelled": "dim"}


def deployments(
    deployment: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One deployment, with its story.")
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Only this cluster's.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """The deployments, newest first; or one, line by line."""
    client = Client.here()
    if deployment is not None:
        _one(client, deployment, follow=follow, as_json=as_json)
        return
    found = client.get("/v1/deployments", cluster=cluster)
    if as_json:
        result(found)
        return
    columns = ("ID", "CLUSTER", "SERVER GROUP", "VERSION", "PHASE", "AGE", "WHO", "REASON")
    rows = Rows(*columns, beneath=("REASON",), spare=("CLUSTER", "WHO", "AGE"))
    for entry in found:
        rows.add(
            entry["id"],
            entry["cluster"],
            entry["server_group"],
            entry["version"],
            Text(entry["phase"], style=_STYLES.get(entry["phase"], "")),
            age(entry["started_at"]),
            entry["who"],
            entry["error"] or entry["trouble"],
        )
    show(rows)


def cancel(
    deployment: Annotated[str, typer.Argument(metavar="ID", help="The deployment.")], as_json: AsJson = False
) -> None:
    """Stop a deployment and take away what it made; what served before serves."""
    done = Client.here().post(f"/v1/deployments/{segment(deployment)}/cancel")
    result(done) if as_json else say(f"{deployment} is being cancelled.")


def _one(client: Client, deployment: str, *, follow: bool, as_json: bool) -> None:
    found = client.get(f"/v1/deployments/{segment(deployment)}")
    if follow:
        with Story(quiet=as_json) as story:
            found = follow_deployment(client, deployment, story)
    elif not as_json:
        for progress in found["progress"]:
            say(f"{progress['at'][11:19]} {progress['sentence']}")
    if as_json:
        result(found)
    if found["finished_at"]:
        tell_end(found, quiet=as_json)
