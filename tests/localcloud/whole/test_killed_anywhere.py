"""The API process killed with -9 at any moment of any operation: nothing acknowledged is lost.

The calls are made from botocore's models: whatever takes a name of the caller's and shows it in some list,
and whatever takes such a thing away again. Which do is found out by calling all once, before any kill.
`PAVED_SEED` repeats a run's choices.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from pavedroad.localcloud.api.calls import reads
from tests.localcloud.api.alone import AloneApi, api_alone
from tests.localcloud.moto_adapter.generated import model_of, parameters
from tests.localcloud.released.rich import TRUST
from tests.waiting import eventually

SEED = int(os.environ.get("PAVED_SEED") or random.randrange(2**32))
THREADS = 4
MANNERS = (0, 1, 2, 3, 4, 5)
"""Of calling: with what is required (0, 1), with everything (2, 3), or with what fits of what there is
(4, 5); for something new where even, else onto what there is."""
KILLS = 25
ALL = ("sns", "sqs", "s3", "cloudwatch", "iam", "autoscaling", "ec2", "route53", "elbv2", "acm")
SLOW_READS = {"DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "GetAccountAuthorizationDetails"}
Json = dict[str, Any]


class Named(Mapping[str, Any]):
    """Parameters by name: those of what there is, and the token for whatever a caller names."""

    def __init__(self, there: Mapping[str, Any], token: str) -> None:
        self._there, self._token = there, token

    def __getitem__(self, name: str) -> Any:
        if name in self._there:
            return self._there[name]
        if name.endswith(("Name", "Description", "Reference")) or name in ("Key", "Value", "Bucket"):
            return self._token
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._there)

    def __len__(self) -> int:
        return len(self._there)


@dataclass(frozen=True, slots=True)
class Making:
    """An operation that makes a token appear in what `seen_by` reads, and perhaps one that takes it away."""

    service: str
    operation: str
    manner: int
    seen_by: str
    removal: str = ""


@dataclass(slots=True)
class Account:
    """What one round was told."""

    there: list[tuple[Making, str]] = field(default_factory=list[tuple[Making, str]])
    gone: list[tuple[Making, str]] = field(default_factory=list[tuple[Making, str]])


class Caller:
    """All services through boto3's clients, by the operations' own names."""

    def __init__(self, api: AloneApi) -> None:
        self._api = api
        self._clients: dict[str, Any] = {}
        self.there: Json = {}
        """What is given for parameters, by name."""
        self.inside: Json = {}
        """The same, for what is put into, or onto, something that there is."""

    def call(self, service: str, operation: str, made: Json) -> Json:
        client = self._clients.get(service)
        if client is None:
            client = self._clients[service] = self._api.client(service)
        return client._make_api_call(operation, made)

    def make(self, service: str, operation: str, token: str, manner: int) -> Json:
        shape = model_of(service).operation_model(operation).input_shape
        there = self.inside if manner % 2 else self.there
        made = parameters(shape, known=Named(there, token), everything=manner in (2, 3))
        if manner >= 4 and shape is not None:
            members: Any = shape.members
            made = {name: there[name] for name in members if name in there} | made
        return self.call(service, operation, made)

    def text(self, service: str, operation: str) -> str:
        """All of a list, as text; nothing where there is none."""
        asked = self.required(service, operation) or {}
        client = self._api.client(service)
        python = next(name for name, it in client.meta.method_to_api_mapping.items() if it == operation)
        with suppress(ClientError):
            if client.can_paginate(python):
                return str(list(client.get_paginator(python).paginate(**asked)))
            return str(self.call(service, operation, asked))
        return ""

    def required(self, service: str, operation: str) -> Json | None:
        """What it asks for; None where that is of nothing that there is."""
        shape: Any = model_of(service).operation_model(operation).input_shape
        names: list[str] = shape.required_members if shape else []
        return {name: self.inside[name] for name in names} if set(names) <= set(self.inside) else None

    def prepare(self) -> None:
        """Something for others to be put into, or onto."""
        iam, sns = self._api.client("iam"), self._api.client("sns")
        iam.create_role(RoleName="there", AssumeRolePolicyDocument=TRUST)
        ec2 = self._api.client("ec2")
        ec2.create_launch_template(
            LaunchTemplateName="there",
            LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.nano"},
        )
        self.there = {
            "AssumeRolePolicyDocument": TRUST,
            "PolicyDocument": TRUST,
            "AvailabilityZones": ["us-east-1a"],
            "LaunchTemplate": {"LaunchTemplateName": "there"},
            "MinSize": 0,
            "MaxSize": 0,
            "TopicArn": sns.create_topic(Name="there")["TopicArn"],
            "EvaluationPeriods": 1,
            "Period": 60,
            "Threshold": 1.0,
            "Statistic": "Sum",
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmRule": "TRUE",
            "VpcId": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
            "Resources": [ec2.describe_vpcs()["Vpcs"][0]["VpcId"]],
            "DashboardBody": '{"widgets": []}',
            "Attributes": {},
            "Path": "/",
            "Body": b"text",
        }
        iam.create_user(UserName="there")
        iam.create_group(GroupName="there")
        iam.create_instance_profile(InstanceProfileName="there")
        policy = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        self.there["PolicyDocument"] = document
        arn = iam.create_policy(PolicyName="there", PolicyDocument=document)["Policy"]["Arn"]
        queue = self._api.client("sqs").create_queue(QueueName="there")["QueueUrl"]
        self._api.client("s3").create_bucket(Bucket="there")
        self._api.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="there",
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": "there"},
        )
        instance = ec2.run_instances(ImageId="ami-12c6146b", InstanceType="t3.nano", MinCount=1, MaxCount=1)
        self.inside = {
            **self.there,
            "UserName": "there",
            "RoleName": "there",
            "GroupName": "there",
            "InstanceProfileName": "there",
            "AutoScalingGroupName": "there",
            "LaunchTemplateName": "there",
            "PolicyArn": arn,
            "QueueUrl": queue,
            "Bucket": "there",
            "InstanceId": instance["Instances"][0]["InstanceId"],
            "ResourceArn": self.there["TopicArn"],
            "PolicyType": "SimpleScaling",
            "ScalingAdjustment": 1,
            "AdjustmentType": "ChangeInCapacity",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            "DefaultResult": "CONTINUE",
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.nano",
            "Domain": "vpc",
            "Protocol": "HTTP",
            "Port": 80,
        }


def tried(caller: Caller, service: str) -> dict[str, tuple[str, str, int]]:
    """Each operation with tokens of its own, until it is answered: the tokens, and what they went to."""
    found: dict[str, tuple[str, str, int]] = {}
    for operation in model_of(service).operation_names:
        if reads(operation) or operation.startswith(("Delete", "Remove", "Terminate")):
            continue
        for manner in MANNERS:
            token = f"tk{service}{len(found)}x"
            found[token] = (service, operation, manner)
            try:
                caller.make(service, operation, token, manner)
            except (ClientError, BotoCoreError, ValueError, AttributeError):
                continue
            break
    return found


def makings(caller: Caller, services: tuple[str, ...]) -> list[Making]:
    """Found out by calling everything once."""
    tokens: dict[str, tuple[str, str, int]] = {}
    with ThreadPoolExecutor(len(services)) as pool:
        for found_of_one in pool.map(lambda service: tried(caller, service), services):
            tokens.update(found_of_one)
    lists: dict[tuple[str, str], str] = {}
    for service in services:
        for operation in model_of(service).operation_names:
            asked = caller.required(service, operation)
            if reads(operation) and operation not in SLOW_READS and asked is not None:
                try:
                    lists[service, operation] = caller.text(service, operation)
                except (ClientError, BotoCoreError):
                    continue
    found: list[Making] = []
    for token, (service, operation, manner) in tokens.items():
        seen = next((name for (of, name), text in lists.items() if of == service and token in text), "")
        if seen:
            making = Making(service, operation, manner, seen)
            if _adds(caller, making, token):
                found.append(_with_removal(caller, making, token))
    return found


def _adds(caller: Caller, making: Making, token: str) -> bool:
    """Whether a second one leaves the first."""
    with suppress(ClientError, BotoCoreError):
        caller.make(making.service, making.operation, f"{token}2x", making.manner)
    text = caller.text(making.service, making.seen_by)
    return token in text.replace(f"{token}2x", "") and f"{token}2x" in text


def _with_removal(caller: Caller, making: Making, token: str) -> Making:
    kind = making.operation.removeprefix("Create").removeprefix("Put")
    for removal in (f"Delete{kind}", f"Delete{kind}s"):
        if removal in model_of(making.service).operation_names:
            try:
                caller.make(making.service, removal, token, making.manner % 2)
            except (ClientError, BotoCoreError, ValueError, AttributeError):
                continue
            text = caller.text(making.service, making.seen_by).replace(f"{token}2x", "")
            if token not in text:
                return Making(making.service, making.operation, making.manner, making.seen_by, removal)
    return making


def deeds(caller: Caller, name: str, found: list[Making], account: Account, chance: random.Random) -> None:
    """One call after the other until there is nobody to call; what was answered is written down."""
    for number in range(10_000):
        making = chance.choice(found)
        token = f"tk{name}n{number}x"
        try:
            caller.make(making.service, making.operation, token, making.manner)
        except HTTPClientError:
            return
        except (ClientError, BotoCoreError):
            continue
        entry = (making, token)
        account.there.append(entry)
        if making.removal and chance.random() < 0.3:
            account.there.remove(entry)
            try:
                caller.make(making.service, making.removal, token, making.manner % 2)
            except HTTPClientError:
                return
            except (ClientError, BotoCoreError):
                continue
            account.gone.append(entry)


def round_of(api: AloneApi, known: Caller, found: list[Making], number: int) -> tuple[int, list[str]]:
    """How many answers there were, and what of them is not so after a kill."""
    accounts = [Account() for _ in range(THREADS)]
    threads = list[threading.Thread]()
    for place, account in enumerate(accounts):
        caller = Caller(api)
        caller.there, caller.inside = known.there, known.inside
        chance = random.Random(f"{SEED} {number} {place}")
        threads.append(
            threading.Thread(target=deeds, args=(caller, f"r{number}t{place}", found, account, chance))
        )
    for thread in threads:
        thread.start()
    eventually(lambda: sum(len(it.there) + len(it.gone) for it in accounts) > 30, within=60)
    threading.Event().wait(random.Random(f"{SEED} {number}").random() / 3)  # somewhere in the middle
    api.kill()
    api.listening.close()
    for thread in threads:
        thread.join()
    again = AloneApi(api.home)
    api.listening, api.port = again.listening, again.port
    api.start()
    caller = Caller(api)
    caller.there, caller.inside = known.there, known.inside
    texts = {key: caller.text(*key) for key in {(making.service, making.seen_by) for making in found}}
    wrong = [
        f"{making.service} {making.operation} {token} is lost"
        for account in accounts
        for making, token in account.there
        if token not in texts[making.service, making.seen_by]
    ]
    wrong += [
        f"{making.service} {making.removal} {token} is undone"
        for account in accounts
        for making, token in account.gone
        if token in texts[making.service, making.seen_by]
    ]
    return sum(len(it.there) + len(it.gone) for it in accounts), wrong


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_nothing_acknowledged_is_lost_at_any_moment(tmp_path: Path) -> None:
    with api_alone(tmp_path / "home") as api:
        api.start()
        caller = Caller(api)
        caller.prepare()
        found = makings(caller, ALL)
        print(*(f"{it.service} {it.operation} {it.removal}" for it in found), sep="\n")  # noqa: T201 - as below
        assert len(found) >= 25, found
        answered = 0
        for number in range(KILLS):
            count, wrong = round_of(api, caller, found, number)
            answered += count
            assert not wrong, f"PAVED_SEED={SEED}: {wrong}"
        removals = sum(1 for it in found if it.removal)
        print(f"{KILLS} kills, {len(found)} + {removals} operations, {answered} answers, 0 lost")  # noqa: T201 - with -s
