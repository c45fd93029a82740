# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""EC2 as groups see it (`Compute`), over moto's backend of one account and region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from moto.core.exceptions import ServiceException
from moto.core.types import Base64EncodedString
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.utils import convert_tag_spec

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_outages
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_launch import (
    check_architecture,
    check_image,
    check_type_and_key,
    profile_arn,
)
from pavedroad.localcloud.moto_adapter.ec2_limits import room_for
from pavedroad.localcloud.moto_adapter.ec2_placement import place_asked, refuse_start
from pavedroad.localcloud.moto_adapter.ec2_spot import fulfil, refuse_low_price_of, request_for
from pavedroad.localcloud.ports import LaunchData, LaunchTemplateVersion, Machine


class MotoCompute:
    """`pavedroad.localcloud.ports.Compute`. Made anew at will: it holds nothing."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    @property
    def _ec2(self) -> LocalEC2Backend:
        return ec2_backend.backend(self._account, self._region)

    def launch_template(self, id_or_name: str, version: str) -> LaunchTemplateVersion:
        by_id = id_or_name.startswith("lt-")
        found = as_ours(
            self._ec2.launch_template_version,
            id_or_name if by_id else None,
            None if by_id else id_or_name,
            version,
        )
        return LaunchTemplateVersion(
            found.template.id,
            found.template.name,
            str(found.number),
            _launch_data(found.data),
            found.data.get("Placement") or {},
        )

    def architecture(self, image_id: str) -> str:
        image = self._ec2.amis.get(image_id)
        return (image.architecture if image else "") or "x86_64"

    def image_exists(self, image_id: str) -> bool:
        return image_id in self._ec2.amis

    def instance_types(self) -> Mapping[str, Mapping]:
        return INSTANCE_TYPES

    def check(self, data: LaunchData) -> None:
        as_ours(self._check, data)

    def launched_from(self, instance_id: str) -> LaunchData | None:
        instance = self._ec2.get_instance_by_id(instance_id)
        return None if instance is None else _as_launched(self._ec2, instance)

    def zones(self) -> tuple[str, ...]:
        return tuple(zone.name for zone in self._ec2.describe_availability_zones())

    def subnet_zone(self, subnet_id: str) -> str:
        return as_ours(self._ec2.get_subnet, subnet_id).availability_zone

    def zone_ids(self) -> Mapping[str, str]:
        return {zone.name: zone.zone_id for zone in self._ec2.describe_availability_zones()}

    def subnet_vpc(self, subnet_id: str) -> str:
        return as_ours(self._ec2.get_subnet, subnet_id).vpc_id

    def default_subnet(self, zone: str) -> str:
        return self._ec2.default_subnet_id(zone)

    def launch(
        self,
        data: LaunchData,
        *,
        subnet_id: str,
        tags: dict[str, str],
        placement: Mapping | None = None,
    ) -> Machine:
        return _machine(as_ours(self._launch, data, subnet_id, tags, placement or {}))

    def check_placement(self, placement: Mapping) -> None:
        place_asked(self._ec2, placement, "")

    def _check(self, data: LaunchData) -> str | None:
        """Gives the ARN of the instance profile."""
        ec2 = self._ec2
        check_image(ec2, data.image_id)
        check_type_and_key(ec2, data.instance_type, data.key_name)
        check_architecture(ec2, data.image_id, data.instance_type)
        for group in data.security_group_ids:
            if ec2.get_security_group_from_id(group) is None:
                raise ServiceError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        named = data.instance_profile_arn
        by_arn = bool(named and named.startswith("arn:"))
        return profile_arn(ec2, None if by_arn else named, named if by_arn else None)

    def _launch(
        self, data: LaunchData, subnet_id: str, tags: dict[str, str], placement: Mapping
    ) -> LocalInstance:
        ec2 = self._ec2
        profile = self._check(data)
        place = place_asked(ec2, placement, data.instance_type)
        place.room(ec2, ec2.get_subnet(subnet_id).availability_zone, 1)
        spot = data.market == "spot"
        room_for(ec2, 1, instance_type=data.instance_type, spot=spot)
        now = datetime.now(UTC)
        request = request_for({"MaxPrice": data.spot_max_price}, _as_asked(data, subnet_id), now)
        if spot:
            refuse_low_price_of(request, data.instance_type, ec2.get_subnet(subnet_id).availability_zone, now)
        groups = list(data.security_group_ids)
        if not groups:
            default = ec2.get_default_security_group(ec2.get_subnet(subnet_id).vpc_id)
            groups = [default.id] if default else []
        reservation = ec2.run_instances(
            data.image_id,
            1,
            Base64EncodedString(data.user_data) if data.user_data else None,
            [],
            instance_type=data.instance_type,
            is_instance_type_default=False,
            placement=None,
            region_name=self._region,
            subnet_id=subnet_id,
            key_name=data.key_name,
            security_group_ids=groups,
            nics=[],
            associate_public_ip=None,
            tags={"instance": {**data.tags, **tags}},
            client_token="",
            instance_market_options=data.market if data.market == "spot" else {},
            monitoring_state="enabled" if data.monitored else "disabled",
            metadata_options=dict(data.metadata_options),
            ebs_optimized=data.ebs_optimized,
        )
        instance = reservation.instances[0]
        place.take(ec2, instance)
        if spot:
            fulfil(ec2, request, instance, now)
        if profile:
            ec2.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_arn=profile)
        return instance

    def show_target_state(self, instance_id: str, state: str) -> None:
        instance = self._ec2.get_instance_by_id(instance_id)
        if instance is not None:
            instance.target_lifecycle_state = state

    def stop(self, instance_id: str) -> None:
        as_ours(self._ec2.stop_instances, [instance_id])

    def start(self, instance_id: str) -> None:
        instance = self._ec2.get_instance_by_id(instance_id)
        if instance is not None and instance.life.state == "stopped":
            ec2_outages.refuse_launch(instance.availability_zone or "", instance.instance_type)
            refuse_start(self._ec2, instance)
        as_ours(self._ec2.start_instances, [instance_id])

    def terminate(self, instance_id: str, reason: str) -> None:
        instance = self._ec2.get_instance_by_id(instance_id)
        if instance is None:
            return
        instance.life.terminate(datetime.now(UTC), reason=reason)
        if instance.life.state == "terminated":
            instance.take_down()

    def machine(self, instance_id: str) -> Machine | None:
        instance = self._ec2.get_instance_by_id(instance_id)
        return None if instance is None else _machine(instance)


def as_ours(function, *arguments):
    """Call moto's; its exceptions come as ours."""
    try:
        return function(*arguments)
    except ServiceException as error:
        raise ServiceError(error.code, str(error.message)) from error


def _launch_data(data: Mapping) -> LaunchData:
    profile = data.get("IamInstanceProfile") or {}
    market = data.get("InstanceMarketOptions") or {}
    nics = data.get("NetworkInterfaces") or []
    groups = data.get("SecurityGroupIds") or (nics[0].get("Groups") if nics else None) or []
    return LaunchData(
        image_id=data.get("ImageId") or "",
        instance_type=data.get("InstanceType") or "m1.small",
        user_data=str(data.get("UserData") or ""),
        key_name=data.get("KeyName"),
        security_group_ids=tuple(groups),
        instance_profile_arn=profile.get("Arn") or profile.get("Name"),
        tags=convert_tag_spec(data.get("TagSpecifications") or []).get("instance", {}),
        market="spot" if market.get("MarketType") == "spot" else "on-demand",
        spot_max_price=(market.get("SpotOptions") or {}).get("MaxPrice") or "",
        metadata_options=data.get("MetadataOptions") or {},
        monitored=bool((data.get("Monitoring") or {}).get("Enabled")),
        ebs_optimized=bool(data.get("EbsOptimized")),
    )


def _as_asked(data: LaunchData, subnet_id: str) -> dict:
    """By RunInstances' names."""
    return {
        "ImageId": data.image_id,
        "InstanceType": data.instance_type,
        "KeyName": data.key_name,
        "SubnetId": subnet_id,
        "SecurityGroupIds": list(data.security_group_ids),
        "Monitoring": {"Enabled": data.monitored},
    }


def _as_launched(ec2: LocalEC2Backend, one: LocalInstance) -> LaunchData:
    profile = ec2.iam_instance_profile_associations.get(one.id)
    return LaunchData(
        image_id=one.image_id,
        instance_type=one.instance_type,
        user_data=str(one.user_data or ""),
        key_name=one.key_name or None,
        security_group_ids=tuple(group.id for group in one.security_groups),
        instance_profile_arn=profile.instance_profile.arn if profile else None,
        market="spot" if one.lifecycle == "spot" else "on-demand",
        metadata_options={
            "HttpTokens": one.metadata_options.http_tokens,
            "HttpPutResponseHopLimit": one.metadata_options.http_put_response_hop_limit,
            "HttpEndpoint": one.metadata_options.http_endpoint,
        },
        monitored=one.monitoring_state == "enabled",
        ebs_optimized=bool(one.ebs_optimized),
    )


def _machine(one: LocalInstance) -> Machine:
    life = one.life
    return Machine(
        id=one.id,
        zone=one.availability_zone or "",
        subnet_id=one.subnet_id or "",
        state=life.state,
        state_reason=life.reason,
        image_id=one.image_id,
        instance_type=one.instance_type,
        launched_at=one.launch_time.replace(tzinfo=UTC),
        impaired=one.impaired,
        market="spot" if one.lifecycle == "spot" else "on-demand",
        rebalance_recommended=one.interruption is not None or life.was_reclaimed,
        interrupted=one.interruption is not None or life.was_reclaimed,
    )
