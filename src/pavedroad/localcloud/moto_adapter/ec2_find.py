# pyright: basic
"""DescribeInstances: which instances are meant, page by page of instances."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import islice

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance

_LARGEST_PAGE = 1000
_FORM = re.compile(r"(InstanceId|Filter)\.(\d+)(?:\.(Name|Value\.\d+))?")
_VALUES: dict[str, Callable[[LocalInstance], object]] = {
    "instance-id": lambda one: one.id,
    "image-id": lambda one: one.image_id,
    "instance-type": lambda one: one.instance_type,
    "instance-state-name": lambda one: one.life.state,
    "instance-state-code": lambda one: one.life.code,
    "state-reason-code": lambda one: one.life.reason_code,
    "reason": lambda one: one.life.transition,
    "availability-zone": lambda one: one.availability_zone,
    "placement-group-name": lambda one: one.placement.group_name,
    "tenancy": lambda one: one.placement.tenancy,
    "subnet-id": lambda one: one.subnet_id,
    "network-interface.subnet-id": lambda one: one.subnet_id,
    "vpc-id": lambda one: one.vpc_id,
    "network-interface.vpc-id": lambda one: one.vpc_id,
    "private-ip-address": lambda one: one.private_ip,
    "network-interface.addresses.private-ip-address": lambda one: one.private_ip,
    "private-dns-name": lambda one: one.private_dns_name,
    "network-interface.private-dns-name": lambda one: one.private_dns_name,
    "ip-address": lambda one: one.public_ip,
    "dns-name": lambda one: one.public_dns_name,
    "key-name": lambda one: one.key_name,
    "architecture": lambda one: one.architecture,
    "hypervisor": lambda one: one.hypervisor,
    "virtualization-type": lambda one: one.virtualization_type,
    "root-device-type": lambda one: one.root_device_type,
    "root-device-name": lambda one: one.root_device_name,
    "platform": lambda one: one.platform,
    "owner-id": lambda one: one.owner_id,
    "reservation-id": lambda one: one.reservation_id,
    "client-token": lambda one: one.client_token,
    "launch-index": lambda one: one.ami_launch_index,
    "launch-time": lambda one: one.launch_time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "instance-lifecycle": lambda one: one.lifecycle,
    "monitoring-state": lambda one: one.monitoring_state,
    "source-dest-check": lambda one: str(one.source_dest_check).lower(),
    "iam-instance-profile.arn": lambda one: (one.iam_instance_profile or {}).get("Arn"),
    "iam-instance-profile.id": lambda one: (one.iam_instance_profile or {}).get("Id"),
    "instance.group-id": lambda one: [group.id for group in one.security_groups],
    "group-id": lambda one: [group.id for group in one.security_groups],
    "network-interface.group-id": lambda one: [group.id for group in one.security_groups],
    "instance.group-name": lambda one: [group.name for group in one.security_groups],
    "group-name": lambda one: [group.name for group in one.security_groups],
    "network-interface.network-interface-id": lambda one: [nic.id for nic in one.nics.values()],
    "block-device-mapping.volume-id": lambda one: [it.volume_id for it in one.block_device_mapping.values()],
    "block-device-mapping.device-name": lambda one: list(one.block_device_mapping),
    "metadata-options.http-tokens": lambda one: one.metadata_options.http_tokens,
    "tag-key": lambda one: list(one.tag_map),
    "tag-value": lambda one: list(one.tag_map.values()),
    "product-code": lambda one: one.product_codes,
}


def find_instances(backend: LocalEC2Backend, form: Mapping[str, str]) -> tuple[list[LocalInstance], str]:
    """The page that a DescribeInstances form asks for, and the token of the next one or nothing."""
    ids, filters = _asked(form)
    limit = _page_size(form)
    if ids and "MaxResults" in form:
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    found: Iterable[LocalInstance] = backend.get_multi_instances_by_id(ids) if ids else backend.by_id.values()
    for name, patterns in filters:
        found = _matching(found, name, patterns)
    if token := form.get("NextToken"):
        after = _position(token)
        found = (one for one in found if one.sequence > after)
    page = list(islice(found, limit + 1))
    if len(page) <= limit:
        return page, ""
    return page[:limit], base64.urlsafe_b64encode(f"after:{page[limit - 1].sequence}".encode()).decode()


def _asked(form: Mapping[str, str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    ids: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in form.items():
        match = _FORM.fullmatch(key)
        if match is None:
            continue
        kind, number, part = match.groups()
        if kind == "InstanceId" and part is None:
            if not value.startswith("i-"):
                raise ServiceError(
                    "InvalidInstanceID.Malformed", f'Invalid id: "{value}" (expecting "i-...")'
                )
            ids.append(value)
        elif part == "Name":
            names[number] = value
        elif part is not None:
            values.setdefault(number, []).append(value)
    if values.keys() - names.keys():
        raise ServiceError("InvalidParameterValue", "The filter 'null' is invalid")
    return list(dict.fromkeys(ids)), [(name, values.get(number, [])) for number, name in names.items()]


def _matching(found: Iterable[LocalInstance], name: str, patterns: list[str]) -> Iterable[LocalInstance]:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return (one for one in found if _matches(one.tag_map.get(key), patterns))
    value_of = _VALUES.get(name)
    if value_of is None:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return (one for one in found if _matches(value_of(one), patterns))


def _matches(value: object, patterns: list[str]) -> bool:
    if value is None:
        return False
    if isinstance(value, list):
        return any(_matches(item, patterns) for item in value)
    text = str(value)
    return any(
        text == pattern or (("*" in pattern or "?" in pattern) and _wildcard(pattern).fullmatch(text))
        for pattern in patterns
    )


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _page_size(form: Mapping[str, str]) -> int:
    asked = form.get("MaxResults")
    if not asked:
        return _LARGEST_PAGE
    if not asked.isdigit() or not 1 <= int(asked) <= _LARGEST_PAGE:
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ( {asked} ) for parameter maxResults is invalid. "
            f"Expecting a value from 1 to {_LARGEST_PAGE}.",
        )
    return int(asked)


def _position(token: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "after":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ServiceError("InvalidNextToken", "The token is invalid.")
