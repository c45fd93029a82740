"""Load balancers made through unmodified boto3, cleaned up when the test ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from botocore.exceptions import ClientError

from tests.localcloud.balancing.service import Service
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

Json = dict[str, Any]


def weigh(shares: dict[str, int]) -> list[Json]:
    """A weighted forward action by target group ARN."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def fixed(body: str, status: int = 200) -> list[Json]:
    config = {"StatusCode": str(status), "ContentType": "text/plain", "MessageBody": body}
    return [{"Type": "fixed-response", "FixedResponseConfig": config}]


def refused(call: Callable[..., object], **parameters: object) -> tuple[str, str]:
    """The code and message of the AWS error that a call ends in."""
    try:
        call(**parameters)
    except ClientError as error:
        found = error.response.get("Error", {})
        return found.get("Code", ""), found.get("Message", "")
    raise AssertionError("the call was not refused")


@dataclass
class Balancer:
    arn: str
    address: str
    listener: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return self.client.get(f"http://{self.address}:8080{path}", **options)


class Bench:
    """`api` is boto3's own client."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.api = cloud.client("elbv2")
        self.ec2 = cloud.client("ec2")
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])[
            "Subnets"
        ]
        self.subnets = sorted(subnet["SubnetId"] for subnet in subnets)
        self.vpc: str = subnets[0]["VpcId"]
        self._services: list[Service] = []
        self._balancers: list[Balancer] = []
        self._groups: list[str] = []

    def close(self) -> None:
        for balancer in self._balancers:
            balancer.client.close()
            self.api.delete_load_balancer(LoadBalancerArn=balancer.arn)
        for arn in self._groups:
            self.api.delete_target_group(TargetGroupArn=arn)
        for service in self._services:
            service.close()

    @staticmethod
    def name(prefix: str = "t") -> str:
        return f"{prefix}-{uuid.uuid4().hex[:12]}"

    def service(self, label: str) -> Service:
        self._services.append(service := Service(label))
        return service

    def group(self, *services: Service, **options: Any) -> str:
        """A target group of type ip with these targets; gives its ARN."""
        asked = {
            "Name": self.name("tg"),
            "Protocol": "HTTP",
            "Port": 8000,
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            **options,
        }
        arn: str = self.api.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]
        self._groups.append(arn)
        for service in services:
            self.api.register_targets(TargetGroupArn=arn, Targets=[{"Id": service.address}])
        return arn

    def balancer(self, actions: list[Json] | None = None) -> Balancer:
        """With a listener on port 8080, where there are actions for it."""
        made = self.api.create_load_balancer(Name=self.name("lb"), Subnets=self.subnets)["LoadBalancers"][0]
        balancer = self.keep(Balancer(made["LoadBalancerArn"], made["DNSName"]))
        if actions:
            balancer.listener = self.api.create_listener(
                LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=8080, DefaultActions=actions
            )["Listeners"][0]["ListenerArn"]
        return balancer

    def keep(self, balancer: Balancer) -> Balancer:
        """Delete it when the test ends."""
        self._balancers.append(balancer)
        return balancer

    def rule(self, balancer: Balancer, priority: int, conditions: list[Json], actions: list[Json]) -> str:
        return self.api.create_rule(
            ListenerArn=balancer.listener, Priority=priority, Conditions=conditions, Actions=actions
        )["Rules"][0]["RuleArn"]

    def health(self, group: str) -> dict[str, Json]:
        """By target id."""
        described = self.api.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {it["Target"]["Id"]: it["TargetHealth"] for it in described}

    def states(self, group: str) -> set[str]:
        return {health["State"] for health in self.health(group).values()}

    def all_healthy(self, *groups: str) -> None:
        for group in groups:
            eventually(lambda: self.states(group) == {"healthy"}, within=60)  # noqa: B023 - called at once
