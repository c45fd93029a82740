"""Warm pools as boto3 calls for them and reads them, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, described, refusal

WEB: Any = {"AutoScalingGroupName": "web"}


def test_a_pool_is_put_described_a_page_at_a_time_and_deleted(client: Any, bench: Bench) -> None:
    create(client, MinSize=0, DesiredCapacity=1, MaxSize=4)
    bench.settle()
    assert "WarmPoolConfiguration" not in client.describe_warm_pool(**WEB)
    client.put_warm_pool(
        **WEB, MinSize=1, MaxGroupPreparedCapacity=3, InstanceReusePolicy={"ReuseOnScaleIn": True}
    )
    client.put_warm_pool(**WEB, MaxGroupPreparedCapacity=4)
    bench.settle()
    shown = {
        "MaxGroupPreparedCapacity": 4,
        "MinSize": 1,
        "PoolState": "Stopped",
        "InstanceReusePolicy": {"ReuseOnScaleIn": True},
    }
    first = client.describe_warm_pool(**WEB, MaxRecords=2)
    rest = client.describe_warm_pool(**WEB, NextToken=first["NextToken"])
    assert first["WarmPoolConfiguration"] == shown
    instances = first["Instances"] + rest["Instances"]
    assert [one["LifecycleState"] for one in instances] == ["Warmed:Stopped"] * 3
    group = described(client)
    assert (group["WarmPoolConfiguration"], group["WarmPoolSize"]) == (shown, 3)
    assert [one["LifecycleState"] for one in group["Instances"]] == ["InService"]
    everyone = client.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert sorted(one["LifecycleState"] for one in everyone) == ["InService", *["Warmed:Stopped"] * 3]
    with pytest.raises(client.exceptions.ResourceInUseFault):
        client.delete_warm_pool(**WEB)
    client.delete_warm_pool(**WEB, ForceDelete=True)
    assert described(client)["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    bench.settle()
    assert "WarmPoolConfiguration" not in described(client)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"PoolState": "Asleep"}, "enum value set"),
        ({"MinSize": 3, "MaxGroupPreparedCapacity": 2}, "must be greater than or equal to"),
        ({"AutoScalingGroupName": "none"}, "AutoScalingGroup name not found"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(client: Any, wrong: dict[str, Any], message: str) -> None:
    create(client)
    code, text = refusal(lambda **more: client.put_warm_pool(**(WEB | more)), **wrong)
    assert (code, message in text) == ("ValidationError", True)
    assert "WarmPoolConfiguration" not in described(client)
    assert refusal(client.delete_warm_pool, **WEB)[0] == "ValidationError"
