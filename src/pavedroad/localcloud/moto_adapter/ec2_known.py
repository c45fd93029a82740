# pyright: basic, reportAttributeAccessIssue=false
"""The calls for which moto finds nothing, or everything, where the caller's id is of nothing."""

from __future__ import annotations

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_missing import as_aws_says, missing


class KnownOnly(EC2Response):
    """The part of our EC2 response that refuses what there is not."""

    ec2_backend: LocalEC2Backend

    def serialized(self, action_result):
        """moto's errors come here: those of what is not there go on in AWS's words."""
        error = action_result.result
        if isinstance(error, ServiceException):
            known = ServiceError(error.code, str(error.message))
            asked = " ".join(str(value) for values in self.querystring.values() for value in values)
            said = as_aws_says(known, asked)
            if said is not known:
                raise said
        return super().serialized(action_result)

    def describe_launch_templates(self) -> ActionResult:
        self._refuse_unknown("LaunchTemplateIds", self.ec2_backend.launch_templates)
        return super().describe_launch_templates()

    def delete_launch_template(self) -> ActionResult:
        asked = self._get_param("LaunchTemplateId")
        if asked and asked not in self.ec2_backend.launch_templates:
            raise missing(asked)
        return super().delete_launch_template()

    def delete_key_pair(self) -> ActionResult:
        key_id = self._get_param("KeyPairId")
        for pair in list(self.ec2_backend.key_pairs.values()) if key_id else ():
            if pair.id == key_id:
                self.params["KeyName"] = pair.key_name
        return super().delete_key_pair()

    def describe_key_pairs(self) -> ActionResult:
        by_id = {pair.id: pair.key_name for pair in self.ec2_backend.key_pairs.values()}
        self._refuse_unknown("KeyPairIds", by_id)
        named = [by_id[key_id] for key_id in self._get_param("KeyPairIds") or []]
        if named:
            self.params["KeyNames"] = [*(self._get_param("KeyNames") or []), *named]
        return super().describe_key_pairs()

    def describe_image_attribute(self) -> ActionResult:
        if (image_id := self._get_param("ImageId")) not in self.ec2_backend.amis:
            raise missing(image_id)
        return super().describe_image_attribute()

    def _refuse_unknown(self, parameter: str, known: dict) -> None:
        for asked in self._get_param(parameter) or []:
            if asked not in known:
                raise missing(asked)
