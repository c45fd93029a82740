"""AWS as a cloud: the parts of the port over one link a region."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import boto3

from pavedroad.clouds.aws.balancing import AwsBalancers
from pavedroad.clouds.aws.groups import AwsServerGroups
from pavedroad.clouds.aws.images import AwsImages
from pavedroad.clouds.aws.instances import AwsInstances
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.aws.objects import AwsObjects
from pavedroad.clouds.aws.targets import AwsTargetGroups
from pavedroad.clouds.regions import check_region
from pavedroad.core.errors import CloudFailed, Unavailable

_REACHABLE_SECONDS = 10.0


class AwsCloud(AwsObjects, AwsImages, AwsServerGroups, AwsInstances, AwsBalancers, AwsTargetGroups):
    """One account and region. `account` is known once the cloud has been reached."""

    def __init__(self, link: Link) -> None:
        for part in (AwsObjects, AwsImages, AwsServerGroups, AwsInstances, AwsBalancers, AwsTargetGroups):
            part.__init__(self, link)
        self._link = link
        self._account = ""

    @property
    def account(self) -> str:
        return self._account

    @property
    def region(self) -> str:
        return self._link.region

    async def reachable(self) -> bool:
        try:
            async with asyncio.timeout(_REACHABLE_SECONDS):
                answer = await self._link.run(self._ask)
        except (CloudFailed, Unavailable, TimeoutError):
            return False
        self._account = answer
        return True

    def close(self) -> None:
        self._link.close()

    def _ask(self) -> str:
        return self._link.sts.get_caller_identity()["Account"]


class AwsClouds:
    """Clouds by region: AWS itself, with the environment's credentials, unless told otherwise. `regions` are
    those that there are, all that AWS has where they are not given."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        session: boto3.Session | None = None,
        regions: Sequence[str] = (),
    ) -> None:
        self._endpoint_url = endpoint_url
        self._session = session or boto3.Session()
        self._regions = tuple(regions) or _all_regions(self._session)
        self._clouds: dict[str, AwsCloud] = {}
        self._making = threading.Lock()

    def region(self, name: str) -> AwsCloud:
        with self._making:
            if name not in self._clouds:
                check_region(name, self._regions)
                link = Link(self._session, region=name, endpoint_url=self._endpoint_url)
                self._clouds[name] = AwsCloud(link)
            return self._clouds[name]

    def close(self) -> None:
        for cloud in self._clouds.values():
            cloud.close()


def _all_regions(session: boto3.Session) -> tuple[str, ...]:
    """Of all of AWS's partitions, as this version of boto3 knows them."""
    asked = cast("Any", session)
    partitions: list[str] = asked.get_available_partitions()
    found: list[list[str]] = [asked.get_available_regions("ec2", partition_name=it) for it in partitions]
    return tuple(name for names in found for name in names)
