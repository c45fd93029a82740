"""Whatever of a call is left out, empty or of another kind: it is answered, or refused as the caller's."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Generator, Iterator
from types import EllipsisType
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.serialize import create_serializer

from pavedroad.localcloud.api.services import ApiResponse
from pavedroad.localcloud.coverage import coverage
from pavedroad.localcloud.moto_adapter.empties import without_empties
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.everything import SIGNED_FOR, Everything, everything
from tests.localcloud.moto_adapter.generated import model_of, parameters

Json = dict[str, Any]
SERVICES = ("acm", "autoscaling", "cloudwatch", "elb", "elbv2", "iam", "sns", "sqs", "sts")
_TARGETS = {"acm": "CertificateManager", "sqs": "AmazonSQS", "cloudwatch": "GraniteServiceVersion20100801"}
_OF_OTHER_KINDS: tuple[Any, ...] = ("", "x", "☃\x00", -1, 10**30, 1.5, True, [], ["x"], [{}], {}, {"x": "y"})


@pytest.fixture(scope="module")
def cloud(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Generator[Everything]:
    logging.disable(logging.CRITICAL)
    with everything(bench, tmp_path_factory.mktemp("odd")) as made:
        yield made
    logging.disable(logging.NOTSET)


def told(cloud: Everything, service: str, operation: str, made: Json) -> ApiResponse:
    """What is not of the model's kinds cannot be had by botocore: it is written as it is."""
    model = model_of(service)
    name = SIGNED_FOR.get(service, service)
    if service in _TARGETS:
        headers = {
            "x-amz-target": f"{_TARGETS[service]}.{operation}",
            "content-type": "application/x-amz-json-1.0",
        }
        return cloud.bench.send(name, json.dumps(made, default=_base64).encode(), headers=headers)
    form = {"Action": operation, "Version": model.api_version, **made}
    return cloud.bench.send(name, urlencode(form).encode())


def _base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def written(service: str, operation: str, made: Json) -> Json:
    """As the call's form has it, or its document."""
    if service in _TARGETS:
        return made
    model = model_of(service)
    serializer = create_serializer("query", include_validation=False)
    form = serializer.serialize_to_request(made, model.operation_model(operation))["body"]
    return {name: value for name, value in form.items() if name not in ("Action", "Version")}


def odd(service: str, operation: str) -> Iterator[tuple[str, Json]]:
    """What was done to one parameter, and the call then."""
    shape = model_of(service).operation_model(operation).input_shape
    if shape is None:
        yield "", {}
        return
    least, most = parameters(shape), parameters(shape, everything=True)
    yield "nothing at all", {}
    yield "all", written(service, operation, most)
    for name in shape.members:
        without = written(service, operation, {it: value for it, value in least.items() if it != name})
        if name in least:
            yield f"without {name}", without
        yield f"alone {name}", written(service, operation, {name: most[name]} if name in most else {})
        for value in _OF_OTHER_KINDS:
            if service in _TARGETS:
                yield f"{name}={value!r}", {**without, name: value}
            else:
                for below in ("", ".1", ".member.1", ".entry.1", ".x", ".member.x"):
                    if not isinstance(value, list | dict):
                        yield f"{name}{below}={value!r}", {**without, f"{name}{below}": str(value)}


def served(service: str) -> list[str]:
    (found,) = [it for it in coverage() if it.service == service]
    return sorted(found.real | found.stored)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_of_whatever_kind_ends_in_an_internal_failure(cloud: Everything, service: str) -> None:
    wrong: list[str] = []
    for operation in served(service):
        for what, made in odd(service, operation):
            answer = told(cloud, service, operation, made)
            if answer.status >= 500 or b"InternalFailure" in answer.body:
                wrong.append(f"{operation} {what}: {answer.status} {answer.body[:300]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
def test_a_call_without_a_parameter_that_must_be_is_told_which(cloud: Everything, service: str) -> None:
    wrong: list[str] = []
    for operation in served(service):
        shape = model_of(service).operation_model(operation).input_shape
        least = parameters(shape)
        for name in least:
            if shape.members[name].type_name == "map" and service not in _TARGETS:
                continue  # one without entries is not written in a query
            made = written(service, operation, {it: value for it, value in least.items() if it != name})
            answer = told(cloud, service, operation, made)
            if not 400 <= answer.status < 500 or name.lower() not in answer.body.decode().lower():
                wrong.append(f"{operation} without {name}: {answer.status} {answer.body[:300]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", sorted(set(SERVICES) - _TARGETS.keys()))
def test_what_is_empty_is_answered_as_what_is_not_there(cloud: Everything, service: str) -> None:
    wrong: list[str] = []
    for operation in served(service):
        shape = model_of(service).operation_model(operation).input_shape
        if shape is None:
            continue
        least = written(service, operation, parameters(shape))
        told(cloud, service, operation, least)  # what it makes or deletes it does not a second time
        for name in shape.members.keys() - shape.required_members:
            answers = [told(cloud, service, operation, {**least, **more}) for more in ({name: ""}, {})]
            if answers[0].status != answers[1].status:
                wrong.append(f"{operation} {name}: {answers[0].body[:300]!r}, {answers[1].body[:300]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("service", "operation", "form", "kept"),
    [
        ("elbv2", "CreateTargetGroup", {"Matcher.HttpCode": "", "Name": "a"}, {"Name"}),
        ("elbv2", "CreateTargetGroup", {"Tags.member.1.Key": "a", "Tags.member.1.Value": ""}, ...),
        ("elbv2", "CreateLoadBalancer", {"Subnets": "", "Tags": "", "Name": "a"}, {"Name"}),
        ("elbv2", "AddTags", {"Tags": ""}, ...),
        ("elbv2", "ModifyLoadBalancerAttributes", {"Attributes.member.1.Value": ""}, ...),
        ("elbv2", "CreateRule", {"Actions.member.1.Order": "", "Actions.member.2.Order": "1"}, ...),
        (
            "elbv2",
            "CreateRule",
            {"Actions.member.1.Order": "", "Actions.member.1.Type": "a"},
            {"Actions.member.1.Type"},
        ),
        (
            "autoscaling",
            "UpdateAutoScalingGroup",
            {"PlacementGroup": "", "HealthCheckType": ""},
            {"PlacementGroup"},
        ),
        (
            "iam",
            "UpdateRole",
            {"RoleName": "", "Description": "", "MaxSessionDuration": ""},
            {"RoleName", "Description"},
        ),
        ("sns", "SetTopicAttributes", {"AttributeValue": "", "TopicArn": "a"}, ...),
        (
            "sns",
            "Publish",
            {"MessageAttributes.entry.1.Name": "", "MessageGroupId": ""},
            {"MessageAttributes.entry.1.Name"},
        ),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"AlarmDescription": "", "Unit": "", "Period": ""},
            {"AlarmDescription"},
        ),
    ],
)
def test_emptiness_stays_where_it_is_a_value(
    service: str, operation: str, form: dict[str, str], kept: set[str] | EllipsisType
) -> None:
    shape = model_of(service).operation_model(operation).input_shape
    assert without_empties(operation, shape, form).keys() == (form.keys() if kept is ... else kept)
