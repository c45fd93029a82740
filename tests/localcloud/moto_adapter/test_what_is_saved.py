"""Which calls are saved: all that change something that is to be kept, and none that only read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from pavedroad.localcloud.api.calls import only_reads, reads
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.moto_adapter import snapshot
from pavedroad.localcloud.moto_adapter.kept_objects import kept_objects
from pavedroad.localcloud.queues.model import FORM
from tests.localcloud.api.alone import released
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.generated import model_of, parameters, wire
from tests.localcloud.moto_adapter.test_released_parts import ACCOUNT, parts_of

OWN = ("autoscaling", "elb", "elbv2", "cloudwatch")
MOTO = ("ec2", "iam", "sts", "sns", "sqs", "acm", "s3", "route53")
SEEMS = {
    # that what is read is told so by the first word of an operation's name, but for these
    "acm": {"ExportCertificate"},
    "sqs": {"ReceiveMessage"},
    "sts": {"GetFederationToken", "GetSessionToken"},
}
CHANGING_WORDS = {
    word.lower()
    for word in [
        "Abort",
        "Accept",
        "Acquire",
        "Activate",
        "Add",
        "Advertise",
        "Allocate",
        "Apply",
        "Assign",
        "Associate",
        "Assume",
        "Attach",
        "Authorize",
        "Batch",
        "Bundle",
        "Cancel",
        "Change",
        "Complete",
        "Configure",
        "Confirm",
        "Copy",
        "Create",
        "Deactivate",
        "Delete",
        "Deprovision",
        "Deregister",
        "Detach",
        "Disable",
        "Disassociate",
        "Enable",
        "Enter",
        "Execute",
        "Exit",
        "Export",
        "Generate",
        "Import",
        "Launch",
        "Lock",
        "Modify",
        "Monitor",
        "Move",
        "Opt",
        "Provision",
        "Publish",
        "Purchase",
        "Purge",
        "Put",
        "Reboot",
        "Record",
        "Register",
        "Reject",
        "Release",
        "Remove",
        "Rename",
        "Renew",
        "Replace",
        "Report",
        "Request",
        "Resend",
        "Reset",
        "Restore",
        "Resume",
        "Resync",
        "Revoke",
        "Rollback",
        "Run",
        "Send",
        "Set",
        "Start",
        "Stop",
        "Subscribe",
        "Suspend",
        "Tag",
        "Terminate",
        "Unassign",
        "Unlock",
        "Unmonitor",
        "Unsubscribe",
        "Untag",
        "Update",
        "Upload",
        "Verify",
        "Withdraw",
        "Write",
    ]
}


def operations(service: str) -> list[str]:
    return list(model_of(service).operation_names)


def first_word(operation: str) -> str:
    end = next((at for at, letter in enumerate(operation[1:], 1) if letter.isupper()), len(operation))
    return operation[:end].lower()


@pytest.mark.parametrize("service", [*OWN, *MOTO])
def test_every_operation_is_one_or_the_other(service: str) -> None:
    """A word that is new in a model has to be thought about."""
    wrong = [
        operation
        for operation in operations(service)
        if reads(operation) == (first_word(operation) in CHANGING_WORDS)
        and operation not in SEEMS.get(service, ())
    ]
    assert not wrong


def request(service: str, operation: str, made: dict[str, Any]) -> ApiRequest:
    method, path, headers, _ = wire(service, operation, made)
    path, _, query = path.partition("?")
    return ApiRequest(service, "us-east-1", ACCOUNT, method, path, query, headers)


@pytest.mark.parametrize("service", ["s3", "route53"])
def test_what_is_in_methods_and_paths_is_told_as_by_its_name(service: str) -> None:
    model = model_of(service)
    wrong = [
        operation
        for operation in operations(service)
        if only_reads(request(service, operation, parameters(model.operation_model(operation).input_shape)))
        != reads(operation)
    ]
    assert wrong == (["CreateSession"] if service == "s3" else [])  # a GET, and not offered


@pytest.mark.parametrize(
    ("service", "query", "headers", "reading"),
    [
        ("sns", "Action=CreateTopic&Name=x", {}, False),
        ("sns", "Action=ConfirmSubscription&TopicArn=x&Token=y", {}, False),
        ("sns", "Action=ListTopics", {}, True),
        ("sqs", "", {"x-amz-target": "AmazonSQS.ReceiveMessage"}, True),
        ("sqs", "", {"x-amz-target": "AmazonSQS.ListQueues"}, True),
        ("sqs", "", {"x-amz-target": "AmazonSQS.SendMessage"}, False),
        ("sqs", "", {}, False),
    ],
)
def test_neither_protocol_nor_verb_matters(
    service: str, query: str, headers: dict[str, str], reading: bool
) -> None:
    for method in ("GET", "POST"):
        assert only_reads(ApiRequest(service, "us-east-1", "", method, "/", query, headers)) == reading


@pytest.fixture
def rich(bench: Bench, tmp_path: Path) -> Generator[Bench]:
    """With a state that has something of everything; what was there comes back afterwards."""
    moto = snapshot.MotoState({"s3": lambda saved: bench.objects.load(kept_objects(saved))})
    objects = bench.objects.form
    before, buckets = moto.dump(), objects.encode(bench.objects.dump())
    moto.load(parts_of(released("schema-2", tmp_path))["moto"])
    yield bench
    moto.load(before)
    bench.objects.load(objects.decode(buckets, objects.version))


def known(bench: Bench) -> dict[str, Any]:
    """Of what there is, by the names that parameters have for it."""
    ec2: Any = snapshot.MotoState().dump()["ec2"][ACCOUNT]["us-east-1"]
    kept = snapshot.MotoState().dump()
    backends = {name: next(iter(kept[name][ACCOUNT].values())) for name in ("iam", "route53")}
    iam: Any = backends["iam"]
    sns: Any = snapshot.MotoState().dump()["sns"][ACCOUNT]["us-east-1"]
    acm: Any = snapshot.MotoState().dump()["acm"][ACCOUNT]["us-east-1"]
    route53: Any = backends["route53"]
    return {
        "InstanceId": next(iter(ec2.by_id)),
        "ImageId": next(iter(ec2.guest_images)),
        "VpcId": next(iter(ec2.vpcs)),
        "LaunchTemplateName": "kept",
        "RoleName": "server",
        "UserName": "ann",
        "GroupName": "people",
        "PolicyName": "inline",
        "PolicyArn": next(iter(iam.managed_policies)),
        "InstanceProfileName": "server",
        "QueueUrl": f"http://localhost/{ACCOUNT}/inbox",
        "QueueName": "inbox",
        "TopicArn": next(iter(sns.topics)),
        "SubscriptionArn": next(iter(sns.subscriptions)),
        "CertificateArn": next(iter(acm._certificates)),
        "Bucket": "kept",
        "Key": "object",
        "Id": next(iter(route53.zones)),
        "HostedZoneId": next(iter(route53.zones)),
        "WaitTimeSeconds": 0,
        "MaxResults": 5,
    }


@pytest.mark.parametrize("service", MOTO)
def test_what_reads_changes_nothing_and_what_changes_is_noted(
    rich: Bench, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every operation of the models, with what there is and what there is not."""
    caplog.set_level(logging.CRITICAL)
    there = known(rich)
    calls = [
        (operation, call)
        for operation in operations(service)
        for everything in (False, True)
        if (call := called(service, operation, there, everything=everything)) is not None
    ]
    assert len(calls) > 1.6 * len(operations(service))
    reading = [(operation, call) for operation, call in calls if reads(operation)]
    before, revision = kept(rich, service), rich.state.revision
    for _, call in reading:
        call(rich)
    assert rich.state.revision == revision
    if kept(rich, service) != before:
        assert not [operation for operation, call in reading if changed(rich, service, call)]
    unnoted = list[str]()
    for operation, call in calls:
        if not reads(operation):
            revision = rich.state.revision
            status = call(rich).status
            if rich.state.revision == revision and status < 400 and operation != "CreateSession":
                unnoted.append(operation)
    assert not unnoted


def called(
    service: str, operation: str, there: dict[str, Any], *, everything: bool
) -> Callable[[Bench], ApiResponse] | None:
    """None where what is made up is nothing that could be sent."""
    shape = model_of(service).operation_model(operation).input_shape
    try:
        method, path, headers, body = wire(
            service, operation, parameters(shape, known=there, everything=everything)
        )
    except (ValueError, AttributeError):
        return None
    headers = {"content-type": "text/xml", **headers}  # as it is where boto3 says none: no form
    return lambda bench: bench.send(service, body, method=method, path=path, headers=headers)


def kept(bench: Bench, service: str) -> bytes:
    """But for how often moto was asked for something, and who has received which message."""
    if service == "sqs":
        whole = json.loads(FORM.encode(bench.queues.dump()))
        for queue in (it for region in whole for it in region["queues"].values()):
            queue["messages"].clear()
        return json.dumps(whole).encode()
    if service == "s3":
        return bench.objects.form.encode(bench.objects.dump())
    return snapshot.pickled(snapshot.MotoState().dump()[service])


def changed(bench: Bench, service: str, call: Callable[[Bench], ApiResponse]) -> bool:
    before = kept(bench, service)
    call(bench)
    return kept(bench, service) != before
