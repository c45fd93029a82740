"""Our writer of results says the same as moto's serialiser, for every operation of our services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from moto.core.serialize import QuerySerializer
from moto.core.utils import get_service_model

from pavedroad.localcloud.moto_adapter.result_xml import result_writer

OPERATIONS = [
    (service, operation)
    for service in ("autoscaling", "elb", "elbv2")
    for operation in get_session().get_service_model(service).operation_names
]


def sample(shape: Any) -> Any:
    """A value of the shape, with what XML has to escape."""
    kind = shape.type_name
    if kind == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if kind == "list":
        return [sample(shape.member)] * 2
    if kind == "map":
        return {"key": sample(shape.value)}
    return {
        "string": "<a & \"b\"> 'ü'",
        "boolean": True,
        "integer": 7,
        "long": 7,
        "double": 1.5,
        "float": 1.5,
        "timestamp": datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        "blob": b"bytes",
    }[kind]


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=str)
def test_a_result_reads_as_moto_would_have_written_it(service: str, name: str) -> None:
    operation: Any = get_service_model(service).operation_model(name)
    result: Any = sample(operation.output_shape) if operation.output_shape else {}
    theirs: Any = QuerySerializer(operation).serialize(result)["body"]
    ours = result_writer(operation)(result, "request-id")

    def read(body: bytes) -> Any:
        answer = {"headers": {}, "status_code": 200, "body": body}
        return create_parser("query").parse(answer, operation.output_shape)

    assert read(ours) == read(theirs.encode())


def test_control_characters_do_not_break_the_document() -> None:
    operation: Any = get_service_model("autoscaling").operation_model("DescribeScalingActivities")
    body = result_writer(operation)({"Activities": [{"Cause": "a\x00b\x1bc"}]}, "request-id")
    assert "a\ufffdb\ufffdc".encode() in body
