# pyright: basic, reportAttributeAccessIssue=false
"""moto's actions without their own paging: they see no paging parameters, and give all."""

from __future__ import annotations

from moto.ec2.responses._base_response import EC2BaseResponse

from pavedroad.localcloud.errors import ServiceError

_ALL = 1_000_000
_LIMITED_BY_MOTO = {
    "DescribeIamInstanceProfileAssociations",
    "DescribeLaunchTemplateVersions",
    "DescribeLaunchTemplates",
    "DescribeTransitGatewayRouteTables",
}
"""These cut their results to some default, without a token."""


class Whole(EC2BaseResponse):
    """`ec2_select` makes the pages, of whatever moto's actions give."""

    def parse_parameters(self, request) -> None:
        try:
            super().parse_parameters(request)
        except (ValueError, TypeError, OverflowError) as error:
            raise ServiceError(
                "InvalidParameterValue", f"A parameter is not of its type: {error}."
            ) from error
        if self._get_action() in _LIMITED_BY_MOTO:
            self.params["MaxResults"] = _ALL
