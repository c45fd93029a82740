"""Load balancers: application load balancers with one HTTP listener."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pavedroad.clouds.aws import network
from pavedroad.clouds.aws import tags as tagging
from pavedroad.clouds.aws.errors import code_of, is_missing
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import Balancer, Listener
from pavedroad.clouds.ownership import check_known, is_known
from pavedroad.core.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        ActionUnionTypeDef,
        ListenerTypeDef,
        LoadBalancerTypeDef,
        TargetGroupTupleTypeDef,
    )

_OURS = "pavedroad:"
_URL_TAG = f"{_OURS}url"
_TAGGED_AT_ONCE = 20  # AWS's limit to one DescribeTags


class AwsBalancers:
    """Balancers and listeners of the `Balancing` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def ensure_balancer(
        self, name: str, *, port: int, tags: Mapping[str, str], known_by: Mapping[str, str]
    ) -> Balancer:
        def ensure() -> Balancer:
            found = self._described_balancer(name) or self._create_balancer(name, port, tags)
            arn = found.get("LoadBalancerArn", "")
            held = self._tags([arn])[arn]
            check_known("load balancer", name, held, known_by)
            if not any(listener.get("Port") == port for listener in self._listeners(arn)):
                self._listen(arn, port, tags)
                held = self._tags([arn])[arn]  # which only now may say where it opens
            return self._read_balancer(found, held)

        return await self._link.run(ensure)

    async def balancer(self, name: str) -> Balancer:
        def describe() -> Balancer:
            found = self._known(name)
            arn = found.get("LoadBalancerArn", "")
            return self._read_balancer(found, self._tags([arn])[arn])

        return await self._link.run(describe)

    async def balancers(self, tags: Mapping[str, str] | None = None) -> list[Balancer]:
        def tagged() -> list[tuple[LoadBalancerTypeDef, dict[str, str]]]:
            pages = self._link.elbv2.get_paginator("describe_load_balancers").paginate()
            found = {
                found.get("LoadBalancerArn", ""): found for page in pages for found in page["LoadBalancers"]
            }
            labels = self._tags(list(found))
            return [(found[arn], own) for arn, own in labels.items() if tagging.carries(own, tags)]

        matching = await self._link.run(tagged)
        read = [
            self._link.run(lambda found=found, own=own: self._read_balancer(found, own))
            for found, own in matching
        ]
        return sorted(await asyncio.gather(*read), key=lambda balancer: balancer.name)

    async def delete_balancer(self, name: str, *, known_by: Mapping[str, str]) -> None:
        def delete() -> None:
            arn = (self._described_balancer(name) or {}).get("LoadBalancerArn", "")
            if arn and is_known(self._tags([arn])[arn], known_by):
                self._link.elbv2.delete_load_balancer(LoadBalancerArn=arn)

        await self._link.run(delete)

    async def set_weights(self, listener: Listener, weights: Mapping[str, int]) -> None:
        await self._link.run(
            lambda: self._link.elbv2.modify_listener(
                ListenerArn=listener.id, DefaultActions=[_forward(weights)]
            )
        )

    def _described_balancer(self, name: str) -> LoadBalancerTypeDef | None:
        try:
            found = self._link.elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found[0] if found else None

    def _known(self, name: str) -> LoadBalancerTypeDef:
        found = self._described_balancer(name)
        if found is None:
            raise NotFound(f"There is no load balancer {name} in {self._link.region}.")
        return found

    def _create_balancer(self, name: str, port: int, tags: Mapping[str, str]) -> LoadBalancerTypeDef:
        vpc = network.default_vpc(self._link)
        try:
            made = self._link.elbv2.create_load_balancer(
                Name=name,
                Type="application",
                Scheme="internet-facing",
                Subnets=network.default_subnets(self._link, network.zones(self._link)),
                SecurityGroups=network.balancer_security_groups(self._link, vpc, port),
                **tagging.given(tags),
            )
        except ClientError as error:
            if code_of(error) != "DuplicateLoadBalancerName":
                raise
            return self._known(name)
        return made["LoadBalancers"][0]

    def _listen(self, arn: str, port: int, tags: Mapping[str, str]) -> None:
        try:
            self._link.elbv2.create_listener(
                LoadBalancerArn=arn,
                Protocol="HTTP",
                Port=port,
                DefaultActions=[_forward({})],
                **tagging.given(tags),
            )
        except ClientError as error:
            if code_of(error) != "DuplicateListener":
                raise

    def _listeners(self, arn: str) -> list[ListenerTypeDef]:
        pages = self._link.elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
        return [listener for page in pages for listener in page["Listeners"]]

    def _own(self, listeners: list[ListenerTypeDef]) -> list[ListenerTypeDef]:
        """Without those that others added to a balancer of ours."""
        if len(listeners) < 2:
            return listeners
        tags = self._tags([listener.get("ListenerArn", "") for listener in listeners])
        ours = {arn for arn, own in tags.items() if any(key.startswith(_OURS) for key in own)}
        return [listener for listener in listeners if listener.get("ListenerArn", "") in ours] or listeners

    def _tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _TAGGED_AT_ONCE):
            answer = self._link.elbv2.describe_tags(ResourceArns=arns[start : start + _TAGGED_AT_ONCE])
            for described in answer["TagDescriptions"]:
                found[described.get("ResourceArn", "")] = tagging.read(described.get("Tags", []))
        return found

    def _read_balancer(self, found: LoadBalancerTypeDef, tags: dict[str, str]) -> Balancer:
        arn = found.get("LoadBalancerArn", "")
        listeners = tuple(
            Listener(listener.get("ListenerArn", ""), listener.get("Port", 0), _weights(listener))
            for listener in self._own(self._listeners(arn))
        )
        port = listeners[0].port if listeners else 80
        address = f"http://{found.get('DNSName', '')}" + ("" if port == 80 else f":{port}")
        return Balancer(
            id=arn,
            name=found.get("LoadBalancerName", ""),
            url=tags.get(_URL_TAG, address),
            listeners=listeners,
            tags=tags,
        )


def _forward(weights: Mapping[str, int]) -> ActionUnionTypeDef:
    """Groups of weight zero stay in the action, so that the balancer goes on checking their health."""
    if not weights:
        return {
            "Type": "fixed-response",
            "FixedResponseConfig": {
                "StatusCode": "503",
                "ContentType": "text/plain",
                "MessageBody": "No server group takes traffic.\n",
            },
        }
    shares: list[TargetGroupTupleTypeDef] = [
        {"TargetGroupArn": arn, "Weight": weight} for arn, weight in sorted(weights.items())
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}


def _weights(listener: ListenerTypeDef) -> dict[str, int]:
    weights: dict[str, int] = {}
    for action in listener.get("DefaultActions", []):
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            weights[group.get("TargetGroupArn", "")] = group.get("Weight", 1)
        if not weights and (arn := action.get("TargetGroupArn")):
            weights[arn] = 1
    return weights
