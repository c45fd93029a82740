# pyright: basic
"""Auto Scaling's calls as moto's core reads and writes them: the query protocol, by botocore's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pavedroad.localcloud.autoscaling import constraints
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.responses import ActionResult, BaseResponse, EmptyResult

Answer = Callable[[str, str, str, dict[str, Any]], dict[str, Any] | None]
"""(account, region, operation, parameters) -> the result by AWS's names, or None where there is none."""


class AutoScalingResponse(BaseResponse):
    """One call."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(service_name="autoscaling")
        self.automated_parameter_parsing = True
        self._answer = answer

    def parse_parameters(self, request: Any) -> None:
        operation = self._get_action()
        if operation not in constraints.operations():
            raise ServiceError(
                "InvalidAction", f"Could not find operation {operation} for version 2011-01-01"
            )
        try:
            super().parse_parameters(request)
        except (ValueError, TypeError, OverflowError) as error:
            raise ServiceError("MalformedInput", f"A parameter is not of its type: {error}") from error

    def call_action(self) -> Any:
        operation = self._get_action()
        if not operation:
            raise ServiceError("MissingAction", "The request must contain the parameter Action.")
        result = self._answer(self.current_account, self.region, operation, dict(self.params))
        status, headers, body = self.serialized(EmptyResult() if result is None else ActionResult(result))
        headers, body = self._enrich_response(headers, body)
        return status, headers, body
