"""A zone lost under load: a group over three zones behind a balancer, which loses one and gets it back.

    python benchmarks/zone_loss.py [--instances 6] [--connections 16]

Prints how many requests failed of how many, how soon the group was whole again in the other zones, and how
soon it was spread over all three after the zone's return. `--json` prints the figures for a machine.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.keys import use_key_of
from benchmarks.load import Load
from pavedroad.clouds.faults import FaultClient

TARGET = Path(__file__).with_name("target.py")
PORT = 8080
NAME = "zone-loss"
ZONE = "us-east-1a"
_PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Result:
    """Times in seconds. What failed, failed while the zone went."""

    instances: int
    connections: int
    requests: int
    failed: int
    failures: dict[str, int]
    longest_silence: float
    """Between two good answers, of all connections together."""
    whole_after: float
    spread_after: float
    failed_on_return: int


@contextmanager
def cloud() -> Iterator[str]:
    """The endpoint of a private cloud of our own."""
    with tempfile.TemporaryDirectory(prefix="paved-") as folder:
        home = Path(folder) / "home"
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pavedroad.localcloud", "--home", str(home), "--port", "0"],
                stdout=log,
                stderr=log,
            )
        try:
            record = until(lambda: _record(home))
            use_key_of(home)
            yield record["endpoint"]
        finally:
            process.terminate()
            process.wait(60)


class Group:
    """Servers in three zones behind a balancer."""

    def __init__(self, endpoint: str, instances: int) -> None:
        self._ec2, self._groups = _client(endpoint, "ec2"), _client(endpoint, "autoscaling")
        self._balancing = _client(endpoint, "elbv2")
        self._instances = instances
        subnets = [subnet["SubnetId"] for subnet in self._ec2.describe_subnets()["Subnets"]]
        self._targets = self._target_group()
        self.address = self._balancer(subnets)
        self._launch(subnets)

    def zones(self) -> Counter[str]:
        """Where instances are in service and healthy."""
        described = self._balancing.describe_target_health(TargetGroupArn=self._targets)
        healthy = {
            one["Target"]["Id"]
            for one in described["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] == "healthy"
        }
        members = self._groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
        return Counter(
            one["AvailabilityZone"]
            for one in members
            if one["InstanceId"] in healthy and one["LifecycleState"] == "InService"
        )

    def is_whole_without(self, zone: str) -> bool:
        zones = self.zones()
        return zones.total() == self._instances and zone not in zones

    def is_spread(self) -> bool:
        zones = self.zones()
        return (
            zones.total() == self._instances
            and len(zones) == 3
            and max(zones.values()) <= min(zones.values()) + 1
        )

    def _target_group(self) -> str:
        made = self._balancing.create_target_group(
            Name=NAME,
            Protocol="HTTP",
            Port=PORT,
            VpcId=self._ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        self._balancing.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
        )
        return arn

    def _balancer(self, subnets: list[str]) -> str:
        made = self._balancing.create_load_balancer(Name=NAME, Subnets=subnets)["LoadBalancers"][0]
        self._balancing.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=PORT,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self._targets}],
        )
        return made["DNSName"]

    def _launch(self, subnets: list[str]) -> None:
        # The program itself: an instance sees nothing of this checkout.
        serve = (
            f"#!/bin/sh\ncat > target.py <<'END'\n{TARGET.read_text()}END\n"
            f"tail -f /dev/null | exec python3 target.py $PAVED_INSTANCE_ID $HOST:{PORT}\n"
        )
        image = self._ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
        self._ec2.create_launch_template(
            LaunchTemplateName=NAME,
            LaunchTemplateData={
                "ImageId": image,
                "InstanceType": "t3.micro",
                "UserData": base64.b64encode(serve.encode()).decode(),
            },
        )
        self._groups.create_auto_scaling_group(
            AutoScalingGroupName=NAME,
            LaunchTemplate={"LaunchTemplateName": NAME},
            MinSize=self._instances,
            MaxSize=self._instances * 2,
            DesiredCapacity=self._instances,
            VPCZoneIdentifier=",".join(subnets),
            TargetGroupARNs=[self._targets],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=10,
        )


def measure(endpoint: str, *, instances: int = 6, connections: int = 16) -> Result:
    group = Group(endpoint, instances)
    until(group.is_spread)
    with FaultClient(endpoint) as faults:
        with Load(group.address, PORT, connections=connections) as load:
            time.sleep(1)
            lost = time.monotonic()
            fault = faults.start("zone-down", ZONE, seconds=600)
            until(lambda: group.is_whole_without(ZONE))
            whole = time.monotonic()
            away = load.stop()
        with Load(group.address, PORT, connections=connections) as load:
            back = time.monotonic()
            faults.end(fault["id"])
            until(group.is_spread)
            spread = time.monotonic()
            time.sleep(1)
            returned = load.stop()
    moments = sorted(moment for times in away.answers.values() for moment in times)
    silence = max((after - before for before, after in itertools.pairwise(moments)), default=0.0)
    return Result(
        instances=instances,
        connections=connections,
        requests=away.requests + returned.requests,
        failed=away.failed,
        failures=away.failures,
        longest_silence=round(silence, 3),
        whole_after=round(whole - lost, 2),
        spread_after=round(spread - back, 2),
        failed_on_return=returned.failed,
    )


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {_PATIENCE:.0f} s")
        time.sleep(0.1)
    return answer


def _record(home: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        return json.loads((home / "cloud.json").read_text())
    return None


def _client(endpoint: str, service: Any) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
    )


def table(one: Result) -> str:
    return "\n".join(
        (
            f"{one.instances} instances in three zones, {one.connections} connections",
            f"requests                      {one.requests}",
            f"failed when the zone went     {one.failed} {one.failures or ''}".rstrip(),
            f"longest silence               {one.longest_silence} s",
            f"whole again in two zones      {one.whole_after} s after",
            f"spread over three             {one.spread_after} s after its return",
            f"failed meanwhile              {one.failed_on_return}",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instances", type=int, default=6)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with cloud() as endpoint:
        result = measure(endpoint, instances=arguments.instances, connections=arguments.connections)
    print(json.dumps(asdict(result), indent=2) if arguments.json else table(result))


if __name__ == "__main__":
    main()
