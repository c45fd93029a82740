"""A real cloud: datapoints raise alarms that stop, terminate, reboot and recover the instances."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.machines import await_state, console, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

SCRIPT = "#!/bin/sh\necho BOOTED $$\nexec sleep 1000\n"


@pytest.fixture(scope="module")
def namespace() -> str:
    return f"Test/{uuid.uuid4().hex[:8]}"


def alarm(cloud: RunningCloud, namespace: str, instance_id: str, action: str) -> str:
    """One that acts as soon as the instance reports a load of 10."""
    name = f"{action}-{instance_id}"
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Load",
        Dimensions=[{"Name": "InstanceId", "Value": instance_id}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[f"arn:aws:automate:us-east-1:ec2:{action}"],
    )
    return name


def report(cloud: RunningCloud, namespace: str, instance_ids: list[str]) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    cloud.client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": "Load",
                "Dimensions": [{"Name": "InstanceId", "Value": instance_id}],
                "Value": 11,
                "Timestamp": at,
            }
            for instance_id in instance_ids
        ],
    )


def booted(cloud: RunningCloud, instance_id: str) -> str:
    """What it said when it booted: with its process, so that every boot says something else."""
    said = console(cloud, instance_id).splitlines()
    return next((line for line in said if line.startswith("BOOTED ")), "")


def told(cloud: RunningCloud, name: str) -> dict[str, Any]:
    """What the alarm's history says of its action."""

    def action() -> list[Any]:
        return cloud.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="Action")[
            "AlarmHistoryItems"
        ]

    return json.loads(eventually(action)[0]["HistoryData"])


@pytest.mark.slow
def test_alarms_stop_terminate_reboot_and_recover(cloud: RunningCloud, namespace: str) -> None:
    actions = ("stop", "terminate", "reboot", "recover")
    made = run(cloud, MinCount=4, MaxCount=4, UserData=SCRIPT)
    for one in made:
        await_state(cloud, one, "running")
    first = {one: eventually(lambda one=one: booted(cloud, one)) for one in made}
    named = {action: alarm(cloud, namespace, one, action) for action, one in zip(actions, made, strict=True)}
    try:
        report(cloud, namespace, made)
        stopped, terminated, rebooted, recovered = made
        await_state(cloud, stopped, "stopped")
        await_state(cloud, terminated, "terminated")
        for one in (rebooted, recovered):
            eventually(lambda one=one: booted(cloud, one) not in ("", first[one]))
            await_state(cloud, one, "running")
        for name in named.values():
            assert told(cloud, name)["actionState"] == "Succeeded"
    finally:
        cloud.client("cloudwatch").delete_alarms(AlarmNames=list(named.values()))
        cloud.client("ec2").terminate_instances(InstanceIds=made)


def test_an_instance_that_is_protected_is_left_and_the_history_says_why(
    cloud: RunningCloud, namespace: str
) -> None:
    ec2 = cloud.client("ec2")
    [kept] = run(cloud, DisableApiTermination=True)
    gone = "i-0123456789abcdef0"
    names = [alarm(cloud, namespace, one, "terminate") for one in (kept, gone)]
    try:
        report(cloud, namespace, [kept, gone])
        failed, missing = (told(cloud, name) for name in names)
        assert failed["actionState"] == missing["actionState"] == "Failed"
        assert "OperationNotPermitted" in failed["error"]
        assert "InvalidInstanceID.NotFound" in missing["error"]
        await_state(cloud, kept, "running")
    finally:
        cloud.client("cloudwatch").delete_alarms(AlarmNames=names)
        ec2.modify_instance_attribute(InstanceId=kept, DisableApiTermination={"Value": False})
        ec2.terminate_instances(InstanceIds=[kept])
