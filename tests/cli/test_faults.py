"""`paved cloud fault`, over the real routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from pavedroad.cli import faults as commands
from pavedroad.clouds.faults import FaultClient
from pavedroad.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from pavedroad.localcloud.faults import clocks
from pavedroad.localcloud.faults.kinds import KINDS
from tests.localcloud.faults.bench import ONE, SPOT, FaultBench

Run = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path) -> FaultBench:
    return FaultBench(tmp_path)


@pytest.fixture
def run(bench: FaultBench, monkeypatch: pytest.MonkeyPatch) -> Run:
    def client() -> FaultClient:
        return FaultClient("http://127.0.0.1:4566", transport=httpx.MockTransport(bench.answer))

    monkeypatch.setattr(commands, "_client", client)
    return lambda *words: CliRunner().invoke(commands.app, list(words))


def started(run: Run, *words: str) -> dict[str, Any]:
    answer = run(*words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_every_kind_of_fault_has_its_command() -> None:
    known: Any = typer.main.get_command(commands.app)
    assert set(KINDS) == set(known.commands) - {"list", "end"}


def test_a_fault_starts_reads_naturally_and_ends(run: Run, bench: FaultBench) -> None:
    answer = run("zone-down", "us-east-1a", "--for", "2m")
    assert answer.exit_code == 0
    assert "The zone us-east-1a is down" in answer.stdout
    [fault] = bench.client.all()
    assert fault["ends_at"] == "2026-03-01T12:02:00.000Z"
    assert fault["id"] in run("list").stdout
    assert "it was ended" in run("end", fault["id"]).stdout
    assert not bench.faults.zone_is_down("us-east-1a")


def test_a_clock_is_off_by_what_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "library", lambda: Path("/usr/lib/libfaketime"))
    fault = started(run, "clock-skew", ONE, "--seconds", "-5", "--for", "1m")
    assert fault["parameters"] == {"offset_seconds": -5}


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        (["zone-down", "us-east-1a", "--unreachable"], {"unreachable": True}),
        (["region-down", "us-east-1"], {"unreachable": False}),
        (["capacity", "us-east-1a", "--type", "m5.large"], {"instance_type": "m5.large"}),
        (["instance-hung", ONE], {}),
        (["instance-cpu", ONE, "--cores", "2", "--percent", "50"], {"cores": 2, "percent": 50}),
        (["instance-memory", ONE, "--percent", "50"], {"percent": 50, "megabytes": 512}),
        (["instance-disk", ONE, "--megabytes", "5"], {"megabytes": 5, "megabytes_per_second": 100}),
        (["instance-kill", ONE], {}),
        (
            ["network", ONE, "--delay", "100", "--jitter", "5", "--loss", "1"],
            {"delay_ms": 100, "jitter_ms": 5, "loss_percent": 1, "cut": False},
        ),
        (
            ["api", "ec2:RunInstances", "--error", "failing", "--rate", "0.5"],
            {"error": "failing", "rate": 0.5, "delay_ms": 0, "region": ""},
        ),
        (["api-limit", "ec2", "--per-second", "5"], {"per_second": 5, "burst": 0, "region": ""}),
        (["spot-interruption", SPOT, "--notice", "30s"], {"notice_seconds": 30}),
    ],
)
def test_each_command_says_all_of_its_kind(run: Run, words: list[str], parameters: dict[str, Any]) -> None:
    fault = started(run, *words)
    assert (fault["kind"], fault["target"], fault["parameters"]) == (words[0], words[1], parameters)


@pytest.mark.parametrize(
    ("text", "ends"), [("90", "12:01:30"), ("90s", "12:01:30"), ("1.5h", "13:30:00"), ("24h", "12:00:00")]
)
def test_times_are_said_as_people_say_them(run: Run, text: str, ends: str) -> None:
    assert f"T{ends}" in started(run, "instance-hung", ONE, "--for", text)["ends_at"]


def test_all_end_at_once(run: Run, bench: FaultBench) -> None:
    started(run, "zone-down", "us-east-1a")
    started(run, "instance-hung", ONE)
    assert run("end", "--all").stdout.count("it was ended") == 2
    assert run("end", "--all").exit_code == 0
    assert {fault["state"] for fault in bench.client.all()} == {"ended"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["zone-down", "mars-1a"], InvalidInput),
        (["network", ONE], InvalidInput),
        (["end"], InvalidInput),
        (["end", "fault-1"], NotFound),
        (["instance-hung", "i-0123456789abcdeff"], NotFound),
        (["zone-down", "us-east-1a", "--for", "25h"], InvalidInput),
    ],
)
def test_a_refusal_is_the_error_that_it_is(run: Run, words: list[str], error: type[Exception]) -> None:
    assert isinstance(run(*words).exception, error)


def test_twice_is_a_conflict_and_no_time_is_a_mistake(run: Run) -> None:
    started(run, "instance-hung", ONE)
    assert isinstance(run("instance-hung", ONE).exception, Conflict)
    assert run("instance-hung", ONE, "--for", "soon").exit_code == 2


def test_nothing_fails_in_a_cloud_without_faults(run: Run) -> None:
    assert run("list").stdout == "Nothing fails on purpose.\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_a_cloud_that_does_not_run_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAVED_HOME", str(tmp_path))
    assert isinstance(CliRunner().invoke(commands.app, ["list"]).exception, Unavailable)
