"""A disk that is full: what cannot be written is not acknowledged, in each service's own words."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.api.alone import AloneApi, api_alone
from tests.localcloud.small_disks import small_disk
from tests.waiting import eventually


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "disk", 3) as mounted:
        yield mounted


def changing(api: AloneApi, name: str) -> dict[str, Any]:
    """A call of each service and protocol that changes something."""
    s3, sqs, dns = api.client("s3"), api.client("sqs"), api.client("route53")
    scaling, watch, elb = api.client("autoscaling"), api.client("cloudwatch"), api.client("elbv2")
    vpc = api.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    return {
        "ec2": lambda: api.client("ec2").create_key_pair(KeyName=name),
        "s3": lambda: s3.create_bucket(Bucket=name),
        "iam": lambda: api.client("iam").create_user(UserName=name),
        "sts": lambda: api.client("sts").get_session_token(),
        "sns": lambda: api.client("sns").create_topic(Name=name),
        "sqs": lambda: sqs.create_queue(QueueName=name),
        "acm": lambda: api.client("acm").request_certificate(DomainName=f"{name}.test"),
        "route53": lambda: dns.create_hosted_zone(Name=f"{name}.test", CallerReference=name),
        "autoscaling": lambda: scaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-12c6146b", InstanceType="t3.nano"
        ),
        "cloudwatch": lambda: watch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}'),
        "elbv2": lambda: elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc),
        "datapoints": lambda: watch.put_metric_data(
            Namespace=name,
            MetricData=[{"MetricName": f"{name}{number}", "Value": 1.0} for number in range(900)],
        ),
    }


def test_nothing_is_acknowledged_that_a_full_disk_does_not_take(disk: Path) -> None:
    with api_alone(disk / "home") as api:
        api.start()
        assert api.health["status"] == "ok"
        for call in changing(api, "before").values():
            call()
        fills = disk / "fills"
        with suppress(OSError), fills.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        before = (api.home / "state.snapshot").read_bytes()
        for service, call in changing(api, "refused").items():
            with pytest.raises(ClientError) as refused:
                call()
            answer: Any = refused.value.response
            assert answer["Error"]["Code"] == "ServiceUnavailable", service
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503, service
            assert "No space left on device" in answer["Error"]["Message"], service
        health = api.health
        assert "No space left on device" in health["status"]
        assert health["saved_revision"] < health["revision"]
        assert api.client("iam").get_user(UserName="before")["User"]["UserName"] == "before"
        assert (api.home / "state.snapshot").read_bytes() == before
        fills.unlink()
        eventually(lambda: api.health["status"] == "ok", within=30)
        for call in changing(api, "after").values():
            call()
        api.kill()
        api.start()
        users = {user["UserName"] for user in api.client("iam").list_users()["Users"]}
        assert {"before", "after"} <= users
        for name in ("before", "after"):
            assert api.client("cloudwatch").list_metrics(Namespace=name)["Metrics"], name


def test_what_is_there_but_not_saved_is_not_acknowledged_to_who_asks_again(disk: Path) -> None:
    """As clients do by themselves after a 503."""
    with api_alone(disk / "home") as api:
        api.start()
        ec2, template = api.client("ec2"), {"InstanceType": "t3.nano"}
        calls = [
            changing(api, "again")["elbv2"],
            lambda: ec2.create_launch_template(
                LaunchTemplateName="again", LaunchTemplateData=template, ClientToken="again"
            ),
        ]
        with suppress(OSError), (disk / "fills").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for call in calls * 3:
            with pytest.raises(ClientError, match="No space left on device"):
                call()


def test_contents_that_a_full_disk_does_not_take_are_refused_as_such(disk: Path) -> None:
    with api_alone(disk / "home") as api:
        api.start()
        s3 = api.client("s3")
        s3.create_bucket(Bucket="contents")
        upload = s3.create_multipart_upload(Bucket="contents", Key="parts")["UploadId"]
        large, larger = b"x" * 4 * 2**20, b"x" * 8 * 2**20
        for call in (
            lambda: s3.put_object(Bucket="contents", Key="whole", Body=larger),
            lambda: s3.put_object(Bucket="contents", Key="whole", Body=large),
            lambda: s3.upload_part(Bucket="contents", Key="parts", UploadId=upload, PartNumber=1, Body=large),
        ):
            with pytest.raises(ClientError) as refused:
                call()
            answer: Any = refused.value.response
            assert answer["Error"]["Code"] == "ServiceUnavailable"
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert "No space left on device" in answer["Error"]["Message"]
            assert "No space left on device" in api.health["status"]
        s3.put_object(Bucket="contents", Key="whole", Body=large[: 2**16])
        assert api.health["status"] == "ok"
