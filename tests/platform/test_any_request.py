"""Requests that nobody thought of, made from the API's own description: none breaks it, and every answer is
one that the description has."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.running_platform import Platform

_CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
_STREAMS_OR_BAKES = r"/events$|^/v1/bakes$"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_request_breaks_the_api(platform: Platform) -> None:
    headers = {"Authorization": f"Bearer {platform.token}"}
    schema = schemathesis.openapi.from_url(f"{platform.url}/v1/openapi.json", headers=headers).exclude(
        path_regex=_STREAMS_OR_BAKES
    )
    tried: set[str] = set()
    for operation in [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]:
        _try(operation, headers)
        tried.add(operation.label)
    assert len(tried) > 15


def _try(operation: APIOperation[Any, Any, Any, Any], headers: dict[str, str]) -> None:
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )
    @given(case=operation.as_strategy())
    def hold(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, timeout=30, checks=_CHECKS)

    hold()
