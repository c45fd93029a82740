"""CloudWatch through each wire protocol: CBOR (boto3), JSON, and query."""

from __future__ import annotations

import gzip
import json
import random
import struct
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as some

from pavedroad.localcloud import cbor
from tests.localcloud.monitoring.bench import BEGINNING, REGION, Bench
from tests.localcloud.signing import ANYBODY, signed_headers

TARGET = "GraniteServiceVersion20100801"


def signed(endpoint: str, path: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
    url = f"{endpoint}{path}"
    said = signed_headers(ANYBODY, "monitoring", REGION, url, "POST", body, headers)
    return httpx.post(url, headers=said, content=body)


def by_query(endpoint: str, **parameters: str) -> httpx.Response:
    body = urlencode({"Version": "2010-08-01", **parameters}).encode()
    kind = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    return signed(endpoint, "/", kind, body)


def by_json(endpoint: str, operation: str, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"{TARGET}.{operation}"}
    return signed(endpoint, "/", headers, body)


def by_cbor(endpoint: str, operation: str, body: bytes, **headers: str) -> httpx.Response:
    said = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", **headers}
    return signed(endpoint, f"/service/{TARGET}/operation/{operation}", said, body)


def statistics(client: Any, **more: Any) -> Any:
    parameters: dict[str, Any] = {
        "Namespace": "Test",
        "MetricName": "Load",
        "StartTime": BEGINNING - timedelta(minutes=5),
        "EndTime": BEGINNING + timedelta(minutes=5),
        "Period": 60,
        "Statistics": ["Sum", "Average", "Minimum", "Maximum", "SampleCount"],
    }
    return client.get_metric_statistics(**(parameters | more))["Datapoints"]


def test_what_boto3_puts_it_gets_back(client: Any) -> None:
    client.put_metric_data(
        Namespace="Test",
        MetricData=[
            {"MetricName": "Load", "Timestamp": BEGINNING, "Values": [1.0, 2.5], "Counts": [3.0, 1.0]},
            {"MetricName": "Load", "Timestamp": BEGINNING, "Value": 4.0},
        ],
    )
    (found,) = statistics(client)
    assert found == {
        "Timestamp": BEGINNING,
        "Sum": 9.5,
        "Average": 1.9,
        "Minimum": 1.0,
        "Maximum": 4.0,
        "SampleCount": 5.0,
        "Unit": "None",
    }
    metrics = client.list_metrics(Namespace="Test")["Metrics"]
    assert metrics == [{"Namespace": "Test", "MetricName": "Load", "Dimensions": []}]


def test_a_large_put_comes_compressed(client: Any) -> None:
    data = [
        {"MetricName": "Load", "Timestamp": BEGINNING, "Value": float(number), "Unit": "Count"}
        for number in range(1000)
    ]
    sent: list[str] = []
    client.meta.events.register(
        "before-send.cloudwatch.PutMetricData",
        lambda request, **_: sent.append(str(request.headers.get("Content-Encoding"))),
    )
    client.put_metric_data(Namespace="Test", MetricData=data)
    assert sent in (["gzip"], ["b'gzip'"])
    assert statistics(client)[0]["SampleCount"] == 1000


def test_the_query_protocol_is_answered_in_xml(endpoint: str, bench: Bench) -> None:
    put = by_query(
        endpoint,
        Action="PutMetricData",
        Namespace="Test",
        **{
            "MetricData.member.1.MetricName": "Load",
            "MetricData.member.1.Value": "7.5",
            "MetricData.member.1.Timestamp": "2026-01-02T03:04:00Z",
            "MetricData.member.1.Dimensions.member.1.Name": "Host",
            "MetricData.member.1.Dimensions.member.1.Value": "a",
        },
    )
    assert put.status_code == 200, put.text
    got = by_query(
        endpoint,
        Action="GetMetricStatistics",
        Namespace="Test",
        MetricName="Load",
        StartTime="2026-01-02T03:00:00Z",
        EndTime="2026-01-02T04:00:00Z",
        Period="60",
        **{
            "Statistics.member.1": "Sum",
            "Dimensions.member.1.Name": "Host",
            "Dimensions.member.1.Value": "a",
        },
    )
    tree = ElementTree.fromstring(got.content)
    assert tree.findtext(".//{*}Datapoints/{*}member/{*}Sum") == "7.5"
    assert tree.findtext(".//{*}Datapoints/{*}member/{*}Timestamp") == "2026-01-02T03:04:00Z"


def test_the_json_protocol_is_answered_in_json(endpoint: str) -> None:
    datum = {"MetricName": "Load", "Value": 3, "Timestamp": BEGINNING.timestamp()}
    put = by_json(
        endpoint, "PutMetricData", json.dumps({"Namespace": "Test", "MetricData": [datum]}).encode()
    )
    assert put.status_code == 200, put.text
    got = by_json(endpoint, "ListMetrics", b"{}").json()
    assert got == {"Metrics": [{"Namespace": "Test", "MetricName": "Load", "Dimensions": []}]}


def test_an_error_has_its_shape_and_its_old_code(client: Any, endpoint: str) -> None:
    with pytest.raises(client.exceptions.InvalidParameterValueException) as caught:
        client.put_metric_data(Namespace="AWS/EC2", MetricData=[{"MetricName": "Load", "Value": 1}])
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"] == "The value AWS/EC2 for parameter Namespace is invalid."
    answer = by_json(endpoint, "PutMetricData", b'{"Namespace": ""}')
    assert answer.status_code == 400
    assert answer.json()["__type"] == "MissingRequiredParameterException"
    assert answer.headers["x-amzn-query-error"] == "MissingParameter;Sender"
    answer = by_query(endpoint, Action="PutMetricData")
    assert ElementTree.fromstring(answer.content).findtext(".//{*}Code") == "MissingParameter"


@pytest.mark.parametrize(
    "body", [b"\xff", b"\x1f", b"\xbf", b"\xa1\x01\x02", b"\x9b" + b"\xff" * 8, b"\x81" * 500]
)
def test_broken_cbor_is_refused_as_cbor(endpoint: str, body: bytes) -> None:
    answer = by_cbor(endpoint, "PutMetricData", body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/cbor"
    assert cbor.loads(answer.content)["__type"] == "SerializationException"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"MetricData": 1}', b"[" * 100_000, b"\xff\xfe"])
def test_broken_json_is_refused_as_json(endpoint: str, body: bytes) -> None:
    answer = by_json(endpoint, "PutMetricData", body)
    assert answer.status_code == 400
    assert answer.json()["__type"] == "SerializationException"


@pytest.mark.parametrize(
    "parameters",
    [
        {"MetricData.member.1.Value": "much"},
        {"MetricData.member.x.Value": "1"},
        {"MetricData": "1"},
        {"MetricData.member.1": "1", "MetricData.member.1.Value": "1"},
        {"MetricData.member.1.Timestamp": "yesterday"},
    ],
)
def test_a_broken_query_is_refused_as_xml(endpoint: str, parameters: dict[str, str]) -> None:
    answer = by_query(endpoint, Action="PutMetricData", Namespace="Test", **parameters)
    assert answer.status_code == 400
    assert ElementTree.fromstring(answer.content).findtext(".//{*}Code") == "MalformedInput"


def test_broken_gzip_is_refused(endpoint: str) -> None:
    packed = gzip.compress(cbor.dumps({"Namespace": "Test"}))
    for body in (b"plain", packed[:-4], packed[:8]):
        answer = by_cbor(endpoint, "PutMetricData", body, **{"content-encoding": "gzip"})
        assert answer.status_code == 400
        assert cbor.loads(answer.content)["__type"] == "SerializationException"


def test_a_gzip_bomb_is_refused(endpoint: str) -> None:
    answer = by_cbor(
        endpoint, "PutMetricData", gzip.compress(bytes(40 * 2**20)), **{"content-encoding": "gzip"}
    )
    assert answer.status_code == 413


def test_what_would_take_long_to_read_is_not_read(endpoint: str) -> None:
    answer = by_cbor(endpoint, "PutMetricData", b"\x82" + b"\xa0" * 4 * 2**20)
    assert cbor.loads(answer.content)["__type"] == "RequestEntityTooLarge"


def test_what_is_refused_before_the_service_is_said_in_cbor_too(endpoint: str) -> None:
    body = cbor.dumps({})
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    answer = httpx.post(
        f"{endpoint}/service/{TARGET}/operation/ListMetrics",
        headers=headers
        | {
            "authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/mars-1/monitoring/aws4_request, "
            "SignedHeaders=host, Signature=x"
        },
        content=body,
    )
    assert cbor.loads(answer.content)["__type"] == "InvalidRegion"


def test_an_unknown_operation_is_refused_in_each_protocol(client: Any, endpoint: str) -> None:
    assert cbor.loads(by_cbor(endpoint, "MakeCoffee", b"\xa0").content)["__type"] == "InvalidAction"
    assert by_json(endpoint, "MakeCoffee", b"{}").json()["__type"] == "InvalidAction"
    assert b"<Code>InvalidAction</Code>" in by_query(endpoint, Action="MakeCoffee").content
    with pytest.raises(ClientError) as caught:
        client.list_metric_streams()
    assert caught.value.response["Error"]["Code"] == "UnsupportedOperation"  # type: ignore[typeddict-item]


def test_no_bytes_make_the_server_fail(endpoint: str) -> None:
    """Damaged requests, seeded: each is answered with an error of the client's, or taken."""
    dice = random.Random(3)
    whole = cbor.dumps(
        {"Namespace": "Test", "MetricData": [{"MetricName": "Load", "Value": 1.5, "Dimensions": []}]}
    )
    for _ in range(60):
        body = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        answer = by_cbor(endpoint, "PutMetricData", bytes(body))
        assert answer.status_code in (200, 400), answer.content


_LEAVES = (
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**64 - 1)
    | some.floats(allow_nan=False)
    | some.text()
    | some.binary()
)


@settings(max_examples=50, deadline=None)
@given(some.recursive(_LEAVES, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner)))
def test_cbor_that_is_written_is_read_back(value: Any) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


@settings(deadline=None)
@given(some.binary(max_size=60))
def test_any_bytes_are_cbor_or_refused(data: bytes) -> None:
    with suppress(cbor.MalformedCbor):
        cbor.loads(data)


def test_cbor_of_other_writers_is_read() -> None:
    """Indefinite lengths, half and single floats, tagged times."""
    streamed = b"\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff"
    assert cbor.loads(streamed) == {"a": [1, 2], "b": "xy"}
    assert cbor.loads(b"\xf9\x3c\x00") == 1.0
    assert cbor.loads(b"\xfa" + struct.pack(">f", 0.5)) == 0.5
    at = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    read = cbor.loads(cbor.dumps(at))
    assert isinstance(read, cbor.Timestamp)
    assert read == at.timestamp()
