# pyright: basic
"""Instances as EC2's XML, written straight from moto's objects: moto's own way takes a millisecond each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_places import place
from pavedroad.localcloud.moto_adapter.ec2_types import default_processors

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def instances_xml(
    backend: LocalEC2Backend, found: Iterable[LocalInstance], next_token: str, request_id: str
) -> str:
    """`DescribeInstancesResponse`, with the instances grouped in their reservations."""
    grouped: dict[str, list[LocalInstance]] = {}
    for instance in found:
        grouped.setdefault(instance.reservation_id, []).append(instance)
    reservations = "".join(
        f"<item>{reservation_xml(backend, reservation_id, members)}</item>"
        for reservation_id, members in grouped.items()
    )
    token = f"<nextToken>{next_token}</nextToken>" if next_token else ""
    return _response(
        "DescribeInstances", request_id, f"<reservationSet>{reservations}</reservationSet>{token}"
    )


def launched_xml(
    backend: LocalEC2Backend, reservation_id: str, members: list[LocalInstance], request_id: str
) -> str:
    return _response("RunInstances", request_id, reservation_xml(backend, reservation_id, members))


def reservation_xml(backend: LocalEC2Backend, reservation_id: str, members: list[LocalInstance]) -> str:
    items = "".join([instance_xml(instance) for instance in members])
    return (
        f"<reservationId>{reservation_id}</reservationId><ownerId>{backend.account_id}</ownerId><groupSet/>"
        f"<instancesSet>{items}</instancesSet>"
    )


def _response(operation: str, request_id: str, inside: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{operation}Response xmlns="{_NAMESPACE}"><requestId>{request_id}</requestId>{inside}'
        f"</{operation}Response>"
    )


def instance_xml(one: LocalInstance) -> str:
    life = one.life
    nics = list(one.nics.values())
    gone = life.state == "terminated"
    first = nics[0] if nics and not gone else None
    groups = "" if gone else _groups(one.security_groups)
    where = first.subnet if first else None
    placed = f"<subnetId>{where.id}</subnetId><vpcId>{where.vpc_id}</vpcId>" if where else ""
    private = first.private_ip_address if first else ""
    public = (first.public_ip or "") if first else ""
    addresses = f"<privateIpAddress>{private}</privateIpAddress>" if private else ""
    if public:
        addresses += f"<ipAddress>{public}</ipAddress>"
    reason = (
        f"<stateReason><code>{life.reason_code}</code><message>{escape(life.reason)}</message></stateReason>"
        if life.reason_code
        else ""
    )
    options = one.metadata_options
    return (
        f"<item><instanceId>{one.id}</instanceId><imageId>{one.image_id}</imageId>"
        f"<instanceState><code>{life.code}</code><name>{life.state}</name></instanceState>"
        f"<privateDnsName>{one.private_dns_name if first else ''}</privateDnsName><dnsName>{public}</dnsName>"
        f"<reason>{escape(life.transition)}</reason>"
        f"{_maybe('keyName', one.key_name)}<amiLaunchIndex>{one.ami_launch_index}</amiLaunchIndex>"
        "<productCodes/>"
        f"<instanceType>{one.instance_type}</instanceType><launchTime>{_time(one.launch_time)}</launchTime>"
        f"<placement><availabilityZone>{one.availability_zone}</availabilityZone>"
        f"{_placed(one)}<tenancy>{one.placement.tenancy}</tenancy></placement>"
        f"{_maybe('platform', one.platform)}"
        f"<monitoring><state>{one.monitoring_state}</state></monitoring>{placed}{addresses}"
        f"<sourceDestCheck>{_bool(one.source_dest_check)}</sourceDestCheck><groupSet>{groups}</groupSet>{reason}"
        f"<architecture>{one.architecture}</architecture><rootDeviceType>{one.root_device_type}</rootDeviceType>"
        f"{_maybe('rootDeviceName', one.root_device_name)}"
        f"<blockDeviceMapping>{_volumes(one)}</blockDeviceMapping>"
        f"<virtualizationType>{one.virtualization_type}</virtualizationType>"
        f"<clientToken>{escape(one.client_token or '')}</clientToken>{_tags(one.tag_map)}"
        f"<hypervisor>{one.hypervisor}</hypervisor>{_interfaces(nics, gone)}{_profile(one)}"
        f"<ebsOptimized>{_bool(one.ebs_optimized)}</ebsOptimized>{_maybe('instanceLifecycle', one.lifecycle)}"
        f"{_maybe('spotInstanceRequestId', one.spot_request_id)}{_processors(one)}"
        f"<metadataOptions><state>{options.state}</state><httpTokens>{options.http_tokens}</httpTokens>"
        f"<httpPutResponseHopLimit>{options.http_put_response_hop_limit}</httpPutResponseHopLimit>"
        f"<httpEndpoint>{options.http_endpoint}</httpEndpoint>"
        f"<httpProtocolIpv6>{options.http_protocol_ipv6}</httpProtocolIpv6>"
        f"<instanceMetadataTags>{options.instance_metadata_tags}</instanceMetadataTags></metadataOptions>"
        f"<hibernationOptions><configured>{_bool(_hibernates(one))}</configured></hibernationOptions>{_SAME}</item>"
    )


def _placed(one: LocalInstance) -> str:
    group, partition = one.placement_group, one.partition_number
    if group is None:
        return "<groupName/>"
    number = f"<partitionNumber>{partition}</partitionNumber>" if partition else ""
    return f"<groupName>{escape(group.name)}</groupName><groupId>{group.id}</groupId>{number}"


_SAME = (
    "<capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference>"
    "</capacityReservationSpecification><enclaveOptions><enabled>false</enabled></enclaveOptions>"
    "<maintenanceOptions><autoRecovery>default</autoRecovery></maintenanceOptions><privateDnsNameOptions>"
    "<enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>"
    "<enableResourceNameDnsARecord>false</enableResourceNameDnsARecord><hostnameType>ip-name</hostnameType>"
    "</privateDnsNameOptions><usageOperation>RunInstances</usageOperation>"
)
"""What AWS says of every instance, and is the same for all of ours."""


def _hibernates(one: LocalInstance) -> bool:
    options = one.hibernation_options or {}
    return str(options.get("Configured")).lower() == "true"


def _interfaces(nics, gone: bool) -> str:
    if gone:
        return "<networkInterfaceSet/>"
    return f"<networkInterfaceSet>{''.join([_interface(nic) for nic in nics])}</networkInterfaceSet>"


def _interface(nic) -> str:
    association = ""
    if nic.public_ip:
        association = (
            f"<association><ipOwnerId>{nic.owner_id}</ipOwnerId><publicDnsName>{nic.public_ip}</publicDnsName>"
            f"<publicIp>{nic.public_ip}</publicIp></association>"
        )
    addresses = "".join(
        f"<item><privateIpAddress>{one['PrivateIpAddress']}</privateIpAddress>"
        f"<primary>{_bool(one['PrivateIpAddress'] == nic.private_ip_address)}</primary>"
        f"{association if one['PrivateIpAddress'] == nic.private_ip_address else ''}</item>"
        for one in nic.private_ip_addresses
    )
    attached = (
        f"<attachment><attachmentId>{nic.attachment_id}</attachmentId><deviceIndex>{nic.device_index}</deviceIndex>"
        f"<status>attached</status><attachTime>{_time(nic.attach_time)}</attachTime>"
        f"<deleteOnTermination>{_bool(nic.delete_on_termination)}</deleteOnTermination>"
        f"<networkCardIndex>0</networkCardIndex></attachment>"
        if nic.attachment_id
        else ""
    )
    return (
        f"<item><networkInterfaceId>{nic.id}</networkInterfaceId><subnetId>{nic.subnet.id}</subnetId>"
        f"<vpcId>{nic.subnet.vpc_id}</vpcId><description>{escape(nic.description)}</description>"
        f"<ownerId>{nic.owner_id}</ownerId><status>{nic.status}</status><macAddress>{nic.mac_address}</macAddress>"
        f"<privateIpAddress>{nic.private_ip_address}</privateIpAddress>"
        f"<privateDnsName>{place(nic.subnet, nic.private_ip_address)}</privateDnsName>"
        f"<sourceDestCheck>{_bool(nic.source_dest_check)}</sourceDestCheck>"
        f"<groupSet>{_groups(nic.group_set)}</groupSet>{attached}{association}"
        f"<privateIpAddressesSet>{addresses}</privateIpAddressesSet><ipv6AddressesSet/>"
        f"<interfaceType>{nic.interface_type}</interfaceType></item>"
    )


def _volumes(one: LocalInstance) -> str:
    return "".join(
        f"<item><deviceName>{name}</deviceName><ebs><volumeId>{device.volume_id}</volumeId>"
        f"<status>{'attached' if device.status == 'in-use' else device.status}</status>"
        f"<attachTime>{_time(device.attach_time)}</attachTime>"
        f"<deleteOnTermination>{_bool(device.delete_on_termination)}</deleteOnTermination></ebs></item>"
        for name, device in one.block_device_mapping.items()
    )


def _processors(one: LocalInstance) -> str:
    cores, threads = default_processors(one.instance_type)
    asked = one.cpu_options
    return (
        f"<cpuOptions><coreCount>{asked.get('CoreCount') or cores}</coreCount>"
        f"<threadsPerCore>{asked.get('ThreadsPerCore') or threads}</threadsPerCore></cpuOptions>"
    )


def _profile(one: LocalInstance) -> str:
    profile = one.iam_instance_profile
    if not profile:
        return ""
    return f"<iamInstanceProfile><arn>{profile['Arn']}</arn><id>{profile['Id']}</id></iamInstanceProfile>"


def _groups(groups) -> str:
    return "".join(
        f"<item><groupId>{group.id}</groupId><groupName>{escape(group.name)}</groupName></item>"
        for group in groups
    )


def _tags(tags: dict[str, str]) -> str:
    if not tags:
        return ""
    pairs = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value or '')}</value></item>"
        for key, value in tags.items()
    )
    return f"<tagSet>{pairs}</tagSet>"


def _maybe(name: str, value: str | None) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else ""


def _bool(value: object) -> str:
    return "true" if str(value).lower() == "true" else "false"


def _time(value: datetime | str | None) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return value or ""
