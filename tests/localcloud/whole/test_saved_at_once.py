"""Whatever is on disk when an answer comes is what a kill -9 would leave: it is all that memory has.

Every changing operation that the cloud offers is called once by the scripts, or said to be impossible.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.coverage import Coverage, coverage
from tests.localcloud.api.alone import api_alone
from tests.localcloud.running import running_cloud
from tests.localcloud.whole.scripts import SCRIPTS
from tests.localcloud.whole.scripts.hook import hook
from tests.localcloud.whole.scripts.run import Caller, Moment, linked, rehearsed
from tests.localcloud.whole.scripts.saved import saved

QUICK = ("sqs", "iam", "s3", "cloudwatch")
NOT_DRIVEN = {
    "autoscaling": {
        "PutAccountSetting": "there is no setting yet: every name is refused",
    },
    "ec2": {
        "CreateVpcEndpointServiceConfiguration": "there are no balancers of networks or gateways to offer",
        "DeleteFleets": "only instant fleets are offered, and those are not kept",
        "DeleteVpcEndpointServiceConfigurations": "there are none",
        "ModifyEbsDefaultKmsKeyId": "it wants a key of KMS, which the script does not make",
        "ModifyVpcEndpointServiceConfiguration": "there are none",
        "ModifyVpcEndpointServicePermissions": "there are none",
    },
    "resourcegroupstaggingapi": {
        "TagResources": "it keeps nothing: tags are saved where what they are of is",
        "UntagResources": "it keeps nothing: tags are saved where what they are of is",
    },
    "route53": {
        "CreateQueryLoggingConfig": "it wants a log group, which the script does not make",
        "DeleteQueryLoggingConfig": "there are none",
    },
    "sqs": {"CancelMessageMoveTask": "no move takes longer than its call"},
    "sts": {
        "AssumeRoleWithSAML": "identity providers are not asked: refused",
        "AssumeRoleWithWebIdentity": "identity providers are not asked: refused",
    },
}
"""What changes something and cannot be called with success, by service, and why."""
NO_TRACE = {
    "OptInPhoneNumber": "no number is ever opted out",
    "PutMetricData": "datapoints have a journal of their own: tests/localcloud/monitoring/test_journal.py",
    "ResendValidationEmail": "no mail is sent",
    "SetIpAddressType": "there is only ipv4, which it is",
}
"""What leaves the saved state as it was, and why."""
GOES_ON = re.compile(
    r"^\[\]\.(groups\.full|groups\.there\.target_groups|activities|history|generation|alarms\.both"
    r"|alarms\.there\.(state|reason|updated_at|transitioned_at|acted_at|evaluat))"
)
MACHINES_GO_ON = re.compile(
    r"^\[\]\.(by_id|reservations|spot_|subnets|volumes|enis|captures|guest_images|amis\.[^.]+\.state)"
)
OF_MACHINES = re.compile("Instance|Spot|Fleet|Image")
"""Of lines, and of operations: what the controllers go on with between an answer and the next call."""


def changing(service: Coverage) -> set[str]:
    return {operation for operation in service.real | service.stored if not reads(operation)}


def driven(service: str) -> set[str]:
    return {
        step.operation
        for script in SCRIPTS.values()
        for step in script.steps
        if service == (step.service or script.service) and not reads(step.operation)
    }


@pytest.mark.parametrize("service", coverage(), ids=lambda it: it.service)
def test_every_changing_operation_is_driven_or_said_why_not(service: Coverage) -> None:
    there, listed = driven(service.service), NOT_DRIVEN.get(service.service, {}).keys()
    assert there | listed == changing(service)
    assert not there & listed


def wrongs(moments: list[Moment]) -> list[str]:
    """Which answers came before what they tell of was on disk; which calls have changed nothing."""
    wrong, traced, before = list[str](), set[str](), None
    for moment in moments:
        disk, memory = saved(moment.disk), saved(moment.memory)
        service, region = moment.script.service, moment.script.region
        if not reads(moment.step.operation):
            if before is None or disk.bodies(service) != before.bodies(service):
                traced.add(moment.step.operation)
            if disk.bodies(service) != memory.bodies(service):
                lines = differences(disk.lines(service, region), memory.lines(service, region))
                if OF_MACHINES.search(moment.step.operation):
                    lines = [it for it in lines if not MACHINES_GO_ON.match(it[1:])]
                wrong += [f"{service} {moment.step}: {it}" for it in lines]
        before = memory
    called = {it.step.operation for it in moments if not reads(it.step.operation)}
    return wrong + [f"{it} left no trace" for it in sorted(called - traced - NO_TRACE.keys())]


def differences(old: Iterable[str], new: Iterable[str]) -> list[str]:
    lines = difflib.unified_diff(list(old), list(new), n=0, lineterm="")
    changed = (it for it in lines if it[0] in "+-" and it[:3] not in ("+++", "---"))
    return [it for it in changed if not GOES_ON.match(it[1:])]


def test_what_is_acknowledged_is_on_disk_and_there_after_a_kill(tmp_path: Path) -> None:
    """A part of the scripts, without machines."""
    kept = tmp_path / "kept"
    kept.mkdir()
    with api_alone(tmp_path / "home") as api:
        api.start()
        moments = list(rehearsed(api, kept, {}, QUICK, 4))
        assert not (wrong := wrongs(moments)), "\n".join(wrong)
        api.kill()
        api.start()
        Caller(api).tick(SCRIPTS["s3"], 0)
        after = saved(linked(api, kept / "after"))
        for script in (SCRIPTS[name] for name in QUICK):
            before = saved(moments[-1].memory).lines(script.service, script.region)
            assert not differences(before, after.lines(script.service, script.region))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_operation_is_on_disk_when_it_is_answered(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with hook() as base, running_cloud(tmp_path / "home") as cloud:
        moments = list(rehearsed(cloud, kept, base, SCRIPTS, 1000))
    assert not (wrong := wrongs(moments)), "\n".join(wrong)
