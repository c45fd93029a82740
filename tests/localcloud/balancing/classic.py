"""Classic load balancers made through unmodified boto3, cleaned up when the test ends."""

from __future__ import annotations

import socket
import uuid
from typing import Any

import httpx
from botocore.exceptions import ClientError

from tests.localcloud.machines import run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

PORT = 18000
SERVE = (
    "#!/bin/sh\necho $PAVED_INSTANCE_ID > index.html\n"
    f"exec python3 -m http.server {PORT} --bind $HOST > /dev/null 2>&1\n"
)
QUICK = {"Interval": 5, "Timeout": 2, "HealthyThreshold": 2, "UnhealthyThreshold": 2}


def listener(
    port: int, protocol: str = "HTTP", inside: str = "", at: int = PORT, **more: Any
) -> dict[str, Any]:
    return {
        "LoadBalancerPort": port,
        "Protocol": protocol,
        "InstanceProtocol": inside or protocol,
        "InstancePort": at,
        **more,
    }


class Classics:
    """`api` is boto3's own client of the older API."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.api, self.ec2 = cloud.client("elb"), cloud.client("ec2")
        self.zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
        self._names: list[str] = []
        self._instances: list[str] = []

    def close(self) -> None:
        for name in self._names:
            self.api.delete_load_balancer(LoadBalancerName=name)
        if self._instances:
            self.ec2.terminate_instances(InstanceIds=self._instances)

    def make(self, *listeners: dict[str, Any], **options: Any) -> tuple[str, str]:
        """Its name and address. Its health check is quick."""
        name = f"classic-{uuid.uuid4().hex[:12]}"
        asked = {"Listeners": list(listeners) or [listener(8080)], "AvailabilityZones": self.zones, **options}
        if "Subnets" in options:
            del asked["AvailabilityZones"]
        self._names.append(name)
        address: str = self.api.create_load_balancer(LoadBalancerName=name, **asked)["DNSName"]
        check = {"Target": f"TCP:{PORT}", **QUICK}
        self.api.configure_health_check(LoadBalancerName=name, HealthCheck=check)
        return name, address

    def serving(self, count: int = 1, zone: str = "us-east-1a") -> list[str]:
        made = run(
            self.cloud,
            MinCount=count,
            MaxCount=count,
            UserData=SERVE,
            Placement={"AvailabilityZone": zone},
        )
        self._instances += made
        return made

    def register(self, name: str, *instances: str) -> None:
        given = [{"InstanceId": it} for it in instances]
        self.api.register_instances_with_load_balancer(LoadBalancerName=name, Instances=given)

    def deregister(self, name: str, *instances: str) -> None:
        given = [{"InstanceId": it} for it in instances]
        self.api.deregister_instances_from_load_balancer(LoadBalancerName=name, Instances=given)

    def states(self, name: str) -> dict[str, tuple[str, str]]:
        """State and reason by instance."""
        found = self.api.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
        return {it["InstanceId"]: (it["State"], it["ReasonCode"]) for it in found}

    def in_service(self, name: str, *instances: str) -> None:
        eventually(lambda: self.states(name) == dict.fromkeys(instances, ("InService", "N/A")), within=90)

    def described(self, name: str) -> dict[str, Any]:
        found = self.api.describe_load_balancers(LoadBalancerNames=[name])
        return found["LoadBalancerDescriptions"][0]


def answers(address: str, count: int = 12, port: int = 8080) -> set[str]:
    """Who answers, over connections of their own; the status where it is no success."""
    found: set[str] = set()
    for _ in range(count):
        answer = httpx.get(f"http://{address}:{port}/", timeout=20, trust_env=False)
        found.add(answer.text.strip() if answer.status_code == 200 else str(answer.status_code))
    return found


def said(address: str, port: int, line: bytes) -> bytes:
    """What comes back of a line over a bare connection, until it is closed."""
    with socket.create_connection((address, port), timeout=20) as connection:
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def refused(call: Any, **parameters: Any) -> str:
    """The code of the AWS error that a call ends in."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response.get("Error", {}).get("Code", "")
    raise AssertionError("the call was not refused")
