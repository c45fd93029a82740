# pyright: basic, reportAttributeAccessIssue=false
"""Pages of items, with tokens, for each Describe call of EC2 that AWS pages: moto pages few, some wrongly."""

from __future__ import annotations

import base64
import binascii

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.utils import get_pagination_model
from moto.ec2.responses._base_response import EC2BaseResponse

from pavedroad.localcloud.errors import ServiceError

_LARGEST_PAGE = 1000
_ALL = 1_000_000
_LIMITED_BY_MOTO = {
    "DescribeIamInstanceProfileAssociations",
    "DescribeLaunchTemplateVersions",
    "DescribeLaunchTemplates",
    "DescribeTransitGatewayRouteTables",
}
"""These cut their results to some default, without a token."""


class Paged(EC2BaseResponse):
    """moto's actions see no paging parameters and give all; what they give is cut here."""

    _limit: int | None = None
    _token: str | None = None

    def parse_parameters(self, request) -> None:
        try:
            super().parse_parameters(request)
        except (ValueError, TypeError, OverflowError) as error:
            raise ServiceError(
                "InvalidParameterValue", f"A parameter is not of its type: {error}."
            ) from error
        operation = self._get_action()
        if not operation.startswith("Describe"):
            return
        limit = self.params.pop("MaxResults", None)
        self._token = self.params.pop("NextToken", None)
        self._limit = int(limit) if limit is not None else None
        if operation in _LIMITED_BY_MOTO:
            self.params["MaxResults"] = _ALL

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        result = action_result.result
        if (self._limit is not None or self._token) and isinstance(result, dict):
            self._cut(result)
        return super().serialized(action_result)

    def _cut(self, result: dict) -> None:
        operation = self._get_action()
        model = get_pagination_model("ec2").get(operation)
        if model is None or not isinstance(items := result.get(model["result_key"]), list):
            return
        limit = self._limit or _LARGEST_PAGE
        if not 1 <= limit <= _LARGEST_PAGE:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value ( {limit} ) for parameter maxResults is invalid. "
                f"Expecting a value from 1 to {_LARGEST_PAGE}.",
            )
        begin = _position(self._token, operation) if self._token else 0
        result[model["result_key"]] = items[begin : begin + limit]
        more = begin + limit < len(items)
        result[model["output_token"]] = _named(operation, begin + limit) if more else None


def _named(operation: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{operation}:{position}".encode()).decode()


def _position(token: str, operation: str) -> int:
    try:
        named, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if named == operation:
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ServiceError("InvalidNextToken", "The token is invalid.")
