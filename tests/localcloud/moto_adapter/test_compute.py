"""EC2 as groups see it: prepared instances are stopped, started again, and told where they are going."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_outages
from pavedroad.localcloud.moto_adapter.compute import MotoCompute
from pavedroad.localcloud.moto_adapter.ec2_facts import facts_of, fingerprint_of
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from tests.localcloud.moto_adapter.bench import Bench, filters
from tests.localcloud.moto_adapter.test_ec2_launch import IMAGE, ONE


class NoRoom:
    """Nothing can be launched anywhere."""

    def zone_is_down(self, zone: str) -> bool:
        return False

    def launch_refusal(self, zone: str, instance_type: str) -> Exception | None:
        return ServiceError("InsufficientInstanceCapacity", f"No {instance_type} in {zone}.", 500)


@pytest.fixture
def one(bench: Bench) -> LocalInstance:
    image = bench.ask("DescribeImages", filters(name=IMAGE)).first("imageId")
    made = bench.ask("RunInstances", {**ONE, "ImageId": image}).first("instanceId")
    return ec2_backend.backend(ec2_backend.ACCOUNT, "us-east-1").by_id[made]


def test_it_is_stopped_and_started_with_its_id_and_address(one: LocalInstance) -> None:
    compute, address = MotoCompute(ec2_backend.ACCOUNT, "us-east-1"), facts_of(one).address
    compute.stop(one.id)
    with pytest.raises(ServiceError, match="IncorrectInstanceState"):
        compute.start(one.id)
    one.life.observe(None, datetime.now(UTC), settled=True, ends=False)
    stopped = compute.machine(one.id)
    assert stopped is not None
    assert stopped.state == "stopped"
    compute.start(one.id)
    assert (one.life.state, one.life.boot, facts_of(one).address) == ("pending", 2, address)


def test_it_is_not_started_where_nothing_can_be_launched(
    one: LocalInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = MotoCompute(ec2_backend.ACCOUNT, "us-east-1")
    compute.stop(one.id)
    one.life.observe(None, datetime.now(UTC), settled=True, ends=False)
    monkeypatch.setattr(ec2_outages, "_heeded", [NoRoom()])
    with pytest.raises(ServiceError, match="InsufficientInstanceCapacity"):
        compute.start(one.id)
    assert one.life.state == "stopped"


def test_where_it_is_going_is_part_of_its_metadata(one: LocalInstance) -> None:
    before = fingerprint_of(one)
    MotoCompute(ec2_backend.ACCOUNT, "us-east-1").show_target_state(one.id, "Terminated")
    assert fingerprint_of(one) != before
    assert facts_of(one).target_lifecycle_state == "Terminated"
