"""Calls that are common among clients and that a strict reading of a service's model would refuse."""

from __future__ import annotations

import json

import pytest

from pavedroad.localcloud.api.ec2.metadata import metadata_of
from pavedroad.localcloud.api.services import ApiResponse
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_facts import facts_of
from pavedroad.localcloud.moto_adapter.install import account_of
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


def test_an_instance_with_a_key_pair_is_given_its_public_key(bench: Bench) -> None:
    assert bench.ask("CreateKeyPair", KeyName="mine").status == 200
    image = bench.ask("DescribeImages", {"Owner.1": "amazon"}).first("imageId")
    made = bench.ask("RunInstances", ImageId=image, MinCount=1, MaxCount=1, KeyName="mine")
    one = ec2_backend.backend(account_of("any"), "us-east-1").by_id[made.first("instanceId")]
    assert metadata_of(facts_of(one))["meta-data/public-keys/0/openssh-key"].startswith("ssh-rsa ")
