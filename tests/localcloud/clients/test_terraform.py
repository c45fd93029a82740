"""Terraform with the AWS provider, unmodified: what a team writes is made, stays, changes and goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.localcloud.certificates import self_signed
from tests.localcloud.running import RunningCloud

CONFIGURATION = Path(__file__).parent / "terraform"
ORDINARY = ("-no-color", "-input=false")
CHANGED = "-var=changed=true"
NO_CHANGE = 0
"""What `plan -detailed-exitcode` ends with where all is as it is written."""

IMPORTED: dict[str, str] = {
    "aws_vpc.main": "id",
    "aws_security_group.front": "id",
    "aws_sqs_queue.orders": "id",
    "aws_iam_role.machines": "id",
    "aws_lb_target_group.web": "id",
    "aws_cloudwatch_metric_alarm.busy": "id",
}
"""What is forgotten and taken up again, and the attribute of it that an import is told."""


class Terraform:
    """Terraform in a folder of its own, with the cloud's key and whatever configuration its user has."""

    def __init__(self, program: str, folder: Path, environment: dict[str, str]) -> None:
        self._program = program
        self._folder = folder
        self._environment = environment

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (self._program, *words),
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.returncode == 0, f"terraform {' '.join(words)}:\n{ended.stdout[-3000:]}{ended.stderr}"
        return ended.stdout

    def as_written(self, *variables: str) -> None:
        """A plan finds nothing to do."""
        planned = self.run("plan", "-detailed-exitcode", *ORDINARY, *variables)
        assert planned.returncode == NO_CHANGE, planned.stdout[-12000:] + planned.stderr


def _absent(why: str) -> NoReturn:
    """Skipped, and said where nobody reads what was skipped."""
    warnings.warn(f"NOT TRIED: Terraform against the private cloud. {why}", stacklevel=2)
    pytest.skip(why)


@pytest.fixture
def terraform(fresh_cloud: RunningCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terraform:
    program = shutil.which("terraform")
    if program is None:
        _absent("There is no `terraform` on the path: https://developer.hashicorp.com/terraform/install")
    folder = tmp_path / "terraform"
    shutil.copytree(CONFIGURATION, folder)
    certificate = self_signed("shop.example", "www.shop.example")
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    cloud = fresh_cloud.environment()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, cloud[name])
    monkeypatch.setenv("AWS_REGION", cloud["AWS_DEFAULT_REGION"])
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    monkeypatch.setenv("TF_VAR_certificate", certificate["Certificate"].decode())
    monkeypatch.setenv("TF_VAR_private_key", certificate["PrivateKey"].decode())
    monkeypatch.setenv("TF_VAR_public_key", key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
    made = Terraform(program, folder, dict(os.environ))
    begun = made.run("init", *ORDINARY)
    if begun.returncode:
        _absent(f"`terraform init` cannot have the AWS provider: {' '.join(begun.stderr.split())}")
    return made


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_configuration_is_made_stays_changes_is_taken_up_again_and_goes(
    terraform: Terraform, fresh_cloud: RunningCloud
) -> None:
    before = _inventory(fresh_cloud)
    terraform.done("apply", "-auto-approve", *ORDINARY)
    terraform.as_written()
    terraform.done("apply", "-auto-approve", *ORDINARY, CHANGED)
    terraform.as_written(CHANGED)
    state: dict[str, Any] = json.loads(terraform.done("show", "-json"))
    for address, attribute in IMPORTED.items():
        [held] = [it for it in state["values"]["root_module"]["resources"] if it["address"] == address]
        terraform.done("state", "rm", address)
        terraform.done("import", *ORDINARY, CHANGED, address, held["values"][attribute])
    terraform.as_written(CHANGED)
    terraform.done("destroy", "-auto-approve", *ORDINARY, CHANGED)
    assert _inventory(fresh_cloud) == before


def _inventory(cloud: RunningCloud) -> dict[str, list[str]]:
    """The names of all that is in the cloud, by the call that lists it."""

    def listed(service: str, operation: str, items: str, name: str, **asked: Any) -> list[str]:
        client = cloud.client(service)
        if client.can_paginate(operation):
            pages = client.get_paginator(operation).paginate(**asked).build_full_result()
        else:
            pages = getattr(client, operation)(**asked)
        return sorted(it if isinstance(it, str) else it[name] for it in pages.get(items, []))

    asked: list[tuple[str, str, str, str, dict[str, Any]]] = [
        ("ec2", "describe_vpcs", "Vpcs", "VpcId", {}),
        ("ec2", "describe_subnets", "Subnets", "SubnetId", {}),
        ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId", {}),
        ("ec2", "describe_addresses", "Addresses", "AllocationId", {}),
        ("ec2", "describe_route_tables", "RouteTables", "RouteTableId", {}),
        ("ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId", {}),
        ("ec2", "describe_dhcp_options", "DhcpOptions", "DhcpOptionsId", {}),
        ("ec2", "describe_security_groups", "SecurityGroups", "GroupId", {}),
        ("ec2", "describe_key_pairs", "KeyPairs", "KeyName", {}),
        ("ec2", "describe_placement_groups", "PlacementGroups", "GroupName", {}),
        ("ec2", "describe_volumes", "Volumes", "VolumeId", {}),
        ("ec2", "describe_snapshots", "Snapshots", "SnapshotId", {"OwnerIds": ["self"]}),
        ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", {}),
        ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", {}),
        ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName", {}),
        ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", {}),
        ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", {}),
        ("acm", "list_certificates", "CertificateSummaryList", "CertificateArn", {}),
        ("sqs", "list_queues", "QueueUrls", "", {}),
        ("sns", "list_topics", "Topics", "TopicArn", {}),
        ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn", {}),
        ("iam", "list_policies", "Policies", "Arn", {"Scope": "Local"}),
        ("iam", "list_instance_profiles", "InstanceProfiles", "Arn", {}),
        ("iam", "list_users", "Users", "Arn", {}),
        ("iam", "list_groups", "Groups", "Arn", {}),
        ("iam", "list_server_certificates", "ServerCertificateMetadataList", "Arn", {}),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
        ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName", {}),
        ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName", {}),
        ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
        ("route53", "list_hosted_zones", "HostedZones", "Id", {}),
        ("route53", "list_health_checks", "HealthChecks", "Id", {}),
        ("s3", "list_buckets", "Buckets", "Name", {}),
    ]
    found = {
        f"{operation} {items}": listed(service, operation, items, name, **more)
        for service, operation, items, name, more in asked
    }
    roles = cloud.client("iam").list_roles()["Roles"]
    found["list_roles"] = sorted(it["Arn"] for it in roles if not it["Path"].startswith("/aws-service-role/"))
    machines = cloud.client("ec2").get_paginator("describe_instances").paginate().build_full_result()
    found["describe_instances"] = [
        one["InstanceId"]
        for it in machines["Reservations"]
        for one in it["Instances"]
        if one["State"]["Name"] != "terminated"
    ]
    gateways = cloud.client("ec2").describe_nat_gateways()["NatGateways"]
    found["describe_nat_gateways"] = [it["NatGatewayId"] for it in gateways if it["State"] != "deleted"]
    endpoints = cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    found["describe_vpc_endpoints"] = [it["VpcEndpointId"] for it in endpoints if it["State"] != "deleted"]
    lists = cloud.client("ec2").describe_managed_prefix_lists()["PrefixLists"]
    found["describe_managed_prefix_lists"] = sorted(it["PrefixListId"] for it in lists)
    return found
