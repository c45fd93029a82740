"""Calls that are common among clients and that a strict reading of a service's model would refuse."""

from __future__ import annotations

import json

import pytest

from pavedroad.localcloud.api.services import ApiResponse
from tests.localcloud.moto_adapter.bench import Bench


def sqs(bench: Bench, operation: str, **parameters: object) -> ApiResponse:
    headers = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0"}
    return bench.send("sqs", json.dumps(parameters).encode(), headers=headers)


@pytest.mark.parametrize("parameter", ["AttributeNames", "MessageSystemAttributeNames"])
def test_a_message_tells_how_often_it_was_received_by_either_parameter(bench: Bench, parameter: str) -> None:
    url = json.loads(sqs(bench, "CreateQueue", QueueName=f"asked-by-{parameter}").body)["QueueUrl"]
    sqs(bench, "SendMessage", QueueUrl=url, MessageBody="hello")
    wanted = ["ApproximateReceiveCount", "SentTimestamp"]
    (message,) = json.loads(sqs(bench, "ReceiveMessage", QueueUrl=url, **{parameter: wanted}).body)[
        "Messages"
    ]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"].keys() == set(wanted)


def test_a_map_without_entries_is_taken_where_the_protocol_cannot_write_one(bench: Bench) -> None:
    made = bench.ask("CreatePlatformApplication", service="sns", Name="phones", Platform="APNS")
    assert made.status == 200, made.body
    assert made.first("PlatformApplicationArn").endswith(":app/APNS/phones")
