"""What is made and undone again and again leaves nothing behind in the saved state, and what AWS forgets is
forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pavedroad.localcloud.moto_adapter.ec2_backend import ACCOUNT, backend
from pavedroad.localcloud.moto_adapter.ec2_forgetting import ids_of
from pavedroad.localcloud.moto_adapter.forgetting import forget
from pavedroad.localcloud.moto_adapter.snapshot import MotoState
from tests.localcloud.moto_adapter.bench import Answer, Bench
from tests.localcloud.queues.asking import Queue

TIMES = 10
ALLOWED = 400
"""Bytes that sizes differ by themselves, as numbers and times have more digits or fewer."""
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
R53 = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
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
            tags = {"ResourceId.1": made, "Tag.1.Key": "a", "Tag.1.Value": "b"}
            assert made == given.get("KeyName") or bench.ask("CreateTags", tags).status == 200
            assert bench.ask(f"Delete{kind}", {name: made}).status == 200

        return churn

    return of


def peerings(bench: Bench) -> Callable[[], object]:
    vpc = bench.ask("DescribeVpcs").first("vpcId")
    return ec2(
        "VpcPeeringConnection",
        "vpcPeeringConnectionId",
        "VpcPeeringConnectionId",
        VpcId=vpc,
        PeerVpcId=vpc,
    )(bench)


def changed_volumes(bench: Bench) -> Callable[[], object]:
    volume = bench.ask("CreateVolume", Size=1, AvailabilityZone="us-east-1a").first("volumeId")

    def churn() -> None:
        assert bench.ask("ModifyVolume", VolumeId=volume, Size=2).status == 200
        told = bench.ask("DescribeVolumesModifications", {"VolumeId.1": volume})
        assert told.first("targetSize") == "2"

    return churn


def records(bench: Bench) -> Callable[[], object]:
    """One that stays and is changed, one that comes and goes."""
    zone = f"<CreateHostedZoneRequest {R53}><Name>grown.test</Name><CallerReference>grown</CallerReference>"
    asked = f"{zone}</CreateHostedZoneRequest>".encode()
    made = bench.send("route53", asked, path="/2013-04-01/hostedzone", headers={"content-type": "text/xml"})
    where = f"/2013-04-01{Answer(made).first('Id')}/rrset/"

    def change(action: str, name: str, address: str) -> int:
        records = (
            f"<ResourceRecords><ResourceRecord><Value>{address}</Value></ResourceRecord></ResourceRecords>"
        )
        kept = f"<Name>{name}.grown.test</Name><Type>A</Type><TTL>9</TTL>{records}"
        one = f"<Change><Action>{action}</Action><ResourceRecordSet>{kept}</ResourceRecordSet></Change>"
        batch = f"<ChangeBatch><Changes>{one}</Changes></ChangeBatch>"
        body = f"<ChangeResourceRecordSetsRequest {R53}>{batch}</ChangeResourceRecordSetsRequest>".encode()
        return bench.send("route53", body, path=where, headers={"content-type": "text/xml"}).status

    def churn() -> None:
        for address in ("127.0.0.1", "127.0.0.2"):
            assert change("UPSERT", "stays", address) == 200
        forget(datetime.now(UTC))
        assert change("CREATE", "goes", "127.0.0.1") == 200
        forget(datetime.now(UTC))
        assert change("CREATE", "goes", "127.0.0.1") == 400
        assert change("DELETE", "goes", "127.0.0.1") == 200

    return churn


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
    "peerings": peerings,
    "changed volumes": changed_volumes,
    "records": records,
    "templates": ec2(
        "LaunchTemplate",
        "launchTemplateId",
        "LaunchTemplateId",
        **{"LaunchTemplateName": "grown", "LaunchTemplateData.ImageId": "ami-12c6146b"},
    ),
    "transit gateways": ec2("TransitGateway", "transitGatewayId", "TransitGatewayId"),
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


def test_what_is_there_keeps_its_tags(bench: Bench) -> None:
    kinds = ("vpcs", "subnets", "volumes", "groups", "route_tables", "network_acls", "snapshots", "amis")
    bench.ask("CreateVolume", Size=1, AvailabilityZone="us-east-1a")
    bench.ask("CreateKeyPair", KeyName="tagged", KeyType="ed25519")
    bench.ask("AllocateAddress", Domain="vpc")
    ec2 = backend(ACCOUNT, "us-east-1")
    tagged: list[str] = []
    for name in (*kinds, "key_pairs", "addresses"):
        one = next(iter(ids_of(getattr(ec2, name))))
        tags = {"ResourceId.1": one, "Tag.1.Key": "kept", "Tag.1.Value": "b"}
        if bench.ask("CreateTags", tags).status == 200:  # stock images are not ours
            tagged.append(one)
    assert len(tagged) > 7
    forget(datetime.now(UTC))
    assert all("kept" in ec2.tags[one] for one in tagged)
