"""Roles take AWS's own managed policies, which are there from the beginning and take no room in states."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud

MANAGED = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
OF_SERVICES = "arn:aws:iam::aws:policy/service-role/AutoScalingNotificationAccessRole"


def test_a_policy_of_aws_is_attached_and_is_there_after_a_restart(fresh_cloud: RunningCloud) -> None:
    iam = fresh_cloud.client("iam")
    role = uuid.uuid4().hex
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    for arn in (MANAGED, OF_SERVICES):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    listed = {it["Arn"]: it for page in pages for it in page["Policies"]}
    assert len(listed) > 1000
    assert listed[MANAGED]["AttachmentCount"] == 1
    before = iam.get_policy(PolicyArn=MANAGED)["Policy"]
    version = iam.get_policy_version(PolicyArn=MANAGED, VersionId=before["DefaultVersionId"])["PolicyVersion"]
    assert "ssm:UpdateInstanceInformation" in json.dumps(version["Document"])
    fresh_cloud.stop()
    saved = sum(it.stat().st_size for it in fresh_cloud.home.rglob("*") if it.is_file())
    assert saved < 1_000_000
    fresh_cloud.start()
    iam = fresh_cloud.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert sorted(it["PolicyArn"] for it in attached) == [MANAGED, OF_SERVICES]
    assert iam.get_policy(PolicyArn=MANAGED)["Policy"]["PolicyId"] == before["PolicyId"]
    for arn in (MANAGED, OF_SERVICES):
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.list_policies(OnlyAttached=True)["Policies"] == []


def test_what_is_not_of_aws_cannot_be_attached_and_what_is_cannot_be_changed(cloud: RunningCloud) -> None:
    iam = cloud.client("iam")
    user = uuid.uuid4().hex
    iam.create_user(UserName=user)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.attach_user_policy(UserName=user, PolicyArn=f"{MANAGED}Missing")
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.delete_policy(PolicyArn=MANAGED)
    iam.delete_user(UserName=user)
