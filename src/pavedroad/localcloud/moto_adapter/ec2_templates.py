# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""Launch templates whose versions can be deleted: moto counts places in a list, AWS gives no number twice."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    InvalidLaunchTemplateNameAlreadyExistsError,
    InvalidLaunchTemplateVersionNotFound,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response

from pavedroad.core.numbers import count
from pavedroad.localcloud.errors import ServiceError

_MOST_DELETED = 200


class NumberedTemplate(LaunchTemplate):
    """Its versions are in the order of their numbers; those of deleted ones are missing."""

    _made = 0

    @property
    def tags(self) -> list[dict[str, str]]:
        """As they are by now: moto shows those that it was made with."""
        return self.get_tags()

    @tags.setter
    def tags(self, tags: object) -> None:
        pass

    def create_version(self, data: dict[str, Any], description: str) -> LaunchTemplateVersion:
        self._made += 1
        version = LaunchTemplateVersion(self, self._made, data, description)
        self.versions.append(version)
        return version

    def get_version(self, num: Any) -> LaunchTemplateVersion:
        """By number, `$Latest` or `$Default`."""
        named = {"$latest": self.latest_version_number, "$default": self.default_version_number}
        number = named.get(str(num).lower(), num)
        for version in self.versions:
            if str(version.number) == str(number):
                return version
        raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)

    def default_version(self) -> LaunchTemplateVersion:
        return self.get_version(self.default_version_number)


class Templates(EC2Backend):
    """The part of our EC2 backend that keeps launch templates."""

    def create_launch_template(self, name, description, template_data, tag_spec):
        if name in self.launch_template_name_to_ids:
            raise InvalidLaunchTemplateNameAlreadyExistsError
        # moto has the tags of the template itself among those of what it launches.
        if given := template_data.pop("TagSpecifications", None):
            launched = [it for it in given if it.get("ResourceType") != "launch-template"]
            template_data |= {"TagSpecifications": launched} if launched else {}
        template = NumberedTemplate(self, name, template_data, description, tag_spec)
        self.launch_templates[template.id] = template
        self.launch_template_name_to_ids[template.name] = template.id
        self.launch_template_insert_order.append(template.id)
        return template

    def launch_template_named(self, template_id: str | None, name: str | None) -> NumberedTemplate:
        if template_id:
            return self.get_launch_template(template_id)
        if name:
            return self.get_launch_template_by_name(name)
        raise ServiceError("MissingParameter", "Either the launch template's id or its name must be given.")

    def launch_template_version(self, template_id, name, version):
        """A version's data by number, `$Latest` or `$Default`, with AWS's errors for what there is not."""
        template = self.launch_template_named(template_id, name)
        try:
            return template.get_version(version or "$Default")
        except InvalidLaunchTemplateVersionNotFound:
            raise ServiceError(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find launch template version '{version}' of '{template.id}'.",
            ) from None

    def delete_launch_template(self, name, tid):
        """A name that is not there is AWS's error for that, not a parameter that is missing."""
        return super().delete_launch_template(
            None, self.get_launch_template_by_name(name).id if name else tid
        )

    def describe_launch_template_versions(  # noqa: PLR0917 - moto calls it so
        self, template_name, template_id, versions, min_version, max_version, max_results
    ):
        """Between two numbers where they are given; else as moto has it."""
        if versions or not (min_version or max_version):
            return super().describe_launch_template_versions(
                template_name, template_id, versions, None, None, max_results
            )
        template = self.launch_template_named(template_id, template_name)
        least, most = min_version or 1, max_version or template.latest_version_number
        return [(template, it) for it in template.versions if least <= it.number <= most][:max_results]


class TemplateActions(EC2Response):
    """The part of our EC2 response that is about versions of launch templates."""

    ec2_backend: Templates

    def create_launch_template_version(self):
        """On `SourceVersion`, as AWS has it: what the request leaves out comes from there."""
        if source := self._get_param("SourceVersion"):
            version = self.ec2_backend.launch_template_version(*self._of_template(), source)
            kept = {name: value for name, value in version.data.items() if value is not None}
            self.params["LaunchTemplateData"] = {**kept, **self.params.get("LaunchTemplateData", {})}
        return super().create_launch_template_version()

    def delete_launch_template_versions(self) -> ActionResult:
        template = self.ec2_backend.launch_template_named(*self._of_template())
        asked = [str(version) for version in self._get_param("Versions") or []]
        if not asked:
            raise ServiceError("MissingParameter", "The request must contain the parameter Versions")
        if len(asked) > _MOST_DELETED:
            raise ServiceError(
                "InvalidParameterValue", f"At most {_MOST_DELETED} versions can be deleted in a request."
            )
        self.error_on_dryrun()
        done: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for version in asked:
            named = {
                "LaunchTemplateId": template.id,
                "LaunchTemplateName": template.name,
                "VersionNumber": count(version) or 0,
            }
            if why := _why_it_stays(template, version):
                refused.append({**named, "ResponseError": dict(zip(("Code", "Message"), why, strict=True))})
            else:
                template.versions.remove(template.get_version(version))
                done.append(named)
        return ActionResult(
            {
                "SuccessfullyDeletedLaunchTemplateVersions": done,
                "UnsuccessfullyDeletedLaunchTemplateVersions": refused,
            }
        )

    def _of_template(self) -> tuple[str | None, str | None]:
        return self._get_param("LaunchTemplateId"), self._get_param("LaunchTemplateName")


def _why_it_stays(template: NumberedTemplate, version: str) -> tuple[str, str] | None:
    if not any(str(known.number) == version for known in template.versions):
        return (
            "launchTemplateVersionDoesNotExist",
            f"The launch template version {version} does not exist.",
        )
    if version == str(template.default_version_number):
        return "unexpectedError", f"The default version {version} of a launch template cannot be deleted."
    return None
