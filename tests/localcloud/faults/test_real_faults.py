"""Faults of a real cloud: over its HTTP API, seen by AWS clients and by who asks the balancer."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.localcloud.machines import await_state, console, instance, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

PORT = 8080
SERVE = f"#!/bin/sh\nexec python3 -m http.server {PORT} --bind $HOST\n"

pytestmark = pytest.mark.timeout(300)


def faults(cloud: RunningCloud) -> str:
    return f"{cloud.endpoint}/_pavedroad/faults"


def begin(cloud: RunningCloud, kind: str, target: str, seconds: float = 120, **parameters: Any) -> str:
    asked = {"kind": kind, "target": target, "seconds": seconds, "parameters": parameters}
    answer = httpx.post(faults(cloud), json=asked, auth=cloud.signed)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@contextmanager
def fault(cloud: RunningCloud, kind: str, target: str, **parameters: Any) -> Generator[str]:
    fault_id = begin(cloud, kind, target, **parameters)
    try:
        yield fault_id
    finally:
        httpx.delete(f"{faults(cloud)}/{fault_id}", auth=cloud.signed).raise_for_status()


def described(cloud: RunningCloud, fault_id: str) -> dict[str, Any]:
    return httpx.get(f"{faults(cloud)}/{fault_id}", auth=cloud.signed).json()


class Served:
    """An instance behind a balancer of its own."""

    def __init__(self, cloud: RunningCloud) -> None:
        ec2, self.balancing = cloud.client("ec2"), cloud.client("elbv2")
        name = f"f{uuid.uuid4().hex[:12]}"
        subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
        [self.instance] = run(cloud, UserData=SERVE)
        await_state(cloud, self.instance, "running")
        self.group: str = self.balancing.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=PORT,
            VpcId=subnets[0]["VpcId"],
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            UnhealthyThresholdCount=2,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.balancing.register_targets(TargetGroupArn=self.group, Targets=[{"Id": self.instance}])
        made = self.balancing.create_load_balancer(
            Name=name, Subnets=[subnet["SubnetId"] for subnet in subnets]
        )["LoadBalancers"][0]
        self.arn: str = made["LoadBalancerArn"]
        self.balancing.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=PORT,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )
        self.url = f"http://{made['DNSName']}:{PORT}/"
        eventually(lambda: self.health() == "healthy", within=60)

    def health(self) -> str:
        said = self.balancing.describe_target_health(TargetGroupArn=self.group)
        return said["TargetHealthDescriptions"][0]["TargetHealth"]["State"]

    def seconds(self, patience: float = 10) -> float:
        """How long a request takes; infinite where it has no answer."""
        began = time.monotonic()
        try:
            with urlopen(self.url, timeout=patience) as answer:
                answer.read()
        except (HTTPError, URLError, TimeoutError, OSError):
            return float("inf")
        return time.monotonic() - began


@pytest.fixture(scope="module")
def served(cloud: RunningCloud) -> Generator[Served]:
    one = Served(cloud)
    yield one
    httpx.delete(faults(cloud))
    one.balancing.delete_load_balancer(LoadBalancerArn=one.arn)
    one.balancing.delete_target_group(TargetGroupArn=one.group)
    cloud.client("ec2").terminate_instances(InstanceIds=[one.instance])


@pytest.mark.ordinary
def test_a_delayed_network_is_slow_through_the_balancer_and_well_again_after(
    cloud: RunningCloud, served: Served
) -> None:
    with fault(cloud, "network", served.instance, delay_ms=700) as fault_id:
        assert "700 ms" in described(cloud, fault_id)["reason"]
        eventually(lambda: 0.7 <= served.seconds() < 10)
        assert served.health() == "healthy"
    eventually(lambda: served.seconds() < 0.5)


@pytest.mark.slow
def test_who_is_cut_off_becomes_unhealthy_and_fails_its_status_check(
    cloud: RunningCloud, served: Served
) -> None:
    with fault(cloud, "network", served.instance, cut=True):
        eventually(lambda: served.health() == "unhealthy", within=60)
        assert served.seconds(1) == float("inf")
        assert reachability(cloud, served.instance) == "impaired"
    eventually(lambda: served.health() == "healthy", within=60)
    eventually(lambda: reachability(cloud, served.instance) == "ok")
    assert served.seconds() < 10


@pytest.mark.slow
def test_a_zone_out_of_reach_loses_its_targets_at_once_and_no_instance(
    cloud: RunningCloud, served: Served
) -> None:
    zone = instance(cloud, served.instance)["Placement"]["AvailabilityZone"]
    with fault(cloud, "zone-down", zone, unreachable=True):
        eventually(lambda: served.health() == "unhealthy")
        assert instance(cloud, served.instance)["State"]["Name"] == "running"
        eventually(lambda: reachability(cloud, served.instance) == "impaired")
        with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
            run(cloud, Placement={"AvailabilityZone": zone})
    eventually(lambda: served.health() == "healthy", within=60)
    assert served.seconds() < 10


@pytest.mark.ordinary
def test_a_hung_instance_fails_its_checks_until_it_goes_on(cloud: RunningCloud, served: Served) -> None:
    with fault(cloud, "instance-hung", served.instance):
        eventually(lambda: served.seconds(1) == float("inf"))
        eventually(lambda: reachability(cloud, served.instance) == "impaired")
        assert instance(cloud, served.instance)["State"]["Name"] == "running"
    eventually(lambda: served.seconds() < 10, within=60)
    eventually(lambda: reachability(cloud, served.instance) == "ok")


def reachability(cloud: RunningCloud, instance_id: str) -> str:
    said = cloud.client("ec2").describe_instance_status(InstanceIds=[instance_id])
    return said["InstanceStatuses"][0]["InstanceStatus"]["Status"]


def test_a_killed_instance_says_that_its_machine_failed(cloud: RunningCloud) -> None:
    [one] = run(cloud)
    await_state(cloud, one, "running")
    fault_id = begin(cloud, "instance-kill", one)
    assert described(cloud, fault_id)["ended_because"] == "it has happened"
    found = await_state(cloud, one, "stopped")
    assert found["StateReason"]["Code"] == "Server.InternalError"
    cloud.client("ec2").start_instances(InstanceIds=[one])
    await_state(cloud, one, "running")
    cloud.client("ec2").terminate_instances(InstanceIds=[one])


WATCH = """#!/bin/sh
exec python3 -u - <<'END'
import os, time, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"].rstrip("/") + "/latest/meta-data/"
said = set()
while True:
    for path in ("spot/instance-action", "events/recommendations/rebalance"):
        try:
            text = urllib.request.urlopen(base + path).read().decode()
        except OSError:
            continue
        if path not in said:
            said.add(path)
            print(path, text)
    time.sleep(0.1)
END
"""


def test_a_spot_instance_reads_its_notice_and_is_taken_back(cloud: RunningCloud) -> None:
    [one] = run(cloud, UserData=WATCH, InstanceMarketOptions={"MarketType": "spot"})
    await_state(cloud, one, "running")
    begin(cloud, "spot-interruption", one, notice_seconds=5)
    found = await_state(cloud, one, "terminated")
    assert found["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    told = console(cloud, one)
    assert "spot/instance-action" in told
    assert '"terminate"' in told
    assert "events/recommendations/rebalance" in told


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("autoscaling", "describe_auto_scaling_groups", "Throttling", 400),
        ("elbv2", "describe_load_balancers", "Throttling", 400),
        ("cloudwatch", "list_metrics", "Throttling", 400),
        ("s3", "list_buckets", "SlowDown", 503),
        ("sqs", "list_queues", "RequestThrottled", 400),
        ("sts", "get_caller_identity", "Throttling", 400),
    ],
)
def test_a_throttled_call_is_refused_in_the_service_s_own_words(
    cloud: RunningCloud, service: str, operation: str, code: str, status: int
) -> None:
    call = getattr(cloud.client(service, "eu-west-1"), operation)
    with fault(cloud, "api", service, region="eu-west-1"), pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    call()


def test_only_the_operation_that_is_named_fails(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2", "us-west-2")
    with fault(cloud, "api", "ec2:DescribeVpcs", error="failing", region="us-west-2"):
        ec2.describe_subnets()
        cloud.client("ec2", "eu-west-1").describe_vpcs()
        with pytest.raises(ClientError, match="InternalError"):
            ec2.describe_vpcs()


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_a_client_that_is_limited_backs_off_and_comes_through(cloud: RunningCloud, mode: Any) -> None:
    client = boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "ec2",
        region_name="us-west-2",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=cloud.key.access_key_id,
        aws_secret_access_key=cloud.key.secret_access_key,
        config=Config(retries={"mode": mode, "total_max_attempts": 10}),
    )
    client.describe_key_pairs()
    with fault(cloud, "api-limit", "ec2:DescribeKeyPairs", per_second=4, burst=1, region="us-west-2"):
        retries = [client.describe_key_pairs()["ResponseMetadata"]["RetryAttempts"] for _ in range(6)]
    assert sum(retries) > 0


def test_capacity_that_is_gone_refuses_its_type_alone(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2", "us-west-2")
    zone = {"Placement": {"AvailabilityZone": "us-west-2b"}}
    with fault(cloud, "capacity", "us-west-2b", instance_type="m5.large"):
        with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
            run(cloud, region="us-west-2", InstanceType="m5.large", **zone)
        ids = run(cloud, region="us-west-2", InstanceType="t3.micro", **zone)
    ec2.terminate_instances(InstanceIds=ids)


def test_a_region_that_is_down_answers_503_and_others_as_ever(cloud: RunningCloud) -> None:
    away = cloud.client("ec2", "eu-west-1")
    with fault(cloud, "region-down", "eu-west-1", unreachable=True):
        with pytest.raises(ClientError) as refused:
            away.describe_vpcs()
        cloud.client("ec2").describe_vpcs()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    away.describe_vpcs()


def test_a_fault_ends_by_itself_and_is_written_down(cloud: RunningCloud) -> None:
    fault_id = begin(cloud, "api", "ec2:DescribeRegions", seconds=0.5, error="failing")
    eventually(lambda: described(cloud, fault_id)["state"] == "ended")
    assert described(cloud, fault_id)["ended_because"] == "its time was over"
    lines = [json.loads(line) for line in (cloud.home / "faults.log").read_text().splitlines()]
    assert [line["event"] for line in lines if line["id"] == fault_id] == ["started", "ended"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Host": "rebound.example"},
    ],
)
def test_pages_from_elsewhere_start_nothing(cloud: RunningCloud, headers: dict[str, str]) -> None:
    asked = {"kind": "zone-down", "target": "us-east-1a"}
    assert httpx.post(faults(cloud), json=asked, headers=headers, auth=cloud.signed).status_code == 403
    plain = httpx.post(
        faults(cloud),
        content=json.dumps(asked),
        headers={"Content-Type": "text/plain"},
        auth=cloud.signed,
    )
    assert plain.status_code == 400
    assert plain.headers["content-type"] == "application/problem+json"
