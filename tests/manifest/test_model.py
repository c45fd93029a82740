"""What a manifest may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from pavedroad.manifest.model import Capacity, Manifest
from pavedroad.manifest.schema import json_schema
from pavedroad.manifest.values import seconds_of

LEAST = {"application": "hello", "owner": "team-road", "command": "./serve"}


def made(**fields: object) -> Manifest:
    return Manifest.model_validate({**LEAST, **fields})


def test_three_fields_are_enough() -> None:
    manifest = made()
    assert str(manifest.cluster) == "hello"
    assert (manifest.port, manifest.listen, manifest.region) == (8080, 80, "us-east-1")
    assert manifest.capacity == Capacity(minimum=3, desired=3, maximum=3)
    assert manifest.strategy.kind == "red-black"
    assert manifest.build.kind is None


@pytest.mark.parametrize(
    ("written", "kind", "command"),
    [("python", "python", None), ("node", "node", None), ("make dist", "command", "make dist")],
)
def test_a_plain_build_is_a_kind_or_a_command(written: str, kind: str, command: str | None) -> None:
    build = made(build=written).build
    assert (build.kind, build.command) == (kind, command)


def test_plain_forms_stand_for_mappings() -> None:
    plain = made(health="/healthz", capacity=2, strategy="highlander")
    full = made(
        health={"path": "/healthz"},
        capacity={"minimum": 2, "desired": 2, "maximum": 2},
        strategy={"kind": "highlander"},
    )
    assert plain == full
    assert plain.digest == full.digest


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ({"minimum": 2, "maximum": 6}, (2, 2, 6)),
        ({"desired": 3}, (3, 3, 3)),
        ({"maximum": 4}, (4, 4, 4)),
        ({"minimum": 1, "desired": 3}, (1, 3, 3)),
        ({"minimum": 0, "desired": 0, "maximum": 5}, (0, 0, 5)),
    ],
)
def test_sizes_left_out_are_the_nearest_given(written: dict[str, int], sizes: tuple[int, int, int]) -> None:
    capacity = made(capacity=written).capacity
    assert (capacity.minimum, capacity.desired, capacity.maximum) == sizes


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (10, 10),
        (0.25, 0.25),
        ("2d", 172800),
    ],
)
def test_durations_are_written_with_units_or_in_seconds(written: object, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written", ["soon", "30", "-5s", -1, True, None, "5 m", "1h 30m", "s", "", "400d", [1]]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="30s, 5m or 1h30m"):
        seconds_of(written)


@given(some.floats(min_value=0, max_value=86400, allow_nan=False))
def test_any_number_of_seconds_is_itself(seconds: float) -> None:
    assert seconds_of(seconds) == seconds


@pytest.mark.parametrize(
    "fields",
    [
        {"application": "hello-world"},
        {"application": ""},
        {"application": ".."},
        {"application": ".", "stack": "a"},
        {"application": "a" * 251},
        {"owner": "two words"},
        {"stack": "v001"},
        {"stack": "a", "detail": "b-v003"},
        {"region": "moon"},
        {"command": "  "},
        {"command": "one\ntwo"},
        {"port": 0},
        {"port": 65536},
        {"port": True},
        {"port": "8080"},
        {"listen": 80.5},
        {"capacity": -1},
        {"capacity": {"minimum": 3, "maximum": 2}},
        {"capacity": {"minimum": 1, "desired": 5, "maximum": 4}},
        {"capacity": {}},
        {"health": "healthz"},
        {"health": {"interval": "2s", "timeout": "3s"}},
        {"health": {"interval": "1500ms"}},
        {"health": {"matcher": "200-"}},
        {"health": {"matcher": "200,399-300"}},
        {"health": {"healthy": 1}},
        {"zones": ["eu-west-1a"]},
        {"zones": "us-east-1a"},
        {"strategy": "blue-green"},
        {"environment": {"1ST": "x"}},
        {"environment": {"PORT": "1"}},
        {"environment": {"PAVED_X": "1"}},
        {"environment": {"A": ["x"]}},
        {"environment": ["A=1"]},
        {"build": {"kind": "rust"}},
        {"build": {"kind": "command"}},
        {"build": {"kind": "node", "packages": ["x"]}},
        {"build": {"packages": "datasette"}},
        {"instance_type": "big"},
        {"unknown": 1},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        made(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stack": "prod", "detail": "eu-c0us", "zones": ["us-east-1a"], "environment": {"A": 1, "B": True}},
        {"build": "npm run build", "strategy": {"kind": "none", "drain": "1m"}, "stop": "5s"},
    ],
)
def test_its_json_is_the_same_manifest_again(fields: dict[str, object]) -> None:
    manifest = made(**fields)
    again = Manifest.model_validate(manifest.model_dump(mode="json"))
    assert (again, again.digest) == (manifest, manifest.digest)


def test_another_manifest_has_another_digest() -> None:
    assert made().digest != made(port=8081).digest


def test_the_schema_explains_every_field() -> None:
    schema = json_schema()
    assert schema["required"] == ["application", "owner", "command"]
    parts = [schema, *schema["$defs"].values()]
    unexplained = [
        name for part in parts for name, field in part["properties"].items() if not field.get("description")
    ]
    assert unexplained == []
    assert {"type": "string", "pattern": "^/", "examples": ["/healthz"]} in schema["properties"]["health"][
        "anyOf"
    ]
