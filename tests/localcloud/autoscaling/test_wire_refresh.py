"""Instance refreshes as boto3 calls for them and reads them, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, refusal

WEB: Any = {"AutoScalingGroupName": "web"}
FIRST: Any = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"}}
SECOND: Any = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}}


@pytest.fixture(autouse=True)
def versions(bench: Bench) -> None:
    bench.compute.templates["web"].append(LaunchData("ami-2", "t3.micro"))


def test_a_refresh_is_started_described_and_found_by_its_id(client: Any, bench: Bench) -> None:
    create(client, **FIRST)
    bench.settle()
    first = client.start_instance_refresh(
        **WEB,
        DesiredConfiguration=SECOND,
        Preferences={"InstanceWarmup": 30, "CheckpointPercentages": [50, 100], "CheckpointDelay": 60},
    )["InstanceRefreshId"]
    [shown] = client.describe_instance_refreshes(**WEB)["InstanceRefreshes"]
    assert shown == {
        "InstanceRefreshId": first,
        "AutoScalingGroupName": "web",
        "Status": "Pending",
        "StartTime": bench.clock.now(),
        "PercentageComplete": 0,
        "InstancesToUpdate": 3,
        "Preferences": {
            "MinHealthyPercentage": 90,
            "InstanceWarmup": 30,
            "CheckpointPercentages": [50, 100],
            "CheckpointDelay": 60,
            "SkipMatching": False,
            "AutoRollback": False,
            "ScaleInProtectedInstances": "Wait",
            "StandbyInstances": "Wait",
        },
        "DesiredConfiguration": SECOND,
        "Strategy": "Rolling",
    }
    with pytest.raises(client.exceptions.InstanceRefreshInProgressFault):
        client.start_instance_refresh(**WEB)
    assert client.rollback_instance_refresh(**WEB)["InstanceRefreshId"] == first
    bench.settle()
    [shown] = client.describe_instance_refreshes(**WEB)["InstanceRefreshes"]
    assert shown["Status"] == "RollbackSuccessful"
    assert shown["RollbackDetails"] == {
        "RollbackReason": "Rollback initiated by a user request.",
        "RollbackStartTime": bench.clock.now(),
        "PercentageCompleteOnRollback": 0,
        "InstancesToUpdateOnRollback": 3,
    }
    second = client.start_instance_refresh(**WEB)["InstanceRefreshId"]
    client.cancel_instance_refresh(**WEB)
    bench.settle()
    page = client.describe_instance_refreshes(**WEB, MaxRecords=1)
    assert [one["InstanceRefreshId"] for one in page["InstanceRefreshes"]] == [second]
    page = client.describe_instance_refreshes(**WEB, MaxRecords=1, NextToken=page["NextToken"])
    assert [one["InstanceRefreshId"] for one in page["InstanceRefreshes"]] == [first]
    named = client.describe_instance_refreshes(**WEB, InstanceRefreshIds=[first])["InstanceRefreshes"]
    assert [one["Status"] for one in named] == ["RollbackSuccessful"]
    with pytest.raises(client.exceptions.ActiveInstanceRefreshNotFoundFault):
        client.cancel_instance_refresh(**WEB)
    with pytest.raises(client.exceptions.ActiveInstanceRefreshNotFoundFault):
        client.rollback_instance_refresh(**WEB)


def test_there_is_no_way_back_to_what_may_have_changed(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    client.start_instance_refresh(**WEB, DesiredConfiguration=SECOND)
    with pytest.raises(client.exceptions.IrreversibleInstanceRefreshFault):
        client.rollback_instance_refresh(**WEB)
    client.cancel_instance_refresh(**WEB, WaitForTransitioningInstances=False)
    bench.settle()
    client.update_auto_scaling_group(**WEB, **FIRST)
    client.start_instance_refresh(**WEB)
    with pytest.raises(client.exceptions.IrreversibleInstanceRefreshFault):
        client.rollback_instance_refresh(**WEB)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"Preferences": {"MinHealthyPercentage": 101}}, "less than or equal to 100"),
        ({"Preferences": {"MaxHealthyPercentage": 201}}, "less than or equal to 200"),
        ({"Preferences": {"MaxHealthyPercentage": 110}}, "MinHealthyPercentage must be specified"),
        (
            {"Preferences": {"MinHealthyPercentage": 20, "MaxHealthyPercentage": 121}},
            "The difference between",
        ),
        ({"Preferences": {"CheckpointPercentages": [50, 20]}}, "ascending order"),
        ({"Preferences": {"CheckpointPercentages": [50, 50]}}, "unique"),
        ({"Preferences": {"CheckpointDelay": 60}}, "together with CheckpointPercentages"),
        ({"Preferences": {"BakeTime": 172_801}}, "less than or equal to 172800"),
        ({"Preferences": {"AutoRollback": True}}, "requires a desired configuration"),
        (
            {"Preferences": {"AutoRollback": True}, "DesiredConfiguration": SECOND},
            "$Latest or $Default",
        ),
        ({"Preferences": {"StandbyInstances": "Refresh"}}, "enum value set"),
        ({"Preferences": {"AlarmSpecification": {"Alarms": ["none"]}}}, "alarms do not exist: [none]"),
        (
            {"DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "9"}}},
            "Could not find the specified version 9",
        ),
        ({"Strategy": "ReplaceRootVolume"}, "not offered by this cloud"),
        ({"Strategy": "Sudden"}, "enum value set"),
        ({"AutoScalingGroupName": "none"}, "AutoScalingGroup name not found"),
    ],
)
def test_a_refresh_that_cannot_be_is_refused(client: Any, wrong: dict[str, Any], message: str) -> None:
    create(client)
    code, text = refusal(lambda **more: client.start_instance_refresh(**(WEB | more)), **wrong)
    assert code == "ValidationError"
    assert message in text
    assert client.describe_instance_refreshes(**WEB)["InstanceRefreshes"] == []
