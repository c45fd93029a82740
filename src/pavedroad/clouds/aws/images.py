"""Machine images of this account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pavedroad.clouds.aws import tags as tagging
from pavedroad.clouds.aws.errors import code_of, is_missing
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import Image, ImageSpec
from pavedroad.clouds.ownership import stranger
from pavedroad.core.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, ImageTypeDef


_ALIVE = ["pending", "running", "stopping", "stopped", "shutting-down"]


class AwsImages:
    """The `Images` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def register_image(self, spec: ImageSpec) -> Image:
        def register() -> Image:
            try:
                answer = self._link.ec2.register_image(
                    Name=spec.name,
                    Description=spec.description,
                    ImageLocation=spec.location,
                    **tagging.given_to("image", spec.tags),
                )
            except ClientError as error:
                if code_of(error) != "InvalidAMIName.Duplicate":
                    raise
                (twin,) = self._find_images([{"Name": "name", "Values": [spec.name]}])
                if not tagging.carries(twin.tags, spec.tags):
                    raise stranger("image", spec.name, next_step="Remove it, or bake again.") from None
                return twin
            return self._described_image(answer["ImageId"])

        return await self._link.run(register)

    async def image(self, image_id: str) -> Image:
        return await self._link.run(lambda: self._described_image(image_id))

    async def images(self, tags: Mapping[str, str] | None = None) -> list[Image]:
        return await self._link.run(
            lambda: self._find_images(
                [{"Name": f"tag:{key}", "Values": [text]} for key, text in (tags or {}).items()]
            )
        )

    async def deregister_image(self, image_id: str) -> None:
        def deregister() -> None:
            try:
                self._link.ec2.deregister_image(ImageId=image_id)
            except ClientError as error:
                if not is_missing(error):
                    raise

        await self._link.run(deregister)

    async def images_in_use(self) -> set[str]:
        return await self._link.run(lambda: {*self._of_instances(), *self._of_launches()} - {""})

    def _of_instances(self) -> Iterator[str]:
        alive: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": _ALIVE}]
        for page in self._link.ec2.get_paginator("describe_instances").paginate(Filters=alive):
            for reservation in page["Reservations"]:
                for instance in reservation.get("Instances", []):
                    yield instance.get("ImageId", "")

    def _of_launches(self) -> Iterator[str]:
        """Of launch templates, in the versions that whoever names none gets, and of launch configurations."""
        templates = self._link.ec2.get_paginator("describe_launch_template_versions")
        for page in templates.paginate(Versions=["$Latest", "$Default"]):
            for version in page["LaunchTemplateVersions"]:
                yield version.get("LaunchTemplateData", {}).get("ImageId", "")
        configurations = self._link.autoscaling.get_paginator("describe_launch_configurations")
        for page in configurations.paginate():
            for configuration in page["LaunchConfigurations"]:
                yield configuration["ImageId"]

    def _described_image(self, image_id: str) -> Image:
        found = self._link.ec2.describe_images(ImageIds=[image_id])["Images"]
        if not found:
            raise NotFound(f"There is no image {image_id} in {self._link.region}.")
        return _read(found[0])

    def _find_images(self, filters: list[FilterTypeDef]) -> list[Image]:
        pages = self._link.ec2.get_paginator("describe_images").paginate(Owners=["self"], Filters=filters)
        images = [_read(image) for page in pages for image in page["Images"]]
        return sorted(images, key=lambda image: (image.created_at, image.id), reverse=True)


def _read(image: ImageTypeDef) -> Image:
    made = image.get("CreationDate", "")
    return Image(
        id=image.get("ImageId", ""),
        name=image.get("Name", ""),
        state=image.get("State", "pending"),
        created_at=datetime.fromisoformat(made) if made else datetime.fromtimestamp(0, UTC),
        tags=tagging.read(image.get("Tags", [])),
        location=image.get("ImageLocation", ""),
    )
