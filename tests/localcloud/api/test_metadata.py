from __future__ import annotations

import json
import sys
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.machines import await_state, console, image_of_command, instance, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

ASK = """
import json, os, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"].rstrip("/")
def call(method, path, headers):
    request = urllib.request.Request(f"{base}/latest/{path}", method=method, headers=headers)
    return urllib.request.urlopen(request, timeout=20).read().decode()
token = call("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
found = {path: call("GET", path, {"X-aws-ec2-metadata-token": token}) for path in os.environ["PATHS"].split()}
print("FOUND", json.dumps(found), flush=True)
import time; time.sleep(1000)
"""


def learned(cloud: RunningCloud, made: str) -> dict[str, str]:
    def line() -> str | None:
        said = [one for one in console(cloud, made).splitlines() if one.startswith("FOUND ")]
        return said[0].removeprefix("FOUND ") if said else None

    return json.loads(eventually(line) or "{}")


def test_an_instance_learns_who_it_is(cloud: RunningCloud) -> None:
    paths = (
        "meta-data/instance-id meta-data/ami-id meta-data/local-ipv4 meta-data/placement/availability-zone "
        "meta-data/placement/region meta-data/tags/instance/Name meta-data/instance-type user-data "
        "dynamic/instance-identity/document"
    )
    options = image_of_command(cloud, f'{sys.executable} -c "$ASK"', environment={"ASK": ASK, "PATHS": paths})
    [made] = run(
        cloud,
        **{**options, "UserData": "hello"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
        MetadataOptions={"InstanceMetadataTags": "enabled"},
    )
    found, known = learned(cloud, made), instance(cloud, made)
    assert found["meta-data/instance-id"] == made
    assert found["meta-data/ami-id"] == options["ImageId"]
    assert found["meta-data/local-ipv4"] == known["PrivateIpAddress"]
    assert found["meta-data/placement/availability-zone"] == known["Placement"]["AvailabilityZone"]
    assert found["meta-data/placement/region"] == "us-east-1"
    assert found["meta-data/tags/instance/Name"] == "web"
    assert found["user-data"] == "hello"
    assert json.loads(found["dynamic/instance-identity/document"])["instanceId"] == made


LOOK = """
import json, os, time, urllib.error, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"].rstrip("/")
def call(method, path, headers):
    request = urllib.request.Request(f"{base}/latest/{path}", method=method, headers=headers)
    try:
        return 200, urllib.request.urlopen(request, timeout=20).read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""
said = None
while True:
    got, token = call("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    bare, _ = call("GET", "meta-data/instance-id", {})
    tagged, tag = call("GET", "meta-data/tags/instance/Name", {"X-aws-ec2-metadata-token": token})
    seen = f"token {got}, without one {bare}, tag {tagged} {tag}"
    if seen != said:
        print("SEEN", seen, flush=True)
        said = seen
    time.sleep(0.1)
"""


def test_an_instance_reads_of_itself_what_its_options_allow_and_at_once(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    options = image_of_command(cloud, f'{sys.executable} -c "$LOOK"', environment={"LOOK": LOOK})
    [made] = run(
        cloud,
        **options,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
        MetadataOptions={"HttpTokens": "optional"},
    )

    def sees(what: str, **changes: Any) -> None:
        if changes:
            ec2.modify_instance_metadata_options(InstanceId=made, **changes)
        eventually(lambda: console(cloud, made).splitlines()[-1:] == [f"SEEN {what}"])

    sees("token 200, without one 200, tag 404 ")
    sees("token 200, without one 200, tag 200 web", InstanceMetadataTags="enabled")
    sees("token 200, without one 401, tag 200 web", HttpTokens="required")
    sees("token 403, without one 403, tag 403 ", HttpEndpoint="disabled")
    sees("token 200, without one 401, tag 200 web", HttpEndpoint="enabled", HttpPutResponseHopLimit=3)
    shown = instance(cloud, made)["MetadataOptions"]
    assert (shown["HttpPutResponseHopLimit"], shown["HttpTokens"]) == (3, "required")
    for refused in (
        lambda: ec2.modify_instance_metadata_options(InstanceId=made, HttpPutResponseHopLimit=65),
        lambda: ec2.modify_instance_metadata_options(InstanceId=made, HttpTokens="maybe"),
        lambda: ec2.create_tags(Resources=[made], Tags=[{"Key": "a/b", "Value": ""}]),
    ):
        with pytest.raises(ClientError, match="InvalidParameterValue"):
            refused()
    ec2.terminate_instances(InstanceIds=[made])


def test_the_credentials_of_an_instances_role_work(cloud: RunningCloud) -> None:
    iam, name = cloud.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    path = f"meta-data/iam/security-credentials/{name}"
    options = image_of_command(
        cloud, f'{sys.executable} -c "$ASK"', environment={"ASK": ASK, "PATHS": f"{path} meta-data/iam/info"}
    )
    [made] = run(cloud, **options, IamInstanceProfile={"Name": name})
    found = learned(cloud, made)
    given = json.loads(found[path])
    assert given["Code"] == "Success"
    assert name in json.loads(found["meta-data/iam/info"])["InstanceProfileArn"]
    await_state(cloud, made, "running")
    sts: Any = __import__("boto3").client(
        "sts",
        region_name="us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["Token"],
    )
    assert sts.get_caller_identity()["Arn"].endswith(f"assumed-role/{name}/{made}")
