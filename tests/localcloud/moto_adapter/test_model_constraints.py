"""What a service's model requires and bounds is held by the service's own errors, before anything changes.

Every operation of each service is called as botocore's model has it, but for one thing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model

from pavedroad.localcloud.api.services import ApiResponse
from tests.localcloud.moto_adapter.bench import Answer, Bench
from tests.localcloud.moto_adapter.generated import parameters

_INVALID = {
    "iam": "ValidationError",
    "sts": "ValidationError",
    "sns": "ValidationError",
    "sqs": "InvalidParameterValue",
    "acm": "ValidationException",
}
_QUERY = ("iam", "sts", "sns")
_MISSING = {**_INVALID, "sqs": "MissingParameter"}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:  # pyright: ignore[reportUnusedFunction]
    caplog.set_level(logging.CRITICAL)


def call(bench: Bench, service: str, operation: Any, given: dict[str, Any]) -> ApiResponse:
    """As boto3 sends it, without boto3's own validation."""
    serializer = create_serializer(operation.service_model.protocol, include_validation=False)
    made: Any = serializer.serialize_to_request(given, operation)
    body = made["body"]
    if isinstance(body, dict):
        pairs = {str(name): str(value) for name, value in body.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return bench.send(service, urlencode(pairs).encode())
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    return bench.send(service, body, headers=headers)


def refusal_of(answer: ApiResponse) -> tuple[str, str]:
    """Its code and message. No call that is refused is answered with 500, or with a stack trace."""
    assert answer.status == 400, (answer.status, answer.body)
    if not answer.body.startswith(b"{"):
        said = Answer(answer)
        return said.code, said.message
    document = json.loads(answer.body)
    headers = dict(answer.headers)
    code = str(headers.get("x-amzn-query-error", document["__type"])).partition(";")[0]
    return code.rpartition("#")[2], document["message"]


def operations(service: str) -> Iterator[tuple[Any, Any]]:
    model = get_service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.input_shape is not None:
            yield operation, operation.input_shape


def path(member: str) -> str:
    return f"'{member[0].lower()}{member[1:]}'"


@pytest.mark.parametrize("service", _INVALID)
def test_no_call_does_without_what_its_model_requires(bench: Bench, service: str) -> None:
    wrong: list[str] = []
    for operation, shape in operations(service):
        whole = parameters(shape)
        for missing in shape.required_members:
            if shape.members[missing].type_name == "map" and service in _QUERY:
                continue  # one without entries is not seen in a query string
            before = bench.state.revision
            answer = call(bench, service, operation, {k: v for k, v in whole.items() if k != missing})
            code, message = refusal_of(answer)
            named = missing if service == "sqs" else path(missing)
            if code != _MISSING[service] or named not in message or bench.state.revision != before:
                wrong.append(f"{operation.name} without {missing}: {code} {message}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", _INVALID)
def test_no_call_takes_a_word_that_its_model_does_not_list(bench: Bench, service: str) -> None:
    wrong: list[str] = []
    for operation, shape in operations(service):
        for name, member in shape.members.items():
            if not getattr(member, "enum", None):
                continue
            before = bench.state.revision
            answer = call(bench, service, operation, {**parameters(shape), name: "no-such-word"})
            code, message = refusal_of(answer)
            if code != _INVALID[service] or path(name) not in message or bench.state.revision != before:
                wrong.append(f"{operation.name} with a wrong {name}: {code} {message}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", _INVALID)
def test_no_call_takes_a_text_that_is_longer_than_its_model_allows(bench: Bench, service: str) -> None:
    wrong: list[str] = []
    for operation, shape in operations(service):
        for name, member in shape.members.items():
            most = member.metadata.get("max", 0)
            if member.type_name != "string" or not 0 < most < 100_000:
                continue
            before = bench.state.revision
            answer = call(bench, service, operation, {**parameters(shape), name: "x" * (most + 1)})
            code, message = refusal_of(answer)
            if code != _INVALID[service] or path(name) not in message or bench.state.revision != before:
                wrong.append(f"{operation.name} with a long {name}: {code} {message[:200]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("service", "name", "given", "code"),
    [
        (
            "sqs",
            "GetQueueAttributes",
            {"QueueUrl": "q", "AttributeNames": ["Colour"]},
            "InvalidAttributeName",
        ),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"Colour": "1"}}, "InvalidAttributeName"),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"QueueArn": "1"}}, "InvalidAttributeName"),
        (
            "sqs",
            "CreateQueue",
            {"QueueName": "q", "Attributes": {"DelaySeconds": "901"}},
            "InvalidAttributeValue",
        ),
        (
            "sqs",
            "SetQueueAttributes",
            {"QueueUrl": "q", "Attributes": {"VisibilityTimeout": "-1"}},
            "InvalidAttributeValue",
        ),
        ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": ""}, "MissingParameter"),
        ("sns", "Publish", {"Message": "to nobody"}, "InvalidParameter"),
        ("iam", "CreateUser", {"UserName": "é"}, "ValidationError"),
        (
            "iam",
            "CreateRole",
            {"RoleName": "r", "AssumeRolePolicyDocument": "{"},
            "MalformedPolicyDocument",
        ),
    ],
)
def test_what_a_service_refuses_in_words_of_its_own(
    bench: Bench, service: str, name: str, given: dict[str, Any], code: str
) -> None:
    before = bench.state.revision
    answer = call(bench, service, get_service_model(service).operation_model(name), given)
    assert (refusal_of(answer)[0], bench.state.revision) == (code, before)
