"""`paved rollback`, `enable`, `disable`, `resize`, `destroy`: changes to what is there."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import cluster_path
from pavedroad.cli.following import follow_deployment
from pavedroad.cli.screen import AsJson, confirm, must_be_asked, note, result, say
from pavedroad.cli.story import Story
from pavedroad.core.errors import Cold, NotFound
from pavedroad.core.names import is_server_group

_WARM_UP_SECONDS = 600.0
_LARGE = 10
"""Instances, more or fewer."""

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="A server group, such as api-v003.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ClusterArgument = Annotated[
    str, typer.Argument(metavar="CLUSTER", help="A cluster, such as api or api-prod.")
]


def rollback(
    cluster: ClusterArgument,
    to: Annotated[
        str | None, typer.Option("--to", help="The server group; default: what served last.")
    ] = None,
    capacity: Annotated[
        int | None,
        typer.Option("--capacity", min=1, help="So many instances; default: no fewer than serve now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give the traffic back to what served last: in one step when it is warm. One that was shrunk, or is
    smaller than what serves, is brought up first; Ctrl-C leaves it as it was."""
    client, path = Client.here(), f"{cluster_path(cluster)}/rollback"
    plan = client.get(path, to=to, capacity=capacity)
    if not as_json:
        note(plan["sentence"])
    asked = {"to": plan["to"]["name"], "capacity": capacity}
    try:
        done = client.post(path, {**asked, "when_cold": "refuse"})
    except Cold as cold:
        note(cold.sentence)
        done = client.post(path, {**asked, "when_cold": "warm-up"}, within=_WARM_UP_SECONDS)
    if as_json:
        result(done)
        return
    say(f"{done['sentence']} It took {done['seconds']:.2f} s.")
    others = [other for other in plan["others"] if other["name"] != plan["to"]["name"]]
    if to is None and others:
        note(f"Or to another, by --to: {'; '.join(other['described'] for other in others)}.")


def enable(group: GroupName, as_json: AsJson = False) -> None:
    """Let a server group take traffic."""
    done = Client.here().post(f"{_group_path(group)}/enable")
    result(done) if as_json else say(f"{group} takes traffic.")


def disable(group: GroupName, as_json: AsJson = False) -> None:
    """Take a server group's traffic away; never that of the last one that serves."""
    done = Client.here().post(f"{_group_path(group)}/disable")
    result(done) if as_json else say(f"{group} takes no traffic any more.")


def resize(
    group: GroupName,
    desired: Annotated[int, typer.Argument(min=0, help="How many instances.")],
    *,
    minimum: Annotated[
        int | None, typer.Option("--min", min=0, help="At least so many; default: as many.")
    ] = None,
    maximum: Annotated[
        int | None, typer.Option("--max", min=0, help="At most so many; default: as many.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change how many instances a server group has; by more than ten and more than half, it asks first."""
    size = {
        "minimum": desired if minimum is None else minimum,
        "desired": desired,
        "maximum": desired if maximum is None else maximum,
    }
    client = Client.here()
    now = desired if yes else _wanted(client, group, desired)
    if abs(desired - now) > max(_LARGE, now // 2):
        confirm(f"change {group} from {now} to {desired} instances")
    done = client.put(f"{_group_path(group)}/capacity", size)
    if as_json:
        result(done)
    else:
        say(f"{group} wants {size['desired']} instances ({size['minimum']} to {size['maximum']}).")


def destroy(
    name: Annotated[str, typer.Argument(metavar="GROUP|CLUSTER", help="A server group or a whole cluster.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a server group; or a cluster with all its groups, its address and the deployment under way."""
    what = (
        f"the server group {name}"
        if is_server_group(name)
        else f"the cluster {name} with all its server groups"
    )
    if not yes:
        must_be_asked(f"delete {what}")
    client, path = Client.here(), _group_path(name) if is_server_group(name) else cluster_path(name)
    under_way = [] if is_server_group(name) else _under_way(client, name)
    if not yes:
        also = f", and cancel {', '.join(under_way)}, which is under way" if under_way else ""
        confirm(f"delete {what}{also}")
    for deployment in under_way:
        client.post(f"/v1/deployments/{segment(deployment)}/cancel")
        with Story(quiet=as_json) as story:
            follow_deployment(client, deployment, story)
    try:
        done = client.delete(path)
    except NotFound:
        if not under_way:
            raise
        done = None  # it was that deployment's alone
    result(done or {"destroyed": name}) if as_json else say(f"Deleted {what}.")


def _wanted(client: Client, group: str, otherwise: int) -> int:
    """How many instances it wants by now; that there is no such group is told with what else is wrong."""
    with suppress(NotFound):
        return int(client.get(_group_path(group))["desired"])
    return otherwise


def _under_way(client: Client, cluster: str) -> list[str]:
    """The deployments of a cluster that have not ended."""
    return [one["id"] for one in client.get("/v1/deployments", cluster=cluster) if not one["finished_at"]]


def _group_path(name: str) -> str:
    return f"/v1/server-groups/{segment(name)}"
