"""A launch template as calls name it; resolved once, to see that it would launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.sources import TemplateChoice
from pavedroad.localcloud.errors import ServiceError


def choice(call: Call, asked: Mapping[str, Any]) -> TemplateChoice:
    by_name: str = asked.get("LaunchTemplateName") or ""
    by_id: str = asked.get("LaunchTemplateId") or ""
    if bool(by_name) == bool(by_id):
        raise refused("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    version: str = asked.get("Version") or ""
    try:
        found = call.compute.launch_template(by_id or by_name, version or "$Default")
    except ServiceError as unknown:
        raise ill_formed(unknown.message) from unknown
    if not found.data.image_id:
        raise ill_formed("The request must contain the parameter ImageId")
    if not call.compute.image_exists(found.data.image_id):
        raise ill_formed(f"The image id '[{found.data.image_id}]' does not exist")
    return TemplateChoice(found.template_id, found.template_name, version)


def ill_formed(why: str) -> ServiceError:
    return refused(f"You must use a valid fully-formed launch template. {why}")
