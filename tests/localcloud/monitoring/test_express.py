"""Datapoints that are read by one expression are those that the reader of everything reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import given, settings
from hypothesis import strategies as some

from pavedroad.localcloud import cbor
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring import express, ingest
from pavedroad.localcloud.monitoring.store import Point
from pavedroad.localcloud.moto_adapter.shapes import Unreadable, reader
from tests.localcloud.monitoring.bench import BEGINNING

_MODEL = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")
_READ = reader(_MODEL.shape_for("PutMetricDataInput"))


def slowly(body: bytes) -> list[Point] | None:
    """None where it is refused."""
    try:
        return ingest.points(_READ(cbor.loads(body)), BEGINNING)
    except (cbor.MalformedCbor, Unreadable, ServiceError):
        return None


def datum(**more: Any) -> dict[str, Any]:
    return {"MetricName": "Load", "Value": 1.5, **more}


def body(*data: dict[str, Any], namespace: str = "Test") -> bytes:
    return cbor.dumps({"Namespace": namespace, "MetricData": list(data)})


_TEXTS = some.text(some.characters(codec="utf-8"), max_size=30) | some.sampled_from(
    ["Host", "a" * 300, " ", ":x"]
)
_TIMES = some.integers(-15 * 24 * 60, 180).map(lambda minutes: BEGINNING + timedelta(minutes=minutes))
_DATA = some.fixed_dictionaries(
    {"MetricName": _TEXTS},
    optional={
        "Value": some.floats() | some.integers(-5, 5),
        "Unit": some.sampled_from(["Count", "Bytes/Second", "Apples", ""]),
        "Timestamp": _TIMES | some.floats(1.7e9, 1.8e9).map(cbor.Timestamp),
        "StorageResolution": some.sampled_from([1, 60, 30]),
        "Dimensions": some.lists(some.fixed_dictionaries({"Name": _TEXTS, "Value": _TEXTS}), max_size=3),
        "Values": some.just([1.0]),
        "Else": some.just("x"),
    },
)


@settings(max_examples=40, deadline=None)
@given(some.lists(_DATA, max_size=3), _TEXTS)
def test_whatever_is_taken_is_what_the_other_reader_takes(data: list[dict[str, Any]], namespace: str) -> None:
    told = body(*data, namespace=namespace)
    found = express.points(told, BEGINNING)
    assert found is None or found == slowly(told)


@settings(max_examples=40, deadline=None)
@given(some.data())
def test_damaged_bytes_are_never_taken_for_more_than_they_are(data: some.DataObject) -> None:
    whole = bytearray(
        body(datum(Unit="Count", Timestamp=BEGINNING), datum(Dimensions=[{"Name": "a", "Value": "b"}]))
    )
    for _ in range(data.draw(some.integers(1, 3))):
        whole[data.draw(some.integers(0, len(whole) - 1))] = data.draw(some.integers(0, 255))
    found = express.points(bytes(whole), BEGINNING)
    assert found is None or found == slowly(bytes(whole))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Unit": "Milliseconds", "StorageResolution": 1},
        {"Timestamp": BEGINNING},
        {"Timestamp": datetime(2026, 1, 2, 3, 3, 59, 250_000, tzinfo=UTC)},
        {"Dimensions": [{"Name": "Host", "Value": "h" * 100}, {"Name": "App", "Value": "web"}]},
        {"Dimensions": []},
    ],
)
def test_what_sdks_send_is_read_at_once(more: dict[str, Any]) -> None:
    told = body(*[datum(**more)] * 30)
    found = express.points(told, BEGINNING)
    assert found is not None
    assert found == slowly(told)
