"""Calls that many tests make through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.autoscaling.bench import ZONES


def create(client: Any, name: str = "web", **more: Any) -> None:
    parameters: dict[str, Any] = {
        "AutoScalingGroupName": name,
        "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"},
        "MinSize": 1,
        "MaxSize": 5,
        "DesiredCapacity": 3,
        "AvailabilityZones": list(ZONES),
    }
    client.create_auto_scaling_group(**(parameters | more))


def described(client: Any, name: str = "web") -> Any:
    return client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response: Any = caught.value.response
    error = response["Error"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]
