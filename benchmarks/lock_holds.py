"""How long each operation of the private cloud holds the state's lock, where there is much of everything.

    python -m benchmarks.lock_holds [--size 1000] [--worst 20]

All services in this process, with no host, and as many instances, groups, objects and the like as `--size`
says. Every operation is asked as the tests ask it; prints the longest holds in processor time, so that a busy
machine adds little.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ["PAVED_CLOUD_INSTANCE_LIMIT"] = os.environ["PAVED_CLOUD_VCPU_LIMIT"] = "10000000"

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pavedroad.localcloud.coverage import coverage
from tests.localcloud.asking.asking import Asking, Call
from tests.localcloud.asking.operations import ALARM, TRUST
from tests.localcloud.asking.preconditions import prepare
from tests.localcloud.lock_watch.watch import Watch
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.everything import everything

_A_LAUNCH = 100
_MOST_GROUPS = 450
"""Auto Scaling groups, below the account's limit."""


def crowd(call: Call, size: int) -> None:
    """So many of what there may be many of."""
    image = {"ImageId": "ami-12c6146b", "InstanceType": "t3.nano"}
    for _ in range(size // _A_LAUNCH):
        call("ec2", "RunInstances", {**image, "MinCount": _A_LAUNCH, "MaxCount": _A_LAUNCH})
    zone = call("route53", "CreateHostedZone", {"Name": "crowd.test", "CallerReference": "crowd"})
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    queue = call("sqs", "CreateQueue", {"QueueName": "crowd"})["QueueUrl"]
    vpc = call("ec2", "DescribeVpcs", {})["Vpcs"][0]["VpcId"]
    template = {"LaunchTemplateName": "kept", "Version": "$Latest"}
    records: list[dict[str, object]] = []
    for number in range(size):
        name = f"crowd-{number}"
        call("s3", "PutObject", {"Bucket": "kept", "Key": name, "Body": b"text"})
        call("sqs", "SendMessage", {"QueueUrl": queue, "MessageBody": name})
        call("sns", "CreateTopic", {"Name": name})
        call("iam", "CreateUser", {"UserName": name})
        call("iam", "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": TRUST})
        call("ec2", "CreateSecurityGroup", {"GroupName": name, "Description": name})
        call("ec2", "CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 1})
        group = {"AutoScalingGroupName": name, "LaunchTemplate": template, "MinSize": 0, "MaxSize": 0}
        if number < _MOST_GROUPS:
            call("autoscaling", "CreateAutoScalingGroup", {**group, "AvailabilityZones": ["us-east-1a"]})
        call("cloudwatch", "PutMetricAlarm", {"AlarmName": name, **ALARM})
        call("elbv2", "CreateTargetGroup", {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": vpc})
        record = {
            "Name": f"{name}.crowd.test",
            "Type": "A",
            "TTL": 9,
            "ResourceRecords": [{"Value": "127.0.0.1"}],
        }
        records.append({"Action": "CREATE", "ResourceRecordSet": record})
    for begin in range(0, size, _A_LAUNCH):
        batch = {"Changes": records[begin : begin + _A_LAUNCH]}
        call("route53", "ChangeResourceRecordSets", {"HostedZoneId": zone_id, "ChangeBatch": batch})


def holds(size: int, folder: Path) -> dict[str, float]:
    """Seconds of the processor, by service and operation."""
    logging.disable(logging.CRITICAL)
    bench = Bench(folder)
    served = {(it.service, operation) for it in coverage() for operation in it.real | it.stored}
    watch = Watch()
    with everything(bench, folder) as cloud:
        asking = Asking(cloud.call)
        asking.learn("", prepare(cloud.call))
        crowd(cloud.call, size)
        cloud.settle()
        gc.collect()
        gc.freeze()
        watch.take(bench.state)
        watch.doing = lambda: cloud.doing
        asking.ask_all(served)
    return watch.holds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--worst", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(holds(options.size, Path(folder)).items(), key=lambda it: -it[1])
    for what, seconds in found[: options.worst]:
        print(f"{seconds * 1000:8.1f} ms  {what}")


if __name__ == "__main__":
    main()
