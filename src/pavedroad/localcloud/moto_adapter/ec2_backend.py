# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false, reportPrivateImportUsage=false
"""moto's EC2 backend with our instances, found by their id, launched into real subnets, and forgotten."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.parse import default_timestamp_parser
from moto.ec2.exceptions import InvalidAMIIdError, InvalidInstanceIdError, MalformedAMIIdError
from moto.ec2.models import ec2_backends, instances, key_pairs
from moto.ec2.models.amis import AMIS, Ami
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.models.instances import Reservation
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from moto.ec2.models.vpcs import VPC
from moto.ec2.utils import generic_filter, random_rsa_key_pair

from pavedroad.localcloud.api.ec2.placement import PlacementGroup
from pavedroad.localcloud.api.ec2.spot import SpotRequest
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import (
    ec2_endpoint_services,
    ec2_interfaces,
    ec2_lookups,
    ec2_network,
    ec2_outages,
    ec2_rules,
)
from pavedroad.localcloud.moto_adapter.ec2_census import Census
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance, tags_at_once
from pavedroad.localcloud.moto_adapter.ec2_letting_go import LettingGo
from pavedroad.localcloud.moto_adapter.ec2_lookups import Lookups
from pavedroad.localcloud.moto_adapter.ec2_metadata_options import check_metadata_options
from pavedroad.localcloud.moto_adapter.ec2_multi_attach import MultiAttach
from pavedroad.localcloud.moto_adapter.ec2_repeats import MadeOnce
from pavedroad.localcloud.moto_adapter.ec2_stock import stock_of
from pavedroad.localcloud.moto_adapter.ec2_templates import Templates
from pavedroad.localcloud.moto_adapter.outside import outside
from pavedroad.localcloud.moto_adapter.regions import known_of
from pavedroad.localcloud.wanted import GuestImage

ACCOUNT = DEFAULT_ACCOUNT_ID
_METADATA_OPTIONS = {
    "http_tokens": "http_tokens",
    "hop_limit": "http_put_response_hop_limit",
    "http_endpoint": "http_endpoint",
    "http_protocol": "http_protocol_ipv6",
    "metadata_tags": "instance_metadata_tags",
}


class LocalEC2Backend(Templates, MadeOnce, LettingGo, MultiAttach, Lookups):
    """One account's EC2 in one region."""

    _census: Census | None = None

    def __init__(self, region_name: str, account_id: str) -> None:
        self.by_id: dict[str, LocalInstance] = {}
        self.launched = 0
        self.guest_images: dict[str, GuestImage] = {}
        """What the guests of registered images boot; the stock ones are bare."""
        self.captures: dict[str, Any] = {}
        """Images of instances that are being made, by the image's id."""
        self.spot: dict[str, SpotRequest] = {}
        self.metadata_defaults: dict[str, object] = {}
        """What new instances' metadata options are where their launch does not say."""
        self.answers: dict[tuple[str, str], tuple[str, bytes]] = {}
        """What an operation with a client token was asked, as a fingerprint, and what it answered."""
        self.client_tokens: dict[str, tuple[str, str]] = {}
        """RunInstances' token to a fingerprint of its parameters, and the reservation it made."""
        super().__init__(region_name, account_id)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_census", "_stocked")}

    @property
    def census(self) -> Census:
        """Counted when it is first asked for, and kept true from then on."""
        if self._census is None:
            self._census = Census(self.by_id.values())
        return self._census

    def take_up(self, instance: LocalInstance) -> None:
        """A new instance, from when it is first looked for."""
        self.launched += 1
        instance.sequence = self.launched
        self.by_id[instance.id] = instance
        self.census.watch(instance)

    @property
    def placement_groups(self) -> dict[str, PlacementGroup]:
        """By id. A state that is from before there were any has none."""
        return vars(self).setdefault("_placement_groups", {})

    def delete_vpc(self, vpc_id: str) -> VPC:
        """Its access control lists end with it, which moto keeps, and the place of its groups."""
        self.disassociate_dhcp_options(self.get_vpc(vpc_id))  # which stay
        deleted = super().delete_vpc(vpc_id)
        for acl in [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id]:
            del self.network_acls[acl.id]
        if not self.groups.get(vpc_id):
            self.groups.pop(vpc_id, None)
        return deleted

    def _load_amis(self) -> None:
        """moto's stock images without the thousand that only ECS uses."""
        for stock in [*AMIS, *known_of("ec2/resources/latest_amis", self.region_name)]:
            described = {**stock, "owner_alias": "amazon"}
            if isinstance(created := described.get("creation_date"), str):
                described["creation_date"] = default_timestamp_parser(created)
            self.amis[described["ami_id"]] = Ami(self, **described)
        self.stock()

    def stock(self) -> None:
        """Have the images that moto has none of; also those of a state from before there were any."""
        if "_stocked" not in vars(self):
            self._stocked = True
            for it in stock_of(self.region_name):
                self.amis.setdefault(it.id, Ami(self, **it.described()))

    def describe_images(self, ami_ids=None, filters=None, exec_users=None, owners=None):
        """By id at once, an error for each that is not there, and the filters besides."""
        self.stock()
        if filters and not ami_ids and filters.keys() == {"image-id"} and not (exec_users or owners):
            wanted = filters["image-id"]
            ids = [wanted] if isinstance(wanted, str) else wanted
            return [self.amis[ami_id] for ami_id in ids if ami_id in self.amis]
        if not ami_ids:
            return super().describe_images(None, filters, exec_users, owners)
        if missing := [ami_id for ami_id in ami_ids if ami_id not in self.amis]:
            malformed = [ami_id for ami_id in missing if not ami_id.startswith("ami-")]
            raise MalformedAMIIdError(malformed) if malformed else InvalidAMIIdError(missing)
        found = [self.amis[ami_id] for ami_id in dict.fromkeys(ami_ids)]
        return generic_filter(filters, found) if filters else found

    def copy_image(self, source_image_id, source_region, name=None, description=None) -> Ami:
        image = super().copy_image(source_image_id, source_region, name, description)
        source = backend(self.account_id, source_region)
        image.image_location = source.amis[source_image_id].image_location
        if booted := source.guest_images.get(source_image_id):
            self.guest_images[image.id] = replace(booted, id=image.id)
        return image

    def deregister_image(self, ami_id: str) -> None:
        """Instances of it go on, and boot again: each keeps what it boots."""
        super().deregister_image(ami_id)
        self.guest_images.pop(ami_id, None)

    def create_vpc(self, cidr_block, *args, **kwargs):
        """Where machines are processes, each address of a network on loopback exists once. Other networks are
        as AWS's are, and may overlap."""
        if not cidr_block:
            raise ServiceError(
                "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."
            )
        network = ec2_network.loopback_network(cidr_block)
        if network and (elsewhere := ec2_network.network_of_region(network, self.region_name)):
            raise ServiceError(
                "InvalidVpc.Range",
                f"The CIDR '{cidr_block}' overlaps the network of {elsewhere}: in this cloud all networks "
                "lie on one loopback interface.",
            )
        for known in backends():
            for vpc in known.vpcs.values():
                if network and network.overlaps(ipaddress.ip_network(vpc.cidr_block, strict=False)):
                    raise ServiceError(
                        "InvalidVpc.Range",
                        f"The CIDR '{cidr_block}' overlaps that of {vpc.id}, {vpc.cidr_block}: in this cloud "
                        "all networks lie on one loopback interface.",
                    )
        return super().create_vpc(cidr_block, *args, **kwargs)

    def create_security_group(self, *args, is_default: bool | None = None, **kwargs) -> SecurityGroup:
        """As on AWS, members of a network's default group reach each other."""
        group = super().create_security_group(*args, is_default=is_default, **kwargs)
        if is_default:
            itself = {"GroupId": group.id, "UserId": self.account_id, "OwnerId": self.account_id}
            rule = SecurityGroupRule(self, "-1", group.id, None, None, {}, itself, is_egress=False)
            group.add_ingress_rule(rule)
        return group

    def modify_network_interface_attribute(self, eni_id: str, group_ids: list[str], *args, **kwargs) -> None:
        """An instance's groups are those of its first interface."""
        for group_id in group_ids:
            if self.get_security_group_from_id(group_id) is None:
                raise ServiceError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        super().modify_network_interface_attribute(eni_id, group_ids, *args, **kwargs)
        interface = self.get_network_interface(eni_id)
        one = interface.instance
        if group_ids and isinstance(one, LocalInstance) and one.nics[0] is interface:
            one.security_groups = list(interface._group_set)

    def modify_instance_metadata_options(self, instance_id: str, **changes):
        """What is not named stays as it is."""
        one = self.get_instance(instance_id)
        options = one.metadata_options
        asked = {
            "HttpPutResponseHopLimit": changes.get("hop_limit"),
            "InstanceMetadataTags": changes.get("metadata_tags"),
        }
        check_metadata_options(asked, one.tag_map)
        for name, attribute in _METADATA_OPTIONS.items():
            if changes.get(name) is not None:
                setattr(options, attribute, changes[name])
        return options

    def run_instances(self, image_id, count, user_data, security_group_names, **kwargs) -> Reservation:
        """All or none: what fails on the way takes back what it has begun."""
        ec2_outages.refuse_launch(self._zone_of(kwargs), kwargs.get("instance_type", ""))
        reservations, known = len(self.reservations), len(self.by_id)
        if not kwargs.get("placement") and kwargs.get("instance_type") in _offered_in(self.region_name):
            kwargs["is_instance_type_default"] = True  # moto would look through all that are offered
        try:
            reservation = super().run_instances(image_id, count, user_data, security_group_names, **kwargs)
        except Exception:
            while len(self.reservations) > reservations:
                self.reservations.popitem()
            while len(self.by_id) > known:
                self._erase(self.by_id[next(reversed(self.by_id))])
            raise
        for instance in reservation.instances:
            instance.reservation_id = reservation.id
            instance.guest_image = self.guest_images.get(image_id) or GuestImage(image_id)
        return reservation

    def _zone_of(self, launch: dict) -> str:
        subnet_id = launch.get("subnet_id")
        for nic in launch.get("nics") or ():
            known = self.enis.get(nic.get("NetworkInterfaceId") or "")
            subnet_id = known.subnet.id if known else nic.get("SubnetId") or subnet_id
        return self.get_subnet(subnet_id).availability_zone if subnet_id else ""

    def _erase(self, instance: LocalInstance) -> None:
        instance.take_down()
        self._forget(instance)

    def _forget(self, instance: LocalInstance) -> None:
        del self.by_id[instance.id]
        self.census.forget(instance)
        instance.give_back_addresses()
        self.tags.pop(instance.id, None)

    def create_network_interface(self, subnet, private_ip_address, *args, **kwargs):
        found = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        address = ec2_interfaces.make_up(found, private_ip_address)
        return super().create_network_interface(found, address, *args, **kwargs)

    # Lookups by id: moto's go through every reservation.

    def get_instance(self, instance_id: str) -> LocalInstance:
        if instance := self.by_id.get(instance_id):
            return instance
        raise InvalidInstanceIdError(instance_id)

    def get_instance_by_id(self, instance_id: str) -> LocalInstance | None:
        return self.by_id.get(instance_id)

    def get_multi_instances_by_id(self, instance_ids, filters=None) -> list[LocalInstance]:
        if missing := [instance_id for instance_id in instance_ids if instance_id not in self.by_id]:
            raise InvalidInstanceIdError(missing)
        return [self.by_id[name] for name in instance_ids if self.by_id[name].applies(filters)]

    def forget_instances(self, ended_before: datetime) -> list[str]:
        """Terminated instances disappear some time after their end, and their addresses may be used again."""
        gone = [
            instance
            for instance in self.census.terminated.values()
            if (instance.life.ended_at or ended_before) < ended_before
        ]
        for instance in gone:
            self._forget(instance)
        if gone:
            for reservation_id in {instance.reservation_id for instance in gone}:
                if reservation := self.reservations.get(reservation_id):
                    reservation.instances = [one for one in reservation.instances if not one.forgotten]
                    if not reservation.instances:
                        del self.reservations[reservation_id]
            alive = self.reservations.keys()
            self._forget_requests(ended_before)
            self.client_tokens = {k: v for k, v in self.client_tokens.items() if v[1] in alive}
        return [instance.id for instance in gone]

    def _forget_requests(self, ended_before: datetime) -> None:
        for request in list(self.spot.values()):
            over = request.state in ("closed", "cancelled", "failed") and request.changed < ended_before
            if over and request.instance_id not in self.by_id:
                del self.spot[request.id]
                self.tags.pop(request.id, None)

    def default_subnet_id(self, zone: str | None) -> str:
        """Where an instance goes that names no subnet: the zone with the fewest of them, of those that have
        room."""
        subnets = self.get_default_subnets()
        if zone is not None:
            if zone not in {known.name for known in self.describe_availability_zones()}:
                raise ServiceError(
                    "InvalidParameterValue",
                    f"Invalid availability zone: [{zone}] of region {self.region_name}",
                )
            if zone not in subnets:
                raise ServiceError("MissingInput", f"No default subnet for availability zone: '{zone}'.")
            return subnets[zone].id
        if not subnets:
            raise ServiceError(
                "MissingInput", "No subnets found for the default VPC. Please specify a subnet."
            )
        open_to = [it for it in subnets if ec2_outages.can_launch(it)] or subnets
        return subnets[min(open_to, key=lambda name: (self.census.by_zone[name], name))].id


@cache
def _offered_in(region: str) -> frozenset[str]:
    return frozenset(offered["InstanceType"] for offered in INSTANCE_TYPE_OFFERINGS["region"].get(region, ()))


def install(block: Block) -> None:
    """Make moto use these classes; before the first backend is made."""
    ec2_network.install(block.networks)
    ec2_lookups.install()
    ec2_endpoint_services.install()
    ec2_rules.install()
    instances.Instance = LocalInstance
    TaggedEC2Resource.get_tags = tags_at_once
    # moto counts the instance's among those of its every interface.
    NetworkInterface.group_set = property(lambda interface: interface._group_set)
    ec2_backends.backend = LocalEC2Backend
    key_pairs.random_rsa_key_pair = _made_key_pair


def _made_key_pair() -> dict[str, Any]:
    return outside("key pair", random_rsa_key_pair)


def backend(account: str, region: str) -> LocalEC2Backend:
    """Controllers ask for each instance: one that exists is found past moto's own, slower way."""
    regions = dict.get(ec2_backends, account)
    found = None if regions is None else dict.get(regions, region)
    return ec2_backends[account][region] if found is None else found  # pyright: ignore[reportReturnType]


def backends() -> Iterator[LocalEC2Backend]:
    """Those that exist."""
    for _, _, found in ec2_backends.iter_backends():
        yield found  # pyright: ignore[reportReturnType]


def now() -> datetime:
    return datetime.now(UTC)
