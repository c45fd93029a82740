"""Services that are stored only, by boto3: what they were given is there after the process was killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pavedroad.localcloud.stored_services import REFUSED
from tests.localcloud.machines import run
from tests.localcloud.running import RunningCloud, running_cloud
from tests.waiting import eventually

_REGION = "eu-central-1"


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    """Given something of each service, and then killed once."""
    with running_cloud(tmp_path_factory.mktemp("stored") / "home") as running:
        for give in _GIVEN:
            give(running)
        api = running.part("api")
        api.kill()
        running.part("api", api)
        eventually(lambda: running.health["status"] == "ok", within=60)
        yield running


def refused(function: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        function(**arguments)
    said: Any = error.value.response
    return said["Error"]["Code"], said["Error"]["Message"]


def _give_parameters(cloud: RunningCloud) -> None:
    ssm = cloud.client("ssm", _REGION)
    for number in range(12):
        ssm.put_parameter(Name=f"/app/{number:02}", Value=f"value {number}", Type="String")
    ssm.put_parameter(Name="/app/secret", Value="hidden", Type="SecureString")
    ssm.put_parameter(Name="/app/00", Value="changed", Type="String", Overwrite=True)


def test_parameters(keeper: RunningCloud) -> None:
    ssm = keeper.client("ssm", _REGION)
    assert ssm.get_parameter(Name="/app/00")["Parameter"]["Value"] == "changed"
    assert ssm.get_parameter(Name="/app/00")["Parameter"]["Version"] == 2
    assert ssm.get_parameter(Name="/app/secret", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert ssm.get_parameter(Name="/app/secret")["Parameter"]["Value"] != "hidden"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/app")
    assert len([it for page in pages for it in page["Parameters"]]) == 13
    assert ssm.delete_parameters(Names=["/app/01", "/none"]) | {"ResponseMetadata": {}} == {
        "DeletedParameters": ["/app/01"],
        "InvalidParameters": ["/none"],
        "ResponseMetadata": {},
    }
    assert refused(ssm.get_parameter, Name="/app/01")[0] == "ParameterNotFound"


def test_public_parameters_name_images_that_are_here(keeper: RunningCloud) -> None:
    ssm, ec2 = keeper.client("ssm", _REGION), keeper.client("ec2", _REGION)
    below = "/aws/service/canonical/ubuntu/server"
    for name, machine, called in (
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "x86_64", "al2023-ami-*"),
        (f"{below}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", "x86_64", "ubuntu/images/*noble*"),
        (f"{below}/jammy/stable/current/arm64/hvm/ebs-gp2/ami-id", "arm64", "ubuntu/images/*jammy*"),
        ("/aws/service/debian/release/12/latest/amd64", "x86_64", "debian-12-*"),
    ):
        image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        [found] = ec2.describe_images(ImageIds=[image], Filters=[{"Name": "name", "Values": [called]}])[
            "Images"
        ]
        assert found["Architecture"] == machine
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/aws/service/ami-amazon-linux-latest")
    listed = [it["Value"] for page in pages for it in page["Parameters"]]
    assert len(listed) > 30
    assert len(ec2.describe_images(ImageIds=listed)["Images"]) == len(set(listed))
    regions = ssm.get_parameters_by_path(Path="/aws/service/global-infrastructure/regions")["Parameters"]
    assert all(it["Name"].startswith("/aws/service/global-infrastructure/regions/") for it in regions)
    own = [it["Name"] for it in ssm.describe_parameters(MaxResults=50)["Parameters"]]
    assert not [name for name in own if name.startswith("/aws/")]
    assert refused(ssm.get_parameter, Name="/aws/service/none")[0] == "ParameterNotFound"


@pytest.mark.parametrize("region", ["us-east-1", "mx-central-1", "ap-southeast-7"])
def test_an_instance_starts_from_a_public_parameter(cloud: RunningCloud, region: str) -> None:
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    image = cloud.client("ssm", region).get_parameter(Name=name)["Parameter"]["Value"]
    [owned] = cloud.client("ec2", region).describe_images(
        Owners=["099720109477"],
        Filters=[{"Name": "name", "Values": ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"]}],
    )["Images"]
    assert owned["ImageId"] == image
    [made] = run(cloud, region=region, ImageId=image)
    cloud.client("ec2", region).terminate_instances(InstanceIds=[made])


def _give_secrets(cloud: RunningCloud) -> None:
    secrets = cloud.client("secretsmanager", _REGION)
    secrets.create_secret(Name="database", SecretString="first")
    secrets.put_secret_value(SecretId="database", SecretString="second")


def test_secrets_which_no_log_has(keeper: RunningCloud) -> None:
    secrets = keeper.client("secretsmanager", _REGION)
    assert secrets.get_secret_value(SecretId="database")["SecretString"] == "second"
    before = secrets.get_secret_value(SecretId="database", VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == "first"
    secrets.update_secret(SecretId="database", SecretString="a-secret-that-is-logged-nowhere")
    assert "a-secret-that-is-logged-nowhere" not in keeper.log
    assert [it["Name"] for it in secrets.list_secrets()["SecretList"]] == ["database"]
    secrets.delete_secret(SecretId="database", ForceDeleteWithoutRecovery=True)
    assert refused(secrets.get_secret_value, SecretId="database")[0] == "ResourceNotFoundException"


def _give_keys(cloud: RunningCloud) -> None:
    kms = cloud.client("kms", _REGION)
    key = kms.create_key(Description="for data")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=key)
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/signing", TargetKeyId=signing)
    _cipher.append(kms.encrypt(KeyId="alias/data", Plaintext=b"plain")["CiphertextBlob"])
    _cipher.append(
        kms.sign(KeyId="alias/signing", Message=b"said", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    )


_cipher: list[bytes] = []


def test_keys_open_what_they_closed_and_know_what_they_signed(keeper: RunningCloud) -> None:
    kms = keeper.client("kms", _REGION)
    encrypted, signature = _cipher
    assert kms.decrypt(CiphertextBlob=encrypted)["Plaintext"] == b"plain"
    verified = kms.verify(
        KeyId="alias/signing", Message=b"said", Signature=signature, SigningAlgorithm="ECDSA_SHA_256"
    )
    assert verified["SignatureValid"]
    kms.delete_alias(AliasName="alias/data")
    assert refused(kms.describe_key, KeyId="alias/data")[0] == "NotFoundException"


def _give_items(cloud: RunningCloud) -> None:
    dynamodb = cloud.client("dynamodb", _REGION)
    dynamodb.create_table(
        TableName="things",
        KeySchema=[
            {"AttributeName": "kind", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "kind", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.batch_write_item(
        RequestItems={
            "things": [
                {"PutRequest": {"Item": {"kind": {"S": "a"}, "at": {"N": str(at)}, "b": {"B": b"\x00\xff"}}}}
                for at in range(20)
            ]
        }
    )


def test_tables(keeper: RunningCloud) -> None:
    dynamodb = keeper.client("dynamodb", _REGION)
    key = {"kind": {"S": "a"}, "at": {"N": "3"}}
    assert dynamodb.get_item(TableName="things", Key=key)["Item"] == {**key, "b": {"B": b"\x00\xff"}}
    asked: dict[str, Any] = {
        "TableName": "things",
        "KeyConditionExpression": "kind = :kind AND #at >= :first",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {":kind": {"S": "a"}, ":first": {"N": "5"}},
    }
    pages = dynamodb.get_paginator("query").paginate(**asked, PaginationConfig={"PageSize": 4})
    assert [it["at"]["N"] for page in pages for it in page["Items"]] == [str(at) for at in range(5, 20)]
    taken = refused(
        dynamodb.put_item, TableName="things", Item=key, ConditionExpression="attribute_not_exists(kind)"
    )
    assert taken[0] == "ConditionalCheckFailedException"
    dynamodb.delete_table(TableName="things")
    assert refused(dynamodb.describe_table, TableName="things")[0] == "ResourceNotFoundException"


def _give_events_of_logs(cloud: RunningCloud) -> None:
    logs = cloud.client("logs", _REGION)
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="one")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": f"line {number}"} for number in range(3)]
    logs.put_log_events(logGroupName="/app", logStreamName="one", logEvents=events)


def test_logs(keeper: RunningCloud) -> None:
    logs = keeper.client("logs", _REGION)
    events = logs.get_log_events(logGroupName="/app", logStreamName="one", startFromHead=True)["events"]
    assert [it["message"] for it in events] == ["line 0", "line 1", "line 2"]
    found = logs.filter_log_events(logGroupName="/app", filterPattern="line 1")["events"]
    assert [it["message"] for it in found] == ["line 1"]
    logs.put_retention_policy(logGroupName="/app", retentionInDays=7)
    [group] = logs.describe_log_groups(logGroupNamePrefix="/app")["logGroups"]
    assert group["retentionInDays"] == 7
    logs.delete_log_group(logGroupName="/app")
    assert refused(logs.get_log_events, logGroupName="/app", logStreamName="one")[0] == (
        "ResourceNotFoundException"
    )


def _give_records(cloud: RunningCloud) -> None:
    kinesis = cloud.client("kinesis", _REGION)
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.put_record(StreamName="clicks", Data=b"click", PartitionKey="p")


def test_streams(keeper: RunningCloud) -> None:
    kinesis = keeper.client("kinesis", _REGION)
    kinesis.put_record(StreamName="clicks", Data=b"later", PartitionKey="p")
    [shard] = kinesis.list_shards(StreamName="clicks")["Shards"]
    asked = {"StreamName": "clicks", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**asked)["ShardIterator"])
    assert [it["Data"] for it in records["Records"]] == [b"click", b"later"]
    kinesis.delete_stream(StreamName="clicks")
    assert kinesis.list_streams()["StreamNames"] == []


def _give_repositories(cloud: RunningCloud) -> None:
    cloud.client("ecr", _REGION).create_repository(repositoryName="app")
    groups = cloud.client("rds", _REGION)
    groups.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres16", Description="mine"
    )


def test_services_of_every_protocol(keeper: RunningCloud) -> None:
    """JSON, query, and REST in JSON and in XML."""
    [one] = keeper.client("ecr", _REGION).describe_repositories()["repositories"]
    assert one["repositoryName"] == "app"
    [group] = keeper.client("rds", _REGION).describe_db_parameter_groups(DBParameterGroupName="mine")[
        "DBParameterGroups"
    ]
    assert group["DBParameterGroupFamily"] == "postgres16"
    assert keeper.client("efs", _REGION).describe_file_systems()["FileSystems"] == []
    code, _ = refused(keeper.client("cloudfront").get_distribution, Id="none")
    assert code == "NoSuchDistribution"


_GIVEN = (
    _give_parameters,
    _give_secrets,
    _give_keys,
    _give_items,
    _give_events_of_logs,
    _give_records,
    _give_repositories,
)


def test_what_moto_lacks_of_a_service_is_refused_by_its_name(cloud: RunningCloud) -> None:
    code, message = refused(cloud.client("ssm").describe_sessions, State="Active")
    assert code == "UnknownOperationException"
    assert "does not offer DescribeSessions of Systems Manager" in message
    code, message = refused(cloud.client("rds").describe_pending_maintenance_actions)
    assert code == "InvalidAction"
    assert "DescribePendingMaintenanceActions of RDS" in message


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudformation", "list_stacks"),
        ("lambda", "list_functions"),
        ("apigateway", "get_rest_apis"),
        ("glue", "get_databases"),
    ],
)
def test_services_that_are_not_offered_say_why(cloud: RunningCloud, service: str, operation: str) -> None:
    code, message = refused(getattr(cloud.client(service), operation))
    assert code == "UnknownService"
    assert REFUSED[service] in message


_MADE = """
import sys
import pavedroad.localcloud.api.cloud
from pavedroad.localcloud.moto_adapter.stored.service import stored_services
from pavedroad.localcloud.state import State
from pavedroad.localcloud.stored_services import SERVED
assert len(stored_services(State())) > 100
print(*(it.moto for it in SERVED if f"moto.{it.moto}.responses" in sys.modules))
"""


def test_nothing_of_them_is_imported_before_the_first_call() -> None:
    made = subprocess.run([sys.executable, "-c", _MADE], capture_output=True, text=True, check=True)
    assert made.stdout.split() == []
