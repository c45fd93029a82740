"""Whose keys open the cloud, and what is open to who has none, at the real endpoint."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.localcloud.machines import instance, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


def client_by(cloud: RunningCloud, given: dict[str, Any], service: str = "sts") -> Any:
    """With what IAM or STS has given."""
    return boto3.client(  # pyright: ignore[reportUnknownMemberType, reportCallIssue]
        service,  # pyright: ignore[reportArgumentType]
        region_name="us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given.get("SessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def who(cloud: RunningCloud, given: dict[str, Any]) -> str:
    """The caller's ARN, or the code of the refusal."""
    try:
        return client_by(cloud, given).get_caller_identity()["Arn"]
    except ClientError as refused:
        return refused.response.get("Error", {}).get("Code", "")


def test_a_users_key_opens_the_cloud_while_it_is_active(cloud: RunningCloud) -> None:
    iam, name = cloud.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    given = iam.create_access_key(UserName=name)["AccessKey"]
    arn = f"arn:aws:iam::123456789012:user/{name}"
    assert who(cloud, given) == arn
    assert who(cloud, given | {"SecretAccessKey": "x"}) == "SignatureDoesNotMatch"
    iam.update_access_key(UserName=name, AccessKeyId=given["AccessKeyId"], Status="Inactive")
    assert who(cloud, given) == "InvalidClientTokenId"
    iam.update_access_key(UserName=name, AccessKeyId=given["AccessKeyId"], Status="Active")
    assert who(cloud, given) == arn
    iam.delete_access_key(UserName=name, AccessKeyId=given["AccessKeyId"])
    assert who(cloud, given) == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("take", "arn"),
    [
        (lambda sts: sts.get_session_token(), "arn:aws:iam::123456789012:root"),
        (lambda sts: sts.get_federation_token(Name="ada"), "arn:aws:sts::123456789012:federated-user/ada"),
        (
            lambda sts: sts.assume_role(
                RoleArn="arn:aws:iam::123456789012:role/deployer", RoleSessionName="today"
            ),
            "arn:aws:sts::123456789012:assumed-role/deployer/today",
        ),
    ],
    ids=["session", "federation", "role"],
)
def test_a_sessions_credentials_work_with_their_token_alone(
    cloud: RunningCloud, take: Callable[[Any], Any], arn: str
) -> None:
    sts = cloud.client("sts")
    given, other = take(sts)["Credentials"], take(sts)["Credentials"]
    assert {given["AccessKeyId"], given["SessionToken"]} & set(other.values()) == set()
    assert who(cloud, given) == arn
    assert who(cloud, given | {"SessionToken": other["SessionToken"]}) == "InvalidClientTokenId"
    assert who(cloud, given | {"SessionToken": None}) == "InvalidClientTokenId"
    again = take(client_by(cloud, given))["Credentials"]
    assert who(cloud, again) == arn


def test_a_roles_credentials_end_with_their_instance(cloud: RunningCloud) -> None:
    iam, name = cloud.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    [made] = run(cloud, IamInstanceProfile={"Name": name}, UserData=TELL)
    given = json.loads(eventually(lambda: _told(cloud, made), within=60) or "{}")
    given["SessionToken"] = given.pop("Token")
    assert who(cloud, given).endswith(f"assumed-role/{name}/{made}")
    client_by(cloud, given, "ec2").terminate_instances(InstanceIds=[made])
    eventually(lambda: instance(cloud, made)["State"]["Name"] == "terminated", within=60)
    assert who(cloud, given) == "InvalidClientTokenId"


TELL = """#!/bin/sh
base=$AWS_EC2_METADATA_SERVICE_ENDPOINT
token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $base/latest/api/token)
path=$base/latest/meta-data/iam/security-credentials/
role=$(curl -s -H "X-aws-ec2-metadata-token: $token" $path)
echo "GIVEN $(curl -s -H "X-aws-ec2-metadata-token: $token" $path$role | tr -d '\\n')"
"""


def _told(cloud: RunningCloud, made: str) -> str | None:
    said = cloud.client("ec2").get_console_output(InstanceId=made, Latest=True).get("Output", "")
    return next((it.removeprefix("GIVEN ") for it in said.splitlines() if it.startswith("GIVEN {")), None)


@pytest.fixture
def bucket(cloud: RunningCloud) -> Generator[str]:
    name, s3 = f"bucket-{uuid.uuid4()}", cloud.client("s3")
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=name, Key="key", Body=b"content")
    yield name
    for found in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def nobody(cloud: RunningCloud) -> Any:
    """S3 without a key."""
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "s3", "us-east-1", endpoint_url=cloud.endpoint, config=Config(signature_version=UNSIGNED)
    )


DEEDS: dict[str, Callable[[Any, str], object]] = {
    "read": lambda s3, name: s3.get_object(Bucket=name, Key="key"),
    "look": lambda s3, name: s3.head_object(Bucket=name, Key="key"),
    "list": lambda s3, name: s3.list_objects_v2(Bucket=name),
    "read what is not there": lambda s3, name: s3.get_object(Bucket=name, Key="none"),
    "write": lambda s3, name: s3.put_object(Bucket=name, Key="new", Body=b"x"),
    "overwrite": lambda s3, name: s3.put_object(Bucket=name, Key="key", Body=b"x"),
    "delete": lambda s3, name: s3.delete_object(Bucket=name, Key="key"),
    "delete many": lambda s3, name: s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "key"}]}),
    "copy": lambda s3, name: s3.copy_object(Bucket=name, Key="b", CopySource={"Bucket": name, "Key": "key"}),
    "read the ACL": lambda s3, name: s3.get_object_acl(Bucket=name, Key="key"),
    "write the ACL": lambda s3, name: s3.put_bucket_acl(Bucket=name, ACL="public-read-write"),
    "read the policy": lambda s3, name: s3.get_bucket_policy(Bucket=name),
    "write a policy": lambda s3, name: s3.put_bucket_policy(Bucket=name, Policy='{"Statement": []}'),
    "upload in parts": lambda s3, name: s3.create_multipart_upload(Bucket=name, Key="parts"),
    "make a bucket": lambda s3, name: s3.create_bucket(Bucket=f"{name}-2"),
    "list buckets": lambda s3, name: s3.list_buckets(),
    "delete the bucket": lambda s3, name: s3.delete_bucket(Bucket=name),
}


def done_by(s3: Any, name: str) -> set[str]:
    """What is not refused."""
    done: set[str] = set()
    for deed, do in DEEDS.items():
        try:
            do(s3, name)
        except ClientError as refused:
            if "AccessDenied" in str(refused) or "(403)" in str(refused):
                continue
        done.add(deed)
    return done


def policy(action: str, resource: str, principal: Any = "*", **more: Any) -> str:
    said = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": f"arn:aws:s3:::{resource}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [said | more]})


def test_who_has_no_key_does_nothing_in_s3(bucket: str, nobody: Any) -> None:
    assert done_by(nobody, bucket) == set()


def test_an_acl_opens_what_it_says_and_no_more(cloud: RunningCloud, bucket: str, nobody: Any) -> None:
    s3 = cloud.client("s3")
    s3.put_object_acl(Bucket=bucket, Key="key", ACL="public-read")
    assert done_by(nobody, bucket) == {"read", "look"}
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert done_by(nobody, bucket) == {"read", "look", "list", "read what is not there"}
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={"IgnorePublicAcls": True, "RestrictPublicBuckets": True},
    )
    assert done_by(nobody, bucket) == set()


@pytest.mark.parametrize(
    ("said", "open_to_all"),
    [
        (("s3:GetObject", "{}/*"), {"read", "look"}),
        (("s3:GetObject", "{}/*", {"AWS": "*"}), {"read", "look"}),
        (("s3:GetObject", "{}/other"), set[str]()),
        (("s3:GetObject", "{}/*", {"AWS": "arn:aws:iam::123456789012:root"}), set[str]()),
        (("s3:ListBucket", "{}"), {"list", "read what is not there"}),
        (("s3:PutObject", "{}/*"), {"write", "overwrite"}),
    ],
)
def test_a_policy_opens_what_is_for_everybody_on_no_condition(
    cloud: RunningCloud, bucket: str, nobody: Any, said: tuple[Any, ...], open_to_all: set[str]
) -> None:
    s3, (action, resource, *principal) = cloud.client("s3"), said
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(action, resource.format(bucket), *principal))
    assert done_by(nobody, bucket) == open_to_all
    limited = {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(action, resource.format(bucket), *principal, **limited))
    assert done_by(nobody, bucket) == set()


def upload(
    cloud: RunningCloud, version: str, bucket: str, name: str, body: bytes = b"hello", **changed: str
) -> str:
    """By a form that is good for a while, for keys below `up/` and up to 10 bytes; its code, if refused."""
    form = boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "s3",
        "us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=cloud.key.access_key_id,
        aws_secret_access_key=cloud.key.secret_access_key,
        config=Config(signature_version=version),
    ).generate_presigned_post(
        bucket,
        "up/${filename}",
        Conditions=[["starts-with", "$key", "up/"], ["content-length-range", 0, 10]],
        ExpiresIn=60,
    )
    fields = form["fields"] | {"key": name} | changed
    answer = httpx.post(form["url"], data=fields, files={"file": ("name", body)}, trust_env=False)
    return "" if answer.status_code == 204 else answer.text.partition("<Code>")[2].partition("<")[0]


@pytest.mark.parametrize(("version", "signature"), [("s3v4", "x-amz-signature"), ("s3", "signature")])
def test_a_form_uploads_what_its_policy_says(
    cloud: RunningCloud, bucket: str, version: str, signature: str
) -> None:
    form = partial(upload, cloud, version, bucket)
    assert form("up/one") == ""
    assert cloud.client("s3").get_object(Bucket=bucket, Key="up/one")["Body"].read() == b"hello"
    assert form("elsewhere/one") == "AccessDenied"
    assert form("up/two", b"eleven byte") == "EntityTooLarge"
    assert form("up/two", acl="public-read") == "AccessDenied"
    assert form("up/two", **{signature: "0" * 64}) == "SignatureDoesNotMatch"  # pyright: ignore[reportArgumentType]
    unsigned = {"key": "up/two"}
    answer = httpx.post(f"{cloud.endpoint}/{bucket}", data=unsigned, files={"file": b"x"}, trust_env=False)
    assert answer.status_code == 403


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here, whose signatures are to be taken")
@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("ec2", ["-d", "Action=DescribeVpcs&Version=2016-11-15", "/"]),
        ("ec2", ["/?Action=DescribeVpcs&Version=2016-11-15"]),
        ("s3", ["/{bucket}/key"]),
        ("s3", ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-T", "/etc/hostname", "/{bucket}/of-curl"]),
        ("pavedroad", ["/_pavedroad/faults"]),
    ],
)
def test_what_curl_signs_is_taken(cloud: RunningCloud, bucket: str, service: str, words: list[str]) -> None:
    def status(secret: str) -> str:
        *options, path = (word.format(bucket=bucket) for word in words)
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*"]
        command += ["--aws-sigv4", f"aws:amz:us-east-1:{service}", "-K", "-"]
        user = f'user = "{cloud.key.access_key_id}:{secret}"'
        return subprocess.run(
            [*command, *options, f"{cloud.endpoint}{path}"],
            input=user,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert status(cloud.key.secret_access_key) == "200"
    assert status("wrong") in ("401", "403")
