"""What a call costs does not depend on how many instances there are: it looks at its own and no others."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pavedroad.localcloud.moto_adapter.ec2_backend import ACCOUNT, LocalEC2Backend, backend
from pavedroad.localcloud.moto_adapter.ec2_census import Census
from tests.localcloud.moto_adapter.bench import Answer, Bench, filters

REGION = "eu-west-1"
MANY = 120
TABLES = ("by_id", "reservations", "volumes", "enis", "tags", "iam_instance_profile_associations")


class Table(OrderedDict[str, Any]):
    """A table that counts whoever goes through it."""

    visited = 0

    def __iter__(self) -> Iterator[str]:
        for key in super().__iter__():
            self.visited += 1
            yield key

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def copy(self) -> Any:
        return dict(self.items())

    def __missing__(self, key: str) -> dict[str, str]:
        self[key] = {}
        return self[key]


class Tables:
    def __init__(self, ec2: LocalEC2Backend) -> None:
        self._tables = {name: Table(getattr(ec2, name)) for name in TABLES}
        for name, table in self._tables.items():
            setattr(ec2, name, table)

    def visits(self) -> dict[str, int]:
        """By table since they were asked for before, of those that somebody went through."""
        found = {name: table.visited for name, table in self._tables.items() if table.visited}
        for table in self._tables.values():
            table.visited = 0
        return found


@pytest.fixture(scope="module")
def image(bench: Bench) -> str:
    return bench.ask("DescribeImages", filters(name="amzn2-ami-hvm-2.0.*-x86_64-gp2"), region=REGION).first(
        "imageId"
    )


@pytest.fixture
def ec2(bench: Bench, image: str) -> Iterator[LocalEC2Backend]:
    before = set(backend(ACCOUNT, REGION).by_id)
    made = run(bench, image, MinCount=str(MANY), MaxCount=str(MANY))
    assert made.status == 200, made.body
    ec2 = backend(ACCOUNT, REGION)
    ec2.census  # noqa: B018 - counted once, when somebody asks first
    own = {name: getattr(ec2, name) for name in TABLES}
    yield ec2
    for name, table in own.items():
        table.clear()
        table.update(getattr(ec2, name))
        setattr(ec2, name, table)
    for one in [one for one in ec2.by_id.values() if one.id not in before]:
        end(ec2, one.id)
    ec2.forget_instances(datetime.max.replace(tzinfo=UTC))


def run(bench: Bench, image: str, **more: object) -> Answer:
    one = {"MinCount": "1", "MaxCount": "1", "InstanceType": "t3.micro", "ImageId": image}
    return bench.ask("RunInstances", {**one, **more}, region=REGION)


def end(ec2: LocalEC2Backend, instance_id: str) -> None:
    """As its controller does once its guest is gone."""
    one = ec2.by_id[instance_id]
    now = datetime.now(UTC)
    one.life.terminate(now)
    if one.life.observe(None, now, settled=True, ends=False):
        one.take_down()


def test_a_call_of_one_instance_looks_at_no_other(bench: Bench, ec2: LocalEC2Backend, image: str) -> None:
    tables = Tables(ec2)
    instance = run(bench, image).first("instanceId")
    assert tables.visits() == {}
    zone = {"Placement.AvailabilityZone": f"{REGION}b", "TagSpecification.1.ResourceType": "volume"}
    tag = {"TagSpecification.1.Tag.1.Key": "a", "TagSpecification.1.Tag.1.Value": "b"}
    assert run(bench, image, **zone, **tag).status == 200
    assert tables.visits() == {}
    described = bench.ask("DescribeInstances", {"InstanceId.1": instance}, region=REGION)
    volume, interface = described.first("volumeId"), described.first("networkInterfaceId")
    named: list[tuple[str, dict[str, str]]] = [
        ("DescribeInstanceStatus", {"InstanceId.1": instance, "IncludeAllInstances": "true"}),
        ("DescribeVolumes", {"VolumeId.1": volume}),
        ("DescribeNetworkInterfaces", {"NetworkInterfaceId.1": interface}),
        ("CreateTags", {"ResourceId.1": interface, "Tag.1.Key": "a", "Tag.1.Value": "b"}),
        ("CreateTags", {"ResourceId.1": instance, "Tag.1.Key": "a", "Tag.1.Value": "b"}),
        ("ModifyNetworkInterfaceAttribute", {"NetworkInterfaceId": interface, "Description.Value": "c"}),
        ("RebootInstances", {"InstanceId.1": instance}),
        ("StopInstances", {"InstanceId.1": instance}),
        ("TerminateInstances", {"InstanceId.1": instance}),
    ]
    for action, form in named:
        answer = bench.ask(action, form, region=REGION)
        assert (action, answer.status, tables.visits()) == (action, 200, {})
    end(ec2, instance)
    ec2.forget_instances(datetime.min.replace(tzinfo=UTC))
    assert tables.visits() == {}
    assert instance in bench.ask("DescribeInstances", {"InstanceId.1": instance}, region=REGION).every(
        ".//instanceId"
    )


def test_a_launch_that_fails_on_the_way_leaves_nothing_and_looks_at_nothing_else(
    ec2: LocalEC2Backend, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, census = Tables(ec2), ec2.census
    before = (set(ec2.by_id), set(ec2.reservations), set(ec2.volumes), set(ec2.enis), census.alive)
    tables.visits()
    made = 0
    create = ec2.create_volume

    def fails_at_the_third(*args: Any, **kwargs: Any) -> Any:
        nonlocal made
        made += 1
        if made == 3:
            raise RuntimeError("no more")
        return create(*args, **kwargs)

    monkeypatch.setattr(ec2, "create_volume", fails_at_the_third)
    with pytest.raises(RuntimeError):
        launch(ec2, image, 5)
    # The last ones are found from the end.
    assert tables.visits() == {}
    monkeypatch.undo()
    after = (set(ec2.by_id), set(ec2.reservations), set(ec2.volumes), set(ec2.enis), census.alive)
    assert after == before


def launch(ec2: LocalEC2Backend, image: str, count: int) -> None:
    ec2.run_instances(
        image,
        count,
        None,
        [],
        instance_type="t3.micro",
        is_instance_type_default=False,
        placement=None,
        region_name=REGION,
        subnet_id=ec2.default_subnet_id(None),
        security_group_ids=[],
        nics=[],
        tags={},
    )


def test_the_census_is_what_counting_anew_gives_whatever_happens(ec2: LocalEC2Backend) -> None:
    now = datetime.now(UTC)
    pending = [one for one in ec2.by_id.values() if one.life.state == "pending"]
    ids, lives = [one.id for one in pending], [one.life for one in pending]
    lives[0].stop(ids[0], now)
    lives[1].terminate(now)
    lives[2].fail("the zone has failed", now, ends=True)
    lives[3].reclaim(now, stop=False)
    lives[4].stop(ids[4], now)
    lives[4].observe(None, now, settled=True, ends=False)
    lives[5].held = True
    lives[6].terminate(now)
    lives[6].observe(None, now, settled=True, ends=False)
    assert counts(ec2.census) == counts(anew(ec2))
    lives[4].start(ids[4])
    lives[5].release()
    ec2.forget_instances(datetime.max.replace(tzinfo=UTC))
    assert counts(ec2.census) == counts(anew(ec2))


def counts(census: Census) -> tuple[int, dict[str, int], list[int]]:
    zones = {zone: count for zone, count in census.by_zone.items() if count}
    markets = [census.vcpus("t3.micro", spot=spot) for spot in (False, True)]
    return census.alive, zones, markets


def anew(ec2: LocalEC2Backend) -> Census:
    kept = {one.id: one.life.watcher for one in ec2.by_id.values()}
    census = Census(ec2.by_id.values())
    for one in ec2.by_id.values():
        one.life.watcher = kept[one.id]
    return census


def test_a_forgotten_instance_is_freed_at_once(bench: Bench, ec2: LocalEC2Backend, image: str) -> None:
    """Without the garbage collector, from which what lives long is set apart."""
    instance = run(bench, image).first("instanceId")
    bench.ask("DescribeInstances", {"InstanceId.1": instance}, region=REGION)
    end(ec2, instance)
    freed = weakref.ref(ec2.by_id[instance])
    gc.collect()
    gc.disable()
    try:
        ec2.forget_instances(datetime.max.replace(tzinfo=UTC))
        assert freed() is None
    finally:
        gc.enable()
