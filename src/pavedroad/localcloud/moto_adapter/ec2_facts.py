# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""What the EC2 controller and the guests' metadata need of moto's instances."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from pavedroad.localcloud.api.ec2.controller import Managed
from pavedroad.localcloud.api.ec2.facts import Facts, Interruption, RoleCredentials
from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_places
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_monitored import limits_of
from pavedroad.localcloud.moto_adapter.ec2_spot import advance
from pavedroad.localcloud.wanted import GuestImage

_LEASE = timedelta(hours=6)
_RENEW_BEFORE = timedelta(hours=1)
_ISO = "%Y-%m-%dT%H:%M:%SZ"


class MotoFleet:
    """`pavedroad.localcloud.api.ec2.controller.Fleet`."""

    def instances(self) -> Iterator[LocalInstance]:
        everywhere = [list(backend.by_id.values()) for backend in ec2_backend.backends()]
        return chain.from_iterable(everywhere)

    def advance(self, now: datetime) -> bool:
        changed = False
        for backend in list(ec2_backend.backends()):
            changed |= advance(backend, now)
        return changed

    def forget(self, ended_before: datetime) -> list[str]:
        return [gone for backend in ec2_backend.backends() for gone in backend.forget_instances(ended_before)]

    def fingerprint(self, instance: Managed) -> object:
        return fingerprint_of(instance)

    def facts(self, instance: Managed) -> Facts:
        return facts_of(instance)

    def find(self, account: str, region: str, instance_id: str) -> LocalInstance | None:
        return ec2_backend.backend(account, region).get_instance_by_id(instance_id)


def facts_of(one: LocalInstance) -> Facts:
    nic = one.nics[0]
    key = one.ec2_backend.key_pairs.get(one.key_name) if one.key_name else None
    profile = one.iam_instance_profile or {}
    zone = one.ec2_backend.get_zone_by_name(one.availability_zone)
    return Facts(
        id=one.id,
        account=one.owner_id,
        region=one.ec2_backend.region_name,
        zone=one.availability_zone or "",
        zone_id=zone.zone_id if zone else "",
        boot=one.life.boot,
        image_id=one.image_id,
        image=one.guest_image or GuestImage(one.image_id),
        instance_type=one.instance_type,
        architecture=one.architecture or "x86_64",
        address=ec2_places.place(nic.subnet, nic.private_ip_address or ""),
        private_address=nic.private_ip_address or "",
        public_address=nic.public_ip or "",
        mac=nic.mac_address,
        vpc_id=nic.subnet.vpc_id,
        subnet_id=nic.subnet.id,
        launch_index=one.ami_launch_index,
        launched=one.launch_time.strftime(_ISO),
        reservation_id=one.reservation_id,
        user_data=str(one.user_data or ""),
        tags=dict(one.tag_map),
        security_groups=tuple(group.name for group in one.security_groups),
        key_name=one.key_name or "",
        key_material=key.material_public.decode(errors="replace") if key and key.material_public else "",
        profile_arn=profile.get("Arn", ""),
        profile_id=profile.get("Id", ""),
        credentials=credentials_of(one),
        require_token=one.metadata_options.http_tokens == "required",
        limits=limits_of(one.instance_type),
        target_lifecycle_state=one.target_lifecycle_state,
        metadata_enabled=one.metadata_options.http_endpoint != "disabled",
        metadata_tags=one.metadata_options.instance_metadata_tags == "enabled",
        metadata_hops=int(one.metadata_options.http_put_response_hop_limit or 1),
        placement_group=one.placement_group.name if one.placement_group else "",
        partition=one.partition_number,
        spot=one.lifecycle == "spot",
        interruption=_interruption_of(one),
    )


def _interruption_of(one: LocalInstance) -> Interruption | None:
    if one.interruption is None or one.noticed_at is None:
        return None
    request = one.ec2_backend.spot.get(one.spot_request_id)
    action = request.behaviour if request else "terminate"
    return Interruption(action, one.interruption.strftime(_ISO), one.noticed_at.strftime(_ISO))


def fingerprint_of(one: LocalInstance) -> object:
    """Cheap: taken of every instance in every pass of the controller."""
    profile = one.iam_instance_profile
    held = one.role_credentials
    renewed = held.access_key_id if held and profile and _fresh(one) else ""
    return (
        one.life.boot,
        one.instance_type,
        id(one.user_data),
        one.nics[0].public_ip,
        one.metadata_options.http_tokens,
        one.metadata_options.http_endpoint,
        one.metadata_options.instance_metadata_tags,
        one.metadata_options.http_put_response_hop_limit,
        one.placement_group,
        one.partition_number,
        one.target_lifecycle_state,
        one.interruption and one.noticed_at,
        tuple(one.tag_map.items()),
        tuple([group.id for group in one.security_groups]),
        (profile["Arn"], renewed) if profile else None,
    )


def credentials_of(one: LocalInstance) -> RoleCredentials | None:
    """Those of the profile's role, taken anew an hour before they expire."""
    profile = one.iam_instance_profile
    if not profile:
        one.role_credentials = None
        return None
    if _fresh(one):
        return one.role_credentials
    partition = one.ec2_backend.partition
    with contextlib.suppress(ServiceException):
        roles = iam_backends[one.owner_id][partition].get_instance_profile_by_arn(profile["Arn"]).roles
        if roles:
            role = roles[0]
            taken = sts_backends[one.owner_id][partition].assume_role(
                region_name=one.ec2_backend.region_name,
                role_session_name=one.id,
                role_arn=role.arn,
                policy="",
                duration=int(_LEASE.total_seconds()),
                external_id="",
            )
            taken.instance_id = one.id  # they end with it
            now = datetime.now(UTC)
            one.role_credentials = RoleCredentials(
                role=role.name,
                access_key_id=taken.access_key_id,
                secret_access_key=taken.secret_access_key,
                session_token=taken.session_token,
                issued=now.strftime(_ISO),
                expires=(now + _LEASE).strftime(_ISO),
            )
            one.credentials_until = now + _LEASE - _RENEW_BEFORE
            return one.role_credentials
    return None


def _fresh(one: LocalInstance) -> bool:
    until = one.credentials_until
    return one.role_credentials is not None and until is not None and datetime.now(UTC) < until
