# pyright: basic, reportAttributeAccessIssue=false, reportReturnType=false
"""Tags that a call gives to what it makes, where moto reads none."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response


class GivenTags(EC2Response):
    """The part of our EC2 response that tags what else would be without."""

    def create_dhcp_options(self) -> ActionResult:
        made: Any = super().create_dhcp_options()
        self._tag(made.result["DhcpOptions"].id, "dhcp-options")
        return made

    def copy_image(self) -> ActionResult:
        made: Any = super().copy_image()
        self._tag(made.result["ImageId"], "image")
        return made

    def _tag(self, resource_id: str, kind: str) -> None:
        if tags := self._parse_tag_specification().get(kind):
            self.ec2_backend.create_tags([resource_id], tags)
