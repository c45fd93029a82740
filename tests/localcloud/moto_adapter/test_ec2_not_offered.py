"""What this cloud cannot do is refused with AWS's codes, and never taken and then not done."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.moto_adapter import ec2_backend
from tests.localcloud.moto_adapter.bench import Bench


def one(bench: Bench, **more: str) -> dict[str, str]:
    image = next(
        it.id
        for it in ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").amis.values()
        if it.architecture == "x86_64"
    )
    return {"ImageId": image, "InstanceType": "m5.large", "MinCount": "1", "MaxCount": "1", **more}


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("EnclaveOptions.Enabled", "true", "UnsupportedOperation"),
        ("ElasticGpuSpecification.1.Type", "eg1.medium", "UnsupportedOperation"),
        ("ElasticInferenceAccelerator.1.Type", "eia1.medium", "UnsupportedOperation"),
        ("LicenseSpecification.1.LicenseConfigurationArn", "arn:aws:x", "UnsupportedOperation"),
        ("InstanceMarketOptions.MarketType", "capacity-block", "UnsupportedOperation"),
        ("PrivateDnsNameOptions.HostnameType", "resource-name", "UnsupportedOperation"),
        ("NetworkPerformanceOptions.BandwidthWeighting", "vpc-1", "UnsupportedOperation"),
        ("KernelId", "aki-0123456789abcdef0", "UnsupportedOperation"),
        ("RamdiskId", "ari-0123456789abcdef0", "UnsupportedOperation"),
        ("Ipv6AddressCount", "1", "UnsupportedOperation"),
        (
            "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId",
            "cr-0123456789abcdef0",
            "InvalidCapacityReservationId.NotFound",
        ),
        ("CreditSpecification.CpuCredits", "endless", "InvalidParameterValue"),
    ],
)
def test_a_launch_that_asks_for_what_there_is_not_is_refused(
    bench: Bench, option: str, value: str, code: str
) -> None:
    before = len(ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id)
    answer = bench.ask("RunInstances", one(bench) | {option: value})
    assert (answer.status, answer.code) == (400, code), answer.body
    assert len(ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id) == before


def test_no_instance_is_stopped_that_should_hibernate(bench: Bench) -> None:
    made = bench.ask("RunInstances", one(bench)).first("instanceId")
    answer = bench.ask("StopInstances", {"InstanceId.1": made, "Hibernate": "true"})
    assert (answer.status, answer.code) == (400, "UnsupportedHibernationConfiguration")
    assert ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id[made].life.state == "pending"
    for action in ("SendDiagnosticInterrupt", "CreateReplaceRootVolumeTask"):
        assert bench.ask(action, InstanceId=made).code == "UnsupportedOperation"
    bench.ask("TerminateInstances", {"InstanceId.1": made})
