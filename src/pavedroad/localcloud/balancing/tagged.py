"""Tags of load balancers, listeners, rules and target groups, for the tagging API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pavedroad.localcloud.balancing.asked import Parameters
from pavedroad.localcloud.balancing.store import Stores
from pavedroad.localcloud.tagging.model import Tagged


class Calls(Protocol):
    """Of the service."""

    def call(self, account: str, region: str, action: str, parameters: Parameters) -> Parameters: ...


class TaggedBalancing:
    """`pavedroad.localcloud.tagging.model.Tags`."""

    def __init__(self, stores: Stores, service: Calls) -> None:
        self._stores = stores
        self._service = service

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        for arn, tags in self._stores.at(account, region).tags.items():
            kind = arn.split(":", 5)[-1].partition("/")[0]
            yield Tagged(arn, f"elasticloadbalancing:{kind}", tags)

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:elasticloadbalancing:") and not _is_classic(arn)

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._service.call(account, region, "AddTags", {"ResourceArns": [arn], "Tags": listed})

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        self._service.call(account, region, "RemoveTags", {"ResourceArns": [arn], "TagKeys": list(keys)})


class TaggedClassics(TaggedBalancing):
    """Of classic load balancers, whose ARNs end with their names."""

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:elasticloadbalancing:") and _is_classic(arn)

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        asked = {"LoadBalancerNames": [_name(arn)], "Tags": listed}
        self._service.call(account, region, "AddTags", asked)

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        asked = {"LoadBalancerNames": [_name(arn)], "Tags": [{"Key": key} for key in keys]}
        self._service.call(account, region, "RemoveTags", asked)


def _name(arn: str) -> str:
    return arn.rpartition(":loadbalancer/")[2]


def _is_classic(arn: str) -> bool:
    return ":loadbalancer/" in arn and "/" not in _name(arn)
