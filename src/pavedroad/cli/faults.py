"""`paved cloud fault`: what fails on purpose in the private cloud, for how long."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from pavedroad.cli.client import Client
from pavedroad.cli.commands import group
from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import AsJson, note, result, say, show
from pavedroad.clouds.faults import FaultClient
from pavedroad.core import cloud_key
from pavedroad.core.errors import InvalidInput, Unavailable
from pavedroad.core.places import Places
from pavedroad.platform import running

app = group(
    help="Faults on purpose: a zone down, an instance hung, calls throttled. Each ends by itself.",
)

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def _seconds(text: str) -> float:
    """`90`, `90s`, `2m` or `1.5h`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"'{text}' is no time; say 90s, 2m or 1.5h")
    return float(match[1]) * _UNITS[match[2]]


class ApiError(StrEnum):
    THROTTLING = "throttling"
    FAILING = "failing"
    UNAVAILABLE = "unavailable"
    NONE = "none"


For = Annotated[
    float, typer.Option("--for", parser=_seconds, metavar="TIME", help="How long: 90s, 2m, 1h; at most 24h.")
]
Zone = Annotated[str, typer.Argument(help="A zone, as us-east-1a.")]
Instance = Annotated[str, typer.Argument(help="An instance's id.")]
Operation = Annotated[str, typer.Argument(help="A service, as ec2, or an operation, as ec2:RunInstances.")]
Unreachable = Annotated[bool, typer.Option("--unreachable", help="Instances live on, and cannot be reached.")]
Region = Annotated[str, typer.Option(help="Only in this region.")]
_TEN_MINUTES: Any = "10m"


@app.command("list")
def list_faults(as_json: AsJson = False) -> None:
    """What fails at the moment, and what has failed lately."""
    with _client() as client:
        found = client.all()
    if as_json:
        result(found)
        return
    if not found:
        say("Nothing fails on purpose.")
        return
    rows = Rows("id", "kind", "target", "state", "what", beneath=("what",))
    for fault in found:
        rows.add(fault["id"], fault["kind"], fault["target"], _state(fault), fault["reason"])
    show(rows)


@app.command()
def end(
    fault_id: Annotated[str, typer.Argument(metavar="[ID]", help="The fault's id.")] = "",
    every: Annotated[bool, typer.Option("--all", help="End all there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a fault before its time, or all of them."""
    if bool(fault_id) == every:
        raise InvalidInput("Say which fault to end, or --all.", next_step="See `paved cloud fault list`.")
    with _client() as client:
        ended = client.end_all() if every else [client.end(fault_id)]
    if as_json:
        result(ended)
        return
    for fault in ended:
        say(f"{fault['id']} {fault['kind']} {fault['target']}: ended, {fault['ended_because']}")
    if not ended:
        note("Nothing failed on purpose.")


@app.command("zone-down")
def zone_down(
    zone: Zone, lasting: For = _TEN_MINUTES, unreachable: Unreachable = False, as_json: AsJson = False
) -> None:
    """A zone loses its power: its instances die, and nothing can be launched there."""
    _start("zone-down", zone, lasting, as_json, unreachable=unreachable)


@app.command("region-down")
def region_down(
    region: Annotated[str, typer.Argument(help="A region, as us-east-1.")],
    lasting: For = _TEN_MINUTES,
    unreachable: Unreachable = False,
    as_json: AsJson = False,
) -> None:
    """All zones of a region are down, and its API answers 503."""
    _start("region-down", region, lasting, as_json, unreachable=unreachable)


@app.command("capacity")
def capacity(
    zone: Zone,
    instance_type: Annotated[str, typer.Option("--type", help="Only of this instance type.")] = "",
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """There is no capacity for launches in a zone; what runs there runs on."""
    _start("capacity", zone, lasting, as_json, instance_type=instance_type)


@app.command("instance-hung")
def instance_hung(instance: Instance, lasting: For = _TEN_MINUTES, as_json: AsJson = False) -> None:
    """None of an instance's processes runs on."""
    _start("instance-hung", instance, lasting, as_json)


@app.command("instance-cpu")
def instance_cpu(
    instance: Instance,
    *,
    cores: Annotated[int, typer.Option(help="So many processes.")] = 1,
    percent: Annotated[float, typer.Option(help="Of a processor, each.")] = 100,
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """An instance's processors are taken."""
    _start("instance-cpu", instance, lasting, as_json, cores=cores, percent=percent)


@app.command("instance-memory")
def instance_memory(
    instance: Instance,
    percent: Annotated[float, typer.Option(help="Of its type's memory.")] = 80,
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """An instance's memory is taken."""
    _start("instance-memory", instance, lasting, as_json, percent=percent)


@app.command("instance-disk")
def instance_disk(
    instance: Instance,
    *,
    megabytes: Annotated[float, typer.Option(help="How much is written.")] = 1024,
    rate: Annotated[float, typer.Option(help="Megabytes a second.")] = 100,
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """An instance's disk is written full."""
    _start("instance-disk", instance, lasting, as_json, megabytes=megabytes, megabytes_per_second=rate)


@app.command("instance-kill")
def instance_kill(instance: Instance, as_json: AsJson = False) -> None:
    """The machine under an instance fails, at once."""
    _start("instance-kill", instance, None, as_json)


@app.command("network")
def network(
    instance: Instance,
    *,
    delay: Annotated[float, typer.Option(help="Milliseconds later.")] = 0,
    jitter: Annotated[float, typer.Option(help="Milliseconds more or less.")] = 0,
    loss: Annotated[float, typer.Option(help="Percent that is lost.")] = 0,
    cut: Annotated[bool, typer.Option("--cut", help="Nothing gets through.")] = False,
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """The traffic of an instance is late, lost or cut off; the fault says which traffic."""
    _start(
        "network",
        instance,
        lasting,
        as_json,
        delay_ms=delay,
        jitter_ms=jitter,
        loss_percent=loss,
        cut=cut,
    )


@app.command("api")
def api(
    operation: Operation,
    *,
    error: Annotated[ApiError, typer.Option(help="How it fails.")] = ApiError.THROTTLING,
    rate: Annotated[float, typer.Option(help="The share of calls, 0 to 1.")] = 1,
    delay: Annotated[float, typer.Option(help="Milliseconds before the answer.")] = 0,
    region: Region = "",
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Calls of the API are throttled, fail or are slow."""
    _start("api", operation, lasting, as_json, error=error.value, rate=rate, delay_ms=delay, region=region)


@app.command("api-limit")
def api_limit(
    operation: Operation,
    *,
    per_second: Annotated[float, typer.Option("--per-second", help="So many calls are let through.")],
    burst: Annotated[float, typer.Option(help="So many at once; else as many as a second.")] = 0,
    region: Region = "",
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """Calls beyond a rate are throttled."""
    _start("api-limit", operation, lasting, as_json, per_second=per_second, burst=burst, region=region)


@app.command("spot-interruption")
def spot_interruption(
    instance: Instance,
    notice: Annotated[
        float, typer.Option(parser=_seconds, metavar="TIME", help="From the notice to the end.")
    ] = "2m",  # pyright: ignore[reportArgumentType]
    as_json: AsJson = False,
) -> None:
    """A spot instance gets its notice, and is taken back after it."""
    _start("spot-interruption", instance, None, as_json, notice_seconds=notice)


@app.command("clock-skew")
def clock_skew(
    instance: Instance,
    seconds: Annotated[float, typer.Option("--seconds", help="Ahead; behind where it is negative.")],
    lasting: For = _TEN_MINUTES,
    as_json: AsJson = False,
) -> None:
    """An instance's clock is off, from its next boot on."""
    _start("clock-skew", instance, lasting, as_json, offset_seconds=seconds)


def _start(kind: str, target: str, lasting: float | None, as_json: bool, **parameters: Any) -> None:
    with _client() as client:
        fault = client.start(kind, target, seconds=lasting, **parameters)
    if as_json:
        result(fault)
        return
    say(fault["reason"])
    if fault["state"] == "active":
        say(f"{fault['id']} {_state(fault)}; end it before with: paved cloud fault end {fault['id']}")


def _state(fault: dict[str, Any]) -> str:
    if fault["state"] == "ended":
        return f"ended {_clock(fault['ended_at'])}: {fault['ended_because']}"
    left = (datetime.fromisoformat(fault["ends_at"]) - datetime.now(UTC)).total_seconds()
    return f"ends in {_spoken(max(0, round(left)))}"


def _spoken(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%H:%M:%S}"


def _client() -> FaultClient:
    """By way of the platform; the private cloud's own where it runs alone."""
    places = Places.default()
    runs = running.read(places) if running.holder(places) is not None else None
    if os.environ.get("PAVED_URL") or (runs and runs.url):
        platform = Client.here()
        return FaultClient.of_platform(platform.url, platform.token)
    if runs is None or not runs.endpoint:
        raise Unavailable(
            "The private cloud is not running.",
            next_step="Start it with `paved up`, or alone with `paved cloud up`.",
        )
    return FaultClient(runs.endpoint, key=cloud_key.read(places.cloud_key))
