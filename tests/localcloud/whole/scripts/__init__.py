"""Every changing operation of the cloud, in scripts: one a service, each call after what it needs. Each has a
region of its own, so that scripts run beside each other without meeting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.localcloud.whole.scripts.groups import AUTOSCALING, BALANCING, CLASSIC, MEMBERS
from tests.localcloud.whole.scripts.machines import EC2
from tests.localcloud.whole.scripts.messages import CLOUDWATCH, SNS, SQS
from tests.localcloud.whole.scripts.objects import S3
from tests.localcloud.whole.scripts.people import ACM, IAM, ROUTE53
from tests.localcloud.whole.scripts.step import Json, Step


@dataclass(frozen=True, slots=True)
class Script:
    service: str
    region: str
    steps: Sequence[Step]

    def known(self, client: Callable[[str, str], Any]) -> Json:
        """What is there from the beginning."""
        subnets = client("ec2", self.region).describe_subnets()["Subnets"]
        subnets.sort(key=lambda it: it["CidrBlock"])
        ids = [it["SubnetId"] for it in subnets]
        address = subnets[0]["CidrBlock"].partition("/")[0].rpartition(".")[0] + ".77"
        return {
            "region": self.region,
            "zone": f"{self.region}a",
            **{f"subnet{place}": it for place, it in enumerate(ids)},
            "last_zone": subnets[2]["AvailabilityZone"],
            "default_vpc": subnets[0]["VpcId"],
            "subnets": ids[:2],
            "other_subnets": ids[1:3],
            "address": address,
        }


SCRIPTS = {
    name or service: Script(service, region, steps)
    for name, service, region, steps in (
        ("", "ec2", "us-east-1", EC2),
        ("", "autoscaling", "eu-west-1", AUTOSCALING),
        ("members", "autoscaling", "us-west-2", MEMBERS),
        ("", "elbv2", "us-west-2", BALANCING),
        ("", "elb", "us-east-1", CLASSIC),
        ("", "cloudwatch", "us-west-2", CLOUDWATCH),
        ("", "sns", "us-east-1", SNS),
        ("", "sqs", "us-west-2", SQS),
        ("", "acm", "eu-west-1", ACM),
        ("", "s3", "us-east-1", S3),
        ("", "iam", "us-east-1", IAM),
        ("", "route53", "us-west-2", ROUTE53),
    )
}
