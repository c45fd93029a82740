"""An experiment of the Chaos Toolkit, with its AWS driver unmodified, against groups that really heal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.localcloud.machines import bare_image
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

ASG, ELB = "chaosaws.asg", "chaosaws.elbv2"
SERVES = """#!/bin/sh
exec python3 -m http.server 8080 --bind $HOST
"""


def _step(kind: str, module: str, function: str, **arguments: Any) -> dict[str, Any]:
    part = "probes" if kind == "probe" else "actions"
    tolerance = arguments.pop("tolerance", None)
    step: dict[str, Any] = {
        "type": kind,
        "name": function,
        "provider": {
            "type": "python",
            "module": f"{module}.{part}",
            "func": function,
            "arguments": arguments,
        },
    }
    return step if tolerance is None else {**step, "tolerance": tolerance}


def test_an_experiment_kills_instances_and_sees_the_group_heal(cloud: RunningCloud, tmp_path: Path) -> None:
    ec2, scaling, elb = cloud.client("ec2"), cloud.client("autoscaling"), cloud.client("elbv2")
    subnets = ec2.describe_subnets()["Subnets"][:3]
    balancer = elb.create_load_balancer(Name="chaos", Subnets=[it["SubnetId"] for it in subnets])
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group_arn = elb.create_target_group(
        Name="chaos",
        Protocol="HTTP",
        Port=8080,
        VpcId=subnets[0]["VpcId"],
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer_arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group_arn}],
    )
    scaling.create_launch_configuration(
        LaunchConfigurationName="chaos",
        ImageId=bare_image(ec2),
        InstanceType="t3.micro",
        UserData=SERVES,
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="chaos",
        LaunchConfigurationName="chaos",
        MinSize=3,
        MaxSize=4,
        VPCZoneIdentifier=",".join(it["SubnetId"] for it in subnets),
        TargetGroupARNs=[group_arn],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=60,
    )

    def healthy() -> bool:
        seen = elb.describe_target_health(TargetGroupArn=group_arn)["TargetHealthDescriptions"]
        return [it["TargetHealth"]["State"] for it in seen] == ["healthy"] * 3

    eventually(healthy, within=90)
    names = ["chaos"]
    experiment = {
        "title": "Instances die, and the group is whole again",
        "description": "By the driver's own probes and actions.",
        "steady-state-hypothesis": {
            "title": "whole",
            "probes": [
                _step("probe", ASG, "wait_desired_equals_healthy", tolerance=[0, 60], asg_names=names)
                | {"tolerance": {"type": "range", "range": [0, 120]}},
                _step("probe", ASG, "is_scaling_in_progress", tolerance=False, tags=_tags()),
            ],
        },
        "method": [
            _step("action", ASG, "suspend_processes", asg_names=names, process_names=["AZRebalance"]),
            _step("probe", ASG, "process_is_suspended", asg_names=names, process_names=["AZRebalance"]),
            _step("action", ASG, "terminate_random_instances", asg_names=names, instance_count=2),
            _step("probe", ELB, "targets_health_count", tg_names=names),
            _step("action", ASG, "resume_processes", asg_names=names, process_names=["AZRebalance"]),
            _step("probe", ASG, "instance_count_by_health", asg_names=names, count_healthy=True),
        ],
        "rollbacks": [],
    }
    # The driver asks by tag whether a scaling activity is under way.
    scaling.create_or_update_tags(
        Tags=[
            {
                "ResourceId": "chaos",
                "ResourceType": "auto-scaling-group",
                "Key": "of",
                "Value": "chaos",
                "PropagateAtLaunch": False,
            }
        ]
    )
    before = _instances(scaling)
    (tmp_path / "experiment.json").write_text(json.dumps(experiment))
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "chaostoolkit", "--no-version-check", "run"),
            *("--journal-path", "journal.json", "experiment.json"),
        ],
        cwd=tmp_path,
        env={**cloud.environment(), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=160,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert journal["status"] == "completed", ran.stderr
    assert not journal["deviated"]
    failed = [step["activity"]["name"] for step in journal["run"] if step["status"] != "succeeded"]
    assert not failed, ran.stderr
    after = _instances(scaling)
    assert len(after) == 3
    assert len(after & before) == 1
    eventually(healthy, within=60)
    scaling.delete_auto_scaling_group(AutoScalingGroupName="chaos", ForceDelete=True)
    elb.delete_load_balancer(LoadBalancerArn=balancer_arn)


def _tags() -> list[dict[str, str]]:
    return [{"Key": "of", "Value": "chaos"}]


def _instances(scaling: Any) -> set[str]:
    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["chaos"])["AutoScalingGroups"]
    return {it["InstanceId"] for it in group["Instances"] if it["LifecycleState"] == "InService"}
