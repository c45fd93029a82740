"""The tagging API sees and changes the tags of every service, by boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud

_REGION = "ap-northeast-1"
_TAGS = [{"Key": "app", "Value": "shop"}]


@pytest.fixture(scope="module")
def arns(cloud: RunningCloud) -> Iterator[dict[str, str]]:
    """Something of each service, tagged, by its kind."""

    def client(service: str) -> Any:
        return cloud.client(service, _REGION)

    with ExitStack() as after:
        vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        after.callback(client("ec2").delete_vpc, VpcId=vpc)
        client("ec2").create_tags(Resources=[vpc], Tags=_TAGS)
        group = client("elbv2").create_target_group(
            Name="tagged", Protocol="HTTP", Port=80, VpcId=vpc, Tags=_TAGS
        )["TargetGroups"][0]["TargetGroupArn"]
        after.callback(client("elbv2").delete_target_group, TargetGroupArn=group)
        queue = client("sqs").create_queue(QueueName="tagged", tags={"app": "shop"})["QueueUrl"]
        after.callback(client("sqs").delete_queue, QueueUrl=queue)
        topic = client("sns").create_topic(Name="tagged", Tags=_TAGS)["TopicArn"]
        after.callback(client("sns").delete_topic, TopicArn=topic)
        client("cloudwatch").put_metric_alarm(
            AlarmName="tagged",
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Tags=_TAGS,
        )
        after.callback(client("cloudwatch").delete_alarms, AlarmNames=["tagged"])
        secret = client("secretsmanager").create_secret(Name="tagged", SecretString="x", Tags=_TAGS)["ARN"]
        after.callback(
            client("secretsmanager").delete_secret, SecretId=secret, ForceDeleteWithoutRecovery=True
        )
        account = queue.split("/")[-2]
        yield {
            "ec2:vpc": f"arn:aws:ec2:{_REGION}:{account}:vpc/{vpc}",
            "elasticloadbalancing:targetgroup": group,
            "sqs": f"arn:aws:sqs:{_REGION}:{account}:tagged",
            "sns": topic,
            "cloudwatch:alarm": f"arn:aws:cloudwatch:{_REGION}:{account}:alarm:tagged",
            "secretsmanager": secret,
        }


def tagged(cloud: RunningCloud, **asked: Any) -> dict[str, dict[str, str]]:
    pages = cloud.client("resourcegroupstaggingapi", _REGION).get_paginator("get_resources").paginate(**asked)
    return {
        it["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in it["Tags"]}
        for page in pages
        for it in page["ResourceTagMappingList"]
    }


def test_what_is_tagged_is_found_wherever_it_is_kept(cloud: RunningCloud, arns: dict[str, str]) -> None:
    everything = set(arns.values())
    assert tagged(cloud) == {key: {"app": "shop"} for key in everything}
    assert set(tagged(cloud, TagFilters=[{"Key": "app", "Values": ["shop", "other"]}])) == everything
    assert tagged(cloud, TagFilters=[{"Key": "app", "Values": ["other"]}]) == {}
    assert tagged(cloud, TagFilters=[{"Key": "app"}, {"Key": "team"}]) == {}
    assert set(tagged(cloud, ResourceTypeFilters=["ec2", "sqs"])) == {arns["ec2:vpc"], arns["sqs"]}
    assert set(tagged(cloud, ResourceTypeFilters=["ec2:instance"])) == set()
    assert set(tagged(cloud, ResourcesPerPage=2)) == everything
    assert set(tagged(cloud, ResourceARNList=[arns["sns"]])) == {arns["sns"]}
    client = cloud.client("resourcegroupstaggingapi", _REGION)
    assert client.get_tag_keys()["TagKeys"] == ["app"]
    assert client.get_tag_values(Key="app")["TagValues"] == ["shop"]


def test_a_parameter_that_is_not_there_hides_nothing(cloud: RunningCloud, arns: dict[str, str]) -> None:
    ssm = cloud.client("ssm", _REGION)
    for _ in range(2):
        with pytest.raises(ClientError, match="ParameterNotFound"):
            ssm.label_parameter_version(Name="/none", Labels=["x"])
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/none")
    assert ssm.describe_parameters()["Parameters"] == []
    assert set(tagged(cloud)) == set(arns.values())


def test_tags_are_put_and_taken_everywhere_at_once(cloud: RunningCloud, arns: dict[str, str]) -> None:
    client = cloud.client("resourcegroupstaggingapi", _REGION)
    named = list(arns.values())
    assert client.tag_resources(ResourceARNList=named, Tags={"team": "one"})["FailedResourcesMap"] == {}
    assert set(tagged(cloud, TagFilters=[{"Key": "team", "Values": ["one"]}])) == set(named)
    assert client.untag_resources(ResourceARNList=named, TagKeys=["team"])["FailedResourcesMap"] == {}
    assert tagged(cloud) == {key: {"app": "shop"} for key in named}


def test_what_is_not_there_is_told_by_its_arn(cloud: RunningCloud, arns: dict[str, str]) -> None:
    client = cloud.client("resourcegroupstaggingapi", _REGION)
    there = arns["sqs"]
    gone = [
        f"{there}-none",
        f"arn:aws:ec2:{_REGION}:123456789012:instance/i-0123456789abcdef0",
        "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/none/0123456789abcdef",
        "arn:aws:lambda:ap-northeast-1:123456789012:function:none",
        "arn:other:sns:x",
    ]
    failed = client.tag_resources(ResourceARNList=[*gone, there], Tags={"a": "b"})["FailedResourcesMap"]
    assert set(failed) == set(gone)
    assert tagged(cloud, ResourceARNList=[there])[there]["a"] == "b"
    client.untag_resources(ResourceARNList=[there], TagKeys=["a"])


@pytest.mark.parametrize(
    "asked", [{"PaginationToken": "none"}, {"ResourcesPerPage": 0}, {"ResourcesPerPage": 101}]
)
def test_what_makes_no_sense_is_refused(cloud: RunningCloud, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        cloud.client("resourcegroupstaggingapi", _REGION).get_resources(**asked)
