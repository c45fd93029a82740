"""What is made and undone again and again leaves nothing behind in the saved state, and what AWS forgets is
forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pavedroad.localcloud.moto_adapter.forgetting import forget
from pavedroad.localcloud.moto_adapter.snapshot import MotoState
from tests.localcloud.moto_adapter.bench import Answer, Bench
from tests.localcloud.queues.asking import Queue

TIMES = 10
ALLOWED = 400
"""Bytes that sizes differ by themselves, as numbers and times have more digits or fewer."""
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
SIGNED = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}


def size(bench: Bench) -> int:
    with bench.state.lock:
        forget(datetime.now(UTC) + timedelta(days=2))
        queues = bench.queues
        return len(MotoState.form.encode(MotoState().dump())) + len(queues.form.encode(queues.dump()))


def iam(bench: Bench, action: str, **given: object) -> Answer:
    return bench.ask(action, given, service="iam")


def sns(bench: Bench, action: str, **given: object) -> Answer:
    return bench.ask(action, given, service="sns")


def messages(bench: Bench) -> Callable[[], object]:
    queue = Queue(bench)

    def churn() -> None:
        queue.send()
        for _ in range(3):
            queue.said("ReceiveMessage", VisibilityTimeout=0)
        queue.said("DeleteMessage", ReceiptHandle=queue.take())

    return churn


def received_messages(bench: Bench) -> Callable[[], object]:
    queue = Queue(bench)
    queue.send()
    return lambda: [queue.said("ReceiveMessage", VisibilityTimeout=0) for _ in range(3)]


def queues(bench: Bench) -> Callable[[], object]:
    return lambda: Queue(bench).said("DeleteQueue")


def sessions(bench: Bench) -> Callable[[], object]:
    arn = "arn:aws:iam::123456789012:role/grown"
    return lambda: bench.ask("AssumeRole", service="sts", RoleArn=arn, RoleSessionName="again")


def session_tokens(bench: Bench) -> Callable[[], object]:
    return lambda: bench.ask("GetSessionToken", service="sts")


def topics(bench: Bench) -> Callable[[], object]:
    queue = Queue(bench)
    endpoint = queue.arn()

    def churn() -> None:
        topic = sns(bench, "CreateTopic", Name="grown").first("TopicArn")
        sns(bench, "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=endpoint)
        sns(bench, "Publish", TopicArn=topic, Message="hello")
        sns(bench, "DeleteTopic", TopicArn=topic)
        queue.said("DeleteMessage", ReceiptHandle=queue.take())

    return churn


def users(bench: Bench) -> Callable[[], object]:
    def churn() -> None:
        iam(bench, "CreateUser", UserName="grown")
        key = iam(bench, "CreateAccessKey", UserName="grown").first("AccessKeyId")
        iam(bench, "PutUserPolicy", UserName="grown", PolicyName="p", PolicyDocument=TRUST)
        iam(bench, "DeleteUserPolicy", UserName="grown", PolicyName="p")
        iam(bench, "DeleteAccessKey", UserName="grown", AccessKeyId=key)
        assert iam(bench, "DeleteUser", UserName="grown").status == 200

    return churn


def roles(bench: Bench) -> Callable[[], object]:
    def churn() -> None:
        iam(bench, "CreateRole", RoleName="grown", AssumeRolePolicyDocument=TRUST)
        iam(bench, "CreateInstanceProfile", InstanceProfileName="grown")
        iam(bench, "AddRoleToInstanceProfile", InstanceProfileName="grown", RoleName="grown")
        iam(bench, "RemoveRoleFromInstanceProfile", InstanceProfileName="grown", RoleName="grown")
        iam(bench, "DeleteInstanceProfile", InstanceProfileName="grown")
        assert iam(bench, "DeleteRole", RoleName="grown").status == 200

    return churn


def ec2(kind: str, tag: str, name: str, **given: object) -> Callable[[Bench], Any]:
    def of(bench: Bench) -> Callable[[], object]:
        def churn() -> None:
            made = bench.ask(f"Create{kind}", given).first(tag)
            assert made
            assert bench.ask(f"Delete{kind}", {name: made}).status == 200

        return churn

    return of


def objects(bench: Bench) -> Callable[[], object]:
    def send(method: str, path: str, body: bytes = b"") -> Answer | None:
        answer = bench.send("s3", body, method=method, path=path, headers=SIGNED)
        assert answer.status < 300, answer.body
        return Answer(answer) if answer.body else None

    def churn() -> None:
        send("PUT", "/grown")
        send("PUT", "/grown/key", b"content")
        send("PUT", "/grown/key?tagging", TAGS)
        begun = send("POST", "/grown/large?uploads")
        assert begun
        upload = begun.first("UploadId")
        send("PUT", f"/grown/large?partNumber=1&uploadId={upload}", b"part")
        send("DELETE", f"/grown/large?uploadId={upload}")
        send("DELETE", "/grown/key")
        send("DELETE", "/grown")

    return churn


CHURNS: dict[str, Callable[[Bench], Callable[[], object]]] = {
    "messages": messages,
    "received messages": received_messages,
    "queues": queues,
    "sessions": sessions,
    "session tokens": session_tokens,
    "topics": topics,
    "users": users,
    "roles": roles,
    "objects": objects,
    "volumes": ec2("Volume", "volumeId", "VolumeId", Size=1, AvailabilityZone="us-east-1a"),
    "groups": ec2("SecurityGroup", "groupId", "GroupId", GroupName="grown", GroupDescription="d"),
    "key pairs": ec2("KeyPair", "keyName", "KeyName", KeyName="grown", KeyType="ed25519"),
    "networks": ec2("Vpc", "vpcId", "VpcId", CidrBlock="10.77.0.0/16"),
    "gateways": ec2("InternetGateway", "internetGatewayId", "InternetGatewayId"),
}


@pytest.mark.parametrize("churn", CHURNS)
def test_what_is_made_and_undone_leaves_nothing(bench: Bench, churn: str) -> None:
    once = CHURNS[churn](bench)
    sizes: list[int] = []
    for _ in range(2):
        for _ in range(TIMES):
            once()
        sizes.append(size(bench))
    for _ in range(TIMES * 3):
        once()
    sizes.append(size(bench))
    assert sizes[2] - sizes[1] < ALLOWED, sizes
