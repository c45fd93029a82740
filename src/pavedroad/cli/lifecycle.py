"""`paved up` and `paved down`: the platform on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from pavedroad.cli import interrupting, tour
from pavedroad.cli.client import Client
from pavedroad.cli.failures import told
from pavedroad.cli.screen import AsJson, note, result, say
from pavedroad.cli.standing import sign_in_link
from pavedroad.cli.starting import Supervised, await_ready, stop
from pavedroad.core.errors import Conflict, Unavailable
from pavedroad.core.networking import SAID, Mode
from pavedroad.core.places import Places
from pavedroad.platform import running
from pavedroad.platform.running import Running

Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Return once everything is ready, and leave it running.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="The API's and the portal's port.")
]
CloudPort = Annotated[
    int | None,
    typer.Option("--cloud-port", min=1, max=65535, help="The private cloud's AWS endpoint's port."),
]
Network = Annotated[
    Mode | None,
    typer.Option(
        "--network",
        help="The instances' network: shared (security groups are recorded only), or namespaces (they hold; "
        "needs Linux and root, or user namespaces).",
    ),
]

Open = Annotated[
    bool,
    typer.Option(
        "--open",
        help="The private cloud takes any credentials, from every user of this machine; web pages "
        "are refused still.",
    ),
]


def up(
    *,
    detach: Detach = False,
    take_tour: Annotated[
        bool, typer.Option("--tour", help="Ship a sample service, and take it back.")
    ] = False,
    port: Port = None,
    cloud_port: CloudPort = None,
    network: Network = None,
    is_open: Open = False,
    as_json: AsJson = False,
) -> None:
    """Start the private cloud, the platform and the portal."""
    start(
        cloud_only=False,
        detach=detach,
        take_tour=take_tour,
        port=port,
        cloud_port=cloud_port,
        network=network,
        is_open=is_open,
        as_json=as_json,
    )


def start(
    *,
    cloud_only: bool,
    detach: bool,
    port: int | None,
    cloud_port: int | None,
    network: Mode | None,
    is_open: bool,
    as_json: bool,
    take_tour: bool = False,
) -> None:
    """Start, show each part as it comes up, then stay until Ctrl-C or leave it running."""
    places = Places.default()
    places.prepare()
    chosen = {
        "PAVED_PORT": port,
        "PAVED_CLOUD_PORT": cloud_port,
        "PAVED_CLOUD_NETWORK": network,
        "PAVED_CLOUD_OPEN": is_open or None,
    }
    environment = {name: str(value) for name, value in chosen.items() if value is not None}
    killed = running.read(places) if running.holder(places) is None else None
    if killed is not None:
        note(f"Pavedroad was killed when it last ran here (process {killed.pid}); what it had saved goes on.")
    supervised = Supervised(places.home, cloud_only=cloud_only, environment=environment)
    released = False
    try:
        runs = _until_ready(supervised, places, quiet=as_json)
        if runs is None:
            released = True
            _runs_already(places, detach=detach, take_tour=take_tour, as_json=as_json)
            return
        if as_json:
            result(runs)
        if take_tour:
            _tour(runs, places)
        elif not as_json:
            _next(runs, places)
        if detach:
            supervised.release()
            released = True
            return
        note("Ctrl-C stops everything.")
        status = supervised.wait()
        released = True
        note("Pavedroad has stopped.")
        if status:
            raise Unavailable(
                "Pavedroad stopped by itself.", next_step=f"Read {places.logs / 'supervisor.log'}."
            )
    finally:
        if not released and not supervised.has_ended:
            interrupting.ignore()
            note("stopping ...")
            supervised.stop()
            note("Everything has stopped.")


def down(as_json: AsJson = False) -> None:
    """Stop everything that runs here; state is kept."""
    stopped = stop(Places.default())
    if as_json:
        result(stopped)
    elif stopped.was_running:
        forced = f", {stopped.killed} of them by force" if stopped.killed else ""
        say(f"Everything has stopped: {stopped.processes} processes ended{forced}, in {stopped.seconds} s.")
    else:
        say("Nothing was running.")


def cloud_up(
    detach: Detach = False,
    cloud_port: CloudPort = None,
    network: Network = None,
    is_open: Open = False,
    as_json: AsJson = False,
) -> None:
    """Start the private cloud without the platform."""
    start(
        cloud_only=True,
        detach=detach,
        port=None,
        cloud_port=cloud_port,
        network=network,
        is_open=is_open,
        as_json=as_json,
    )


def cloud_down(as_json: AsJson = False) -> None:
    """Stop what runs here; the cloud's state is kept."""
    down(as_json)


def _until_ready(supervised: Supervised, places: Places, *, quiet: bool) -> Running | None:
    """None where another supervisor runs already."""
    for said in supervised.said():
        if said.kind == "part" and not quiet:
            note(f"  {said.data['name']:<16} {said.data['address']}")
            if network := said.data.get("network"):
                note(f"  {'security groups':<16} {SAID[network]} (network: {network})")
            if said.data.get("open"):
                note(f"  {'credentials':<16} any: every user of this machine may use the private cloud")
        elif said.kind == "busy":
            return None
        elif said.kind == "failed":
            supervised.wait()
            raise told(said.data["code"], said.data["sentence"], said.data["next_step"])
        elif said.kind == "ready":
            return running.parse(said.data)
    raise Unavailable("Pavedroad did not start.", next_step=f"Read {places.logs / 'supervisor.log'}.")


def _runs_already(places: Places, *, detach: bool, take_tour: bool, as_json: bool) -> None:
    runs = await_ready(places)
    where = runs.url or runs.endpoint
    if not detach:
        raise Conflict(
            f"Pavedroad already runs at {where} (process {runs.pid}).",
            next_step="Use it, or stop it with `paved down`.",
        )
    if as_json:
        result(runs)
    else:
        say(f"Pavedroad already runs at {where} (process {runs.pid}).")
    if take_tour:
        _tour(runs, places)


def _tour(runs: Running, places: Places) -> None:
    client = _client(runs, places)
    tour.take(client, lambda: sign_in_link(client))


def _client(runs: Running, places: Places) -> Client:
    return Client(runs.url, places.token.read_text().strip())


def _next(runs: Running, places: Places) -> None:
    if runs.url:
        say(f"Pavedroad runs. The portal: {sign_in_link(_client(runs, places))}")
    else:
        say('The private cloud runs. For AWS clients: eval "$(paved cloud env)"')
