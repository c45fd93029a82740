"""Dashboards through boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

BODY = json.dumps(
    {
        "widgets": [
            {"type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": {"markdown": "Hello"}},
        ]
    }
)


def test_a_dashboard_is_kept_as_it_was_put(client: Any) -> None:
    answer = client.put_dashboard(
        DashboardName="main", DashboardBody=BODY, Tags=[{"Key": "team", "Value": "a"}]
    )
    assert answer["DashboardValidationMessages"] == []
    got = client.get_dashboard(DashboardName="main")
    assert got["DashboardBody"] == BODY
    assert client.list_tags_for_resource(ResourceARN=got["DashboardArn"])["Tags"] == [
        {"Key": "team", "Value": "a"}
    ]
    (entry,) = client.list_dashboards(DashboardNamePrefix="ma")["DashboardEntries"]
    assert (entry["DashboardName"], entry["Size"]) == ("main", len(BODY))
    client.delete_dashboards(DashboardNames=["main"])
    with pytest.raises(ClientError) as caught:
        client.get_dashboard(DashboardName="main")
    response: Any = caught.value.response
    assert response["Error"]["QueryErrorCode"] == "DashboardNotFoundError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("{", None),
        ("[]", "/"),
        ('{"widgets": [1]}', "/widgets/0"),
        ('{"widgets": [{"type": "cake", "properties": {}}]}', "/widgets/0/type"),
        ('{"widgets": [{"type": "text", "properties": {}, "width": 25}]}', "/widgets/0/width"),
    ],
)
def test_what_is_no_dashboard_is_refused_with_the_place(client: Any, body: str, path: str | None) -> None:
    with pytest.raises(client.exceptions.DashboardInvalidInputError) as caught:
        client.put_dashboard(DashboardName="main", DashboardBody=body)
    messages = caught.value.response["dashboardValidationMessages"]
    assert messages[0].get("DataPath") == path
    assert client.list_dashboards()["DashboardEntries"] == []
