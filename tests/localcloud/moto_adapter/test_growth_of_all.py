"""What is asked again and again makes the saved state no larger, but for what makes a new thing each time."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pavedroad.localcloud.coverage import coverage
from pavedroad.localcloud.moto_adapter.forgetting import forget
from pavedroad.localcloud.moto_adapter.snapshot import MotoState
from tests.localcloud.asking.asking import UNDOES, Asking, order, turn
from tests.localcloud.asking.preconditions import NOT_ANSWERED, prepare
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.everything import Everything, everything

TIMES = 6
ALLOWED = 60
"""Bytes that sizes differ by themselves, as numbers and times have more digits or fewer."""
GROWS: dict[str, str] = {
    "it makes one more": """
        acm.ImportCertificate acm.RequestCertificate ec2.AllocateAddress ec2.AssignPrivateIpAddresses
        ec2.CopySnapshot ec2.CreateCarrierGateway ec2.CreateDhcpOptions ec2.CreateEgressOnlyInternetGateway
        ec2.CreateFleet ec2.CreateInternetGateway ec2.CreateLaunchTemplateVersion ec2.CreateManagedPrefixList
        ec2.CreateNetworkAcl ec2.CreateNetworkInterface ec2.CreateRouteTable
        ec2.CreateSnapshot ec2.CreateSnapshots ec2.CreateTrafficMirrorFilter ec2.CreateTrafficMirrorSession
        ec2.CreateTrafficMirrorTarget ec2.CreateTransitGateway ec2.CreateTransitGatewayPeeringAttachment
        ec2.CreateTransitGatewayRouteTable ec2.CreateVolume ec2.CreateVpc ec2.CreateVpcEndpoint
        ec2.CreateVpcPeeringConnection ec2.CreateVpnConnection ec2.CreateVpnGateway ec2.RequestSpotFleet
        ec2.RequestSpotInstances ec2.RunInstances iam.CreatePolicyVersion s3.CreateMultipartUpload
        sqs.SendMessage sqs.SendMessageBatch""",
    "its bucket keeps all versions": "s3.CopyObject s3.DeleteObject s3.DeleteObjects s3.PutObject",
    "the alarm's history has it": """
        cloudwatch.PutCompositeAlarm cloudwatch.PutMetricAlarm cloudwatch.SetAlarmState""",
    "the last ten are told of": "sqs.StartMessageMoveTask",
    "a message says who received it": "sqs.ReceiveMessage",
    "AWS refuses it, or answers with what is there": """
        iam.UploadSSHPublicKey iam.UploadServerCertificate route53.CreateHealthCheck
        route53.CreateHostedZone route53.CreateReusableDelegationSet""",
}
"""Why each call adds something, and the operations."""


def size(cloud: Everything, service: str) -> int:
    """Of what is still there two days later."""
    forget(datetime.now(UTC) + timedelta(days=2))
    own: dict[str, Any] = {
        "autoscaling": cloud.scaling,
        "cloudwatch": cloud.monitoring,
        "elb": cloud.classic,
        "elbv2": cloud.balancing,
        "s3": cloud.objects,
        "sqs": cloud.queues,
    }
    if service in own:
        return len(own[service].form.encode(own[service].dump()))
    return len(MotoState.form.encode({service: MotoState().dump()[service]}))


def grown(cloud: Everything) -> dict[str, int]:
    """Bytes a call, by service and operation."""
    served = {(it.service, operation) for it in coverage() for operation in it.real | it.stored}
    found: dict[str, int] = {}
    asking = Asking(cloud.call)
    asking.learn("", prepare(cloud.call))
    ordered = sorted(served - NOT_ANSWERED, key=lambda it: (turn(it[1]) == UNDOES, order(it[1]), it[0]))
    for service, operation in ordered:
        if asking.ask(service, operation) is None:
            continue
        made = asking.answered[service, operation]

        def again(times: int) -> None:
            for _ in range(times):
                with suppress(ClientError):
                    cloud.call(service, operation, made)  # noqa: B023 - called before the next is there

        again(2)
        before = size(cloud, service)
        again(TIMES)
        if (more := size(cloud, service) - before) > ALLOWED:
            found[f"{service}.{operation}"] = more // TIMES
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_asked_again_and_again(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    known = {name for names in GROWS.values() for name in names.split()}
    with everything(bench, tmp_path) as cloud:
        found = grown(cloud)
    assert {name: found.get(name, 0) for name in found.keys() ^ known} == {}
