"""Target groups, and the health of what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from pavedroad.clouds.aws import network
from pavedroad.clouds.aws import tags as tagging
from pavedroad.clouds.aws.errors import code_of, is_missing
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import HealthCheck, HealthState, TargetGroup, TargetGroupSpec, TargetHealth
from pavedroad.clouds.ownership import check_known, is_known
from pavedroad.core.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TargetGroupTypeDef, TargetHealthDescriptionTypeDef

# The least that the balancers of AWS itself take; the cloud says itself where it takes less.
_LEAST_INTERVAL = 5
_LEAST_TIMEOUT = 2


class AwsTargetGroups:
    """Target groups of the `Balancing` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ensure_target_group(self, spec: TargetGroupSpec) -> TargetGroup:
        def ensure() -> TargetGroup:
            found = self._described_targets(spec.name) or self._create_targets(spec)
            held = self._read_targets(found)
            check_known("target group", spec.name, held.tags, spec.known_by)
            self._link.elbv2.modify_target_group_attributes(
                TargetGroupArn=held.id,
                Attributes=[
                    {
                        "Key": "deregistration_delay.timeout_seconds",
                        "Value": str(spec.deregistration_delay_seconds),
                    }
                ],
            )
            return held

        return await self._link.run(ensure)

    async def target_group(self, name: str) -> TargetGroup:
        def describe() -> TargetGroup:
            found = self._described_targets(name)
            if found is None:
                raise NotFound(f"There is no target group {name} in {self._link.region}.")
            return self._read_targets(found)

        return await self._link.run(describe)

    async def delete_target_group(self, name: str, *, known_by: Mapping[str, str]) -> None:
        def delete() -> None:
            found = self._described_targets(name)
            if found is not None and is_known((held := self._read_targets(found)).tags, known_by):
                self._link.elbv2.delete_target_group(TargetGroupArn=held.id)

        await self._link.run(delete)

    async def target_health(self, target_group_id: str) -> list[TargetHealth]:
        def describe() -> list[TargetHealth]:
            answer = self._link.elbv2.describe_target_health(TargetGroupArn=target_group_id)
            return [_health(target) for target in answer["TargetHealthDescriptions"]]

        return await self._link.run(describe)

    def _described_targets(self, name: str) -> TargetGroupTypeDef | None:
        try:
            found = self._link.elbv2.describe_target_groups(Names=[name])["TargetGroups"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found[0] if found else None

    def _create_targets(self, spec: TargetGroupSpec) -> TargetGroupTypeDef:
        check = spec.health_check
        try:
            return self._make_targets(spec, check.interval_seconds, check.timeout_seconds)
        except ClientError as error:
            if code_of(error) != "ValidationError" or (
                check.interval_seconds >= _LEAST_INTERVAL and check.timeout_seconds >= _LEAST_TIMEOUT
            ):
                raise
        return self._make_targets(
            spec, max(check.interval_seconds, _LEAST_INTERVAL), max(check.timeout_seconds, _LEAST_TIMEOUT)
        )

    def _make_targets(self, spec: TargetGroupSpec, interval: int, timeout: int) -> TargetGroupTypeDef:
        check = spec.health_check
        made = self._link.elbv2.create_target_group(
            Name=spec.name,
            Protocol="HTTP",
            Port=spec.port,
            VpcId=network.default_vpc(self._link),
            TargetType="instance",
            HealthCheckProtocol="HTTP",
            HealthCheckPath=check.path,
            HealthCheckIntervalSeconds=interval,
            HealthCheckTimeoutSeconds=timeout,
            HealthyThresholdCount=check.healthy_threshold,
            UnhealthyThresholdCount=check.unhealthy_threshold,
            Matcher={"HttpCode": check.matcher},
            **tagging.given(spec.tags),
        )
        return made["TargetGroups"][0]

    def _read_targets(self, found: TargetGroupTypeDef) -> TargetGroup:
        arn = found.get("TargetGroupArn", "")
        described = self._link.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        return TargetGroup(
            id=arn,
            name=found.get("TargetGroupName", ""),
            port=found.get("Port", 0),
            health_check=HealthCheck(
                path=found.get("HealthCheckPath", "/"),
                interval_seconds=found.get("HealthCheckIntervalSeconds", 0),
                timeout_seconds=found.get("HealthCheckTimeoutSeconds", 0),
                healthy_threshold=found.get("HealthyThresholdCount", 0),
                unhealthy_threshold=found.get("UnhealthyThresholdCount", 0),
                matcher=found.get("Matcher", {}).get("HttpCode", ""),
            ),
            tags=tagging.read(described[0].get("Tags", [])) if described else {},
        )


def _health(target: TargetHealthDescriptionTypeDef) -> TargetHealth:
    health = target.get("TargetHealth", {})
    state = cast("HealthState", health.get("State", "unavailable"))
    reason = "" if state == "healthy" else health.get("Description") or health.get("Reason", "")
    return TargetHealth(target.get("Target", {}).get("Id", ""), state, reason)
