"""What no client would send, to every service in every protocol: an error in the service's own form, nothing
changed, and the endpoint goes on."""

from __future__ import annotations

import gzip
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.localcloud.api.test_wire import FORM, ask, code_of
from tests.localcloud.running import RunningCloud

VERSIONS = {
    "ec2": "2016-11-15",
    "autoscaling": "2011-01-01",
    "elasticloadbalancing": "2015-12-01",
    "monitoring": "2010-08-01",
    "sts": "2011-06-15",
    "sns": "2010-03-31",
}
JSON_TARGETS = {
    "sqs": ("AmazonSQS.CreateQueue", "application/x-amz-json-1.0"),
    "acm": ("CertificateManager.RequestCertificate", "application/x-amz-json-1.1"),
    "monitoring": ("GraniteServiceVersion20100801.PutMetricAlarm", "application/x-amz-json-1.0"),
}
CREATING = {
    "ec2": "RunInstances",
    "autoscaling": "CreateAutoScalingGroup",
    "elasticloadbalancing": "CreateTargetGroup",
    "monitoring": "PutMetricAlarm",
    "sts": "AssumeRole",
    "sns": "CreateTopic",
}
QUERIES = {
    "invalid UTF-8": b"Action=%s&Version=%s&A=\xff\xfe%%ff",
    "a NUL": b"Action=%s%%00&Version=%s",
    "a body of NULs": b"\0" * 2000,
    "a vast index": b"Action=%s&Version=%s&Filter.99999999999999999999.Name=x&A.member.1e9=x",
    "an index that is none": b"Action=%s&Version=%s&Tags.member.-1.Key=x&Tags.member..Key=x&Tag.x.Key=1",
    "deep nesting": b"Action=%s&Version=%s&" + b".".join([b"A", *[b"member.1"] * 5000]) + b"=x",
    "a value and its members": b"Action=%s&Version=%s&Tags=x&Tags.member.1=y&Tags.member.1.Key=z",
    "XML instead": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>",
    "JSON instead": b'{"Action": "%s"}',
    "broken escapes": b"Action=%s&Version=%s&Name=%%zz%%&%%=%%",
    "a version that is none": b"Action=%s&Version=yesterday",
}
JSONS = {
    "nothing": b"",
    "half an object": b'{"QueueName": ',
    "a list": b"[1]",
    "a number": b"1",
    "deep nesting": b"[" * 200_000,
    "deep objects": b'{"a":' * 50_000,
    "NULs": b"\0" * 100,
    "invalid UTF-8": b'{"QueueName": "\xff\xfe"}',
    "wrong types": b'{"QueueName": {"a": 1}, "DomainName": [], "AlarmName": 5}',
    "not numbers": b'{"QueueName": NaN, "Threshold": Infinity}',
}


def known(cloud: RunningCloud) -> dict[str, Any]:
    """What a call that is refused must not have changed."""
    ec2, groups = cloud.client("ec2"), cloud.client("autoscaling")
    return {
        "instances": len(ec2.describe_instances()["Reservations"]),
        "groups": len(groups.describe_auto_scaling_groups()["AutoScalingGroups"]),
        "target groups": len(cloud.client("elbv2").describe_target_groups()["TargetGroups"]),
        "alarms": len(cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        "users": len(cloud.client("iam").list_users()["Users"]),
        "topics": len(cloud.client("sns").list_topics()["Topics"]),
        "queues": len(cloud.client("sqs").list_queues().get("QueueUrls", [])),
        "certificates": len(cloud.client("acm").list_certificates()["CertificateSummaryList"]),
        "buckets": len(cloud.client("s3").list_buckets()["Buckets"]),
    }


def is_refused_in_xml(status: int, headers: dict[str, str], said: bytes) -> None:
    assert 400 <= status < 500, said[:500]
    assert b"Traceback" not in said
    assert "html" not in headers["content-type"]
    assert code_of(said) not in ("", "InternalFailure", "InternalError"), said[:500]


def is_refused_in_json(status: int, headers: dict[str, str], said: bytes) -> None:
    assert 400 <= status < 500, said[:500]
    assert b"Traceback" not in said
    assert "json" in headers["content-type"]
    assert json.loads(said)["__type"].rpartition("#")[2] not in ("InternalFailure", "InternalError")


@pytest.mark.parametrize("service", VERSIONS)
def test_a_query_that_is_none_is_refused_in_xml(cloud: RunningCloud, service: str) -> None:
    before = known(cloud)
    for what, body in QUERIES.items():
        names = (CREATING[service].encode(), VERSIONS[service].encode())
        count = body.replace(b"%%", b"").count(b"%s")
        sent = body % names[:count] if count else body
        try:
            is_refused_in_xml(*ask(cloud, service, sent))
        except (AssertionError, ElementTree.ParseError) as error:
            raise AssertionError(f"{what}: {error}") from error
    assert known(cloud) == before


NUMBERS = {
    "ec2": "Action=DescribeVpcs&MaxResults=%s",
    "autoscaling": "Action=DescribeAutoScalingGroups&MaxRecords=%s",
    "elasticloadbalancing": "Action=DescribeLoadBalancers&PageSize=%s",
    "monitoring": "Action=DescribeAlarms&MaxRecords=%s",
    "sts": "Action=GetSessionToken&DurationSeconds=%s",
}


@pytest.mark.parametrize("service", NUMBERS)
@pytest.mark.parametrize("text", ["%D9%A1%D9%A2", "5_0", "%205%20", "1e3", "nan", "inf", "5" * 5000])
def test_what_is_no_number_is_refused_as_the_caller_s_mistake(
    cloud: RunningCloud, service: str, text: str
) -> None:
    body = f"{NUMBERS[service] % text}&Version={VERSIONS[service]}"
    is_refused_in_xml(*ask(cloud, service, body.encode()))


@pytest.mark.parametrize("service", JSON_TARGETS)
def test_json_that_is_none_is_refused_in_json(cloud: RunningCloud, service: str) -> None:
    before = known(cloud)
    target, content_type = JSON_TARGETS[service]
    for what, body in JSONS.items():
        try:
            answer = ask(cloud, service, body, X_Amz_Target=target, Content_Type=content_type)
            is_refused_in_json(*answer)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{what}: {error}") from error
    assert known(cloud) == before


@pytest.mark.parametrize("service", ["ec2", "autoscaling", "elasticloadbalancing", "monitoring", "sns"])
def test_encodings_and_headers_that_lie_are_refused(cloud: RunningCloud, service: str) -> None:
    before = known(cloud)
    whole = f"Action={CREATING[service]}&Version={VERSIONS[service]}".encode()
    lies: list[dict[str, str]] = [
        {"Content_Encoding": "gzip"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Type": "application/x-www-form-urlencoded; charset=klingon"},
        {"Content_Type": "application/cbor"},
        {"X_Amz_Target": "Nobody.Nothing", "Content_Type": "application/x-amz-json-1.1"},
    ]
    for headers in lies:
        for body in (gzip.compress(whole)[:-9], whole):
            status, _, said = ask(cloud, service, body, **{"Content_Type": FORM, **headers})
            assert 400 <= status < 500, (headers, said[:300])
            assert b"Traceback" not in said
    assert known(cloud) == before


def test_headers_as_large_as_books_are_refused_and_the_endpoint_goes_on(cloud: RunningCloud) -> None:
    for size in (10_000, 60_000, 200_000):
        try:
            status, _, said = ask(cloud, "ec2", b"Action=DescribeVpcs&Version=2016-11-15", X_Junk="x" * size)
        except OSError:
            continue  # hung up on: it need not be read to its end
        assert status < 500, said[:300]
    assert ask(cloud, "ec2", b"Action=DescribeVpcs&Version=2016-11-15")[0] == 200


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("ec2", b"Action=DescribeInstances&InstanceId.1=%s"),
        ("ec2", b"Action=TerminateInstances&InstanceId.1=%s"),
        ("ec2", b"Action=CreateTags&ResourceId.1=%s&Tag.1.Key=a&Tag.1.Value=b"),
        ("ec2", b"Action=GetConsoleOutput&InstanceId=%s"),
        (
            "autoscaling",
            b"Action=TerminateInstanceInAutoScalingGroup&InstanceId=%s&ShouldDecrementDesiredCapacity=true",
        ),
    ],
)
def test_what_is_in_another_region_is_not_here(cloud: RunningCloud, service: str, body: bytes) -> None:
    ec2 = cloud.client("ec2", "eu-west-1")
    image = ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
    [one] = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, UserData="#!/bin/sh\nexec sleep 99\n")[
        "Instances"
    ]
    try:
        version = f"&Version={VERSIONS[service]}".encode()
        is_refused_in_xml(*ask(cloud, service, body % one["InstanceId"].encode() + version))
        [known_there] = ec2.describe_instances(InstanceIds=[one["InstanceId"]])["Reservations"]
        assert known_there["Instances"][0]["State"]["Name"] in ("pending", "running")
    finally:
        ec2.terminate_instances(InstanceIds=[one["InstanceId"]])
