"""What stored services are asked most, as AWS answers it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud


def _refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


def test_a_secret_is_what_a_rotation_has_made_current(cloud: RunningCloud) -> None:
    secrets = cloud.client("secretsmanager")
    old = secrets.create_secret(Name="rotated", SecretString="old")["VersionId"]
    new = secrets.put_secret_value(SecretId="rotated", SecretString="new", VersionStages=["AWSPENDING"])
    assert secrets.get_secret_value(SecretId="rotated")["SecretString"] == "old"
    secrets.update_secret_version_stage(
        SecretId="rotated",
        VersionStage="AWSCURRENT",
        MoveToVersionId=new["VersionId"],
        RemoveFromVersionId=old,
    )
    assert secrets.get_secret_value(SecretId="rotated")["SecretString"] == "new"
    before = secrets.get_secret_value(SecretId="rotated", VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == "old"
    secrets.put_secret_value(SecretId="rotated", SecretString="newest")
    assert secrets.get_secret_value(SecretId="rotated")["SecretString"] == "newest"
    before = secrets.get_secret_value(SecretId="rotated", VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == "new"


def test_keys_keep_to_their_state_use_and_identity(cloud: RunningCloud) -> None:
    kms = cloud.client("kms")
    key, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kept = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=kept, KeyId=key)["Plaintext"] == b"x"
    assert _refusal(partial(kms.decrypt, CiphertextBlob=kept, KeyId=other)) == "IncorrectKeyException"
    kms.disable_key(KeyId=key)
    for call in (
        partial(kms.encrypt, KeyId=key, Plaintext=b"x"),
        partial(kms.decrypt, CiphertextBlob=kept),
        partial(kms.generate_data_key, KeyId=key, KeySpec="AES_256"),
    ):
        assert _refusal(call) == "DisabledException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert _refusal(partial(kms.encrypt, KeyId=key, Plaintext=b"x")) == "KMSInvalidStateException"
    signer = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    how: dict[str, Any] = {"KeyId": signer, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(Message=b"m", **how)["Signature"]
    assert kms.verify(Message=b"m", Signature=signature, **how)["SignatureValid"]
    verify = partial(kms.verify, Message=b"n", Signature=signature, **how)
    assert _refusal(verify) == "KMSInvalidSignatureException"
    assert _refusal(partial(kms.encrypt, KeyId=signer, Plaintext=b"x")) == "InvalidKeyUsageException"


def test_logs_are_filtered_by_pattern_and_kept_for_days_that_there_are(cloud: RunningCloud) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="filtered")
    logs.create_log_stream(logGroupName="filtered", logStreamName="one")
    now, messages = int(time.time() * 1000), ["ERROR one", "WARN two", '{"level": "ERROR", "n": 7}']
    logs.put_log_events(
        logGroupName="filtered",
        logStreamName="one",
        logEvents=[{"timestamp": now, "message": it} for it in messages],
    )

    def found(pattern: str) -> list[str]:
        said = logs.filter_log_events(logGroupName="filtered", filterPattern=pattern)
        return [event["message"] for event in said["events"]]

    assert found("ERROR -one") == [messages[2]]
    assert found("?WARN ?one") == messages[:2]
    assert found("{ $.n > 6 }") == [messages[2]]
    assert _refusal(partial(found, "{ $.n >")) == "InvalidParameterException"
    odd = partial(logs.put_retention_policy, logGroupName="filtered", retentionInDays=2)
    assert _refusal(odd) == "InvalidParameterException"
    logs.put_retention_policy(logGroupName="filtered", retentionInDays=7)


def test_iam_deletes_nothing_that_is_in_use(cloud: RunningCloud) -> None:
    iam = cloud.client("iam")
    allowed = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    policy = iam.create_policy(PolicyName="used", PolicyDocument=allowed)["Policy"]["Arn"]
    iam.create_user(UserName="held")
    iam.create_group(GroupName="held")
    iam.attach_user_policy(UserName="held", PolicyArn=policy)
    iam.add_user_to_group(GroupName="held", UserName="held")
    key = iam.create_access_key(UserName="held")["AccessKey"]["AccessKeyId"]
    remove_user, remove_group = (
        partial(iam.delete_user, UserName="held"),
        partial(iam.delete_group, GroupName="held"),
    )
    remove_policy = partial(iam.delete_policy, PolicyArn=policy)
    for remove in (remove_user, remove_group, remove_policy):
        assert _refusal(remove) == "DeleteConflict"
    iam.detach_user_policy(UserName="held", PolicyArn=policy)
    assert _refusal(remove_user) == "DeleteConflict"
    iam.delete_access_key(UserName="held", AccessKeyId=key)
    iam.remove_user_from_group(GroupName="held", UserName="held")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=allowed)
    assert _refusal(remove_policy) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    for remove in (remove_user, remove_group, remove_policy):
        remove()
