"""Every operation of EC2's model is answered as AWS answers: never with an error that is ours."""

from __future__ import annotations

import logging

import pytest
from moto.core.utils import get_service_model

from tests.localcloud.moto_adapter.bench import Answer, Bench
from tests.localcloud.moto_adapter.generated import parameters, query_of

_MODEL = get_service_model("ec2")
_OURS = ("InternalFailure", "InternalError", "InvalidAction")


def check(answer: Answer, operation: str) -> None:
    assert answer.status < 500, (operation, answer.body)
    assert answer.code not in _OURS, (operation, answer.body)
    assert b"Traceback" not in answer.body
    if answer.status == 200:
        assert answer.root.tag == f"{operation}Response"
    else:
        assert answer.code, (operation, answer.body)
        assert answer.first("RequestID"), (operation, answer.body)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:  # pyright: ignore[reportUnusedFunction]
    caplog.set_level(logging.CRITICAL)


def test_every_operation_without_parameters(bench: Bench) -> None:
    for operation in _MODEL.operation_names:
        check(bench.ask(operation, region="eu-west-1"), operation)


@pytest.mark.parametrize("everything", [False, True])
def test_every_operation_with_parameters_made_from_the_model(bench: Bench, *, everything: bool) -> None:
    for operation in _MODEL.operation_names:
        shape = _MODEL.operation_model(operation).input_shape
        made = query_of(shape, parameters(shape, everything=everything))
        check(bench.ask(operation, made, region="eu-west-1"), operation)


@pytest.mark.slow
def test_every_operation_with_each_parameter_of_a_wrong_type(bench: Bench) -> None:
    for operation in _MODEL.operation_names:
        shape = _MODEL.operation_model(operation).input_shape
        made = dict.fromkeys(query_of(shape, parameters(shape)), "\x00☃")
        check(bench.ask(operation, made, region="eu-west-1"), operation)


@pytest.mark.parametrize("operation", _MODEL.operation_names[::20])
def test_a_parameter_that_there_is_not_is_refused(bench: Bench, operation: str) -> None:
    answer = bench.ask(operation, {"NoSuchThing": "1"})
    assert (answer.status, answer.code) == (400, "UnknownParameter")


def test_a_dry_run_changes_nothing_and_says_that_it_would_have(bench: Bench) -> None:
    before = bench.ask("DescribeVpcs").every("vpcSet/item/vpcId")
    answer = bench.ask("CreateVpc", CidrBlock="127.250.0.0/16", DryRun="true")
    assert (answer.status, answer.code) == (412, "DryRunOperation")
    assert bench.ask("DescribeVpcs").every("vpcSet/item/vpcId") == before


@pytest.mark.parametrize(
    ("action", "form", "code", "message"),
    [
        ("DescribeInstances", {"InstanceId.1": "i-zz"}, "InvalidInstanceID.Malformed", 'Invalid id: "i-zz"'),
        ("DescribeVpcs", {"VpcId.1": "x"}, "InvalidVpcID.Malformed", 'Invalid id: "x" (expecting "vpc-...")'),
        ("DescribeVpcs", {"MaxResults": "4"}, "InvalidParameterValue", None),
        ("DescribeVpcs", {"MaxResults": "1001"}, "InvalidParameterValue", None),
        ("DescribeVpcs", {"MaxResults": "x"}, "InvalidParameterValue", None),
        ("DescribeVpcs", {"NextToken": "x"}, "InvalidNextToken", None),
        ("DescribeVpcs", {"Filter.1.Name": "x"}, "InvalidParameterValue", "The filter 'x' is invalid"),
        (
            "DescribeVpcs",
            {"Filter.1.Value.1": "x"},
            "InvalidParameterValue",
            "The filter 'null' is invalid",
        ),
        ("DescribeVpcs", {"VpcId": "vpc-01234567"}, "InvalidParameterValue", None),
        (
            "TerminateInstances",
            {},
            "InvalidParameterCombination",
            "No instances specified",
        ),
        (
            "CreateKeyPair",
            {"KeyName": "a", "KeyType": "dsa"},
            "InvalidParameterValue",
            "Value (dsa) for parameter keyType is invalid.",
        ),
        ("CopyImage", {"Name": "abc"}, "MissingParameter", None),
        ("DescribeVpcs", {"A.B": "1", "A": "2"}, "InvalidQueryParameter", None),
        ("MakeCoffee", {}, "InvalidAction", "The action MakeCoffee is not valid for this web service."),
    ],
)
def test_what_the_model_does_not_allow_is_refused_in_awss_words(
    bench: Bench, action: str, form: dict[str, str], code: str, message: str | None
) -> None:
    answer = bench.ask(action, form)
    assert (answer.status, answer.code) == (400, code), answer.body
    assert message in (None, answer.message)


def test_too_many_values_of_a_filter_are_refused(bench: Bench) -> None:
    form = {"Filter.1.Name": "vpc-id"} | {f"Filter.1.Value.{number}": "x" for number in range(1, 202)}
    assert bench.ask("DescribeVpcs", form).code == "FilterLimitExceeded"


def test_a_body_of_sixteen_megabytes_is_refused_at_once(bench: Bench) -> None:
    answer = Answer(bench.send("ec2", b"Action=DescribeVpcs&" + b"a=1&" * (4 * 2**20)))
    assert (answer.status, answer.code) == (400, "MalformedQueryString")
