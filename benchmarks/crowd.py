"""A hundred thousand of EC2's instances in this process, and a host that says of each that it runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend, backend
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_limits import room_for
from pavedroad.localcloud.moto_adapter.ec2_responses import describe_instances
from pavedroad.localcloud.wanted import Guest, GuestStatus

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
ACCOUNT = "123456789012"
TURNS = 100
_SUBNETS = 13


class EveryGuestRuns:
    """The host, by its word alone."""

    def __init__(self) -> None:
        self._said: dict[str, GuestStatus] = {}

    def guest(self, guest_id: str) -> GuestStatus | None:
        return self._said.get(guest_id)

    def want_guests(self, guests: dict[str, Guest | None]) -> int:
        for name, guest in guests.items():
            if guest is None:
                self._said.pop(name, None)
            else:
                self._said[name] = GuestStatus(name, guest.boot, "running", 1, 1.0, None, None, "")
        return 1

    def taken(self, revision: int) -> bool:
        return True


class Instances:
    """Of moto's EC2, in three regions; there are ever more of them."""

    def __init__(self) -> None:
        self._subnets = {region: self._cut(backend(ACCOUNT, region)) for region in REGIONS}

    @staticmethod
    def _cut(ec2: LocalEC2Backend) -> list[str]:
        """Subnets for so many: the default ones are too small."""
        vpc = ec2.get_default_vpc()
        assert vpc is not None
        base = vpc.cidr_block.removesuffix(".0.0/16")
        zones = [zone.name for zone in ec2.describe_availability_zones()]
        return [
            ec2.create_subnet(vpc.id, f"{base}.{number * 16}.0/20", zones[number % 3]).id
            for number in range(3, 3 + _SUBNETS)
        ]

    def grow(self, count: int) -> None:
        alive = sum(1 for _ in MotoFleet().instances())
        while alive < count:
            size = min(100, count - alive)
            self._launch(REGIONS[alive // 100 % 3], alive // 300 % _SUBNETS, size)
            alive += size

    def come_and_go(self) -> None:
        """Launches of one instance, each ended and forgotten at once."""
        for turn in range(TURNS):
            region = REGIONS[turn % 3]
            ec2, now = backend(ACCOUNT, region), datetime.now(UTC)
            room_for(ec2, 1, instance_type="t3.nano")
            [made] = self._launch(region, turn % _SUBNETS, 1)
            ec2.describe_volumes([it.volume_id for it in made.block_device_mapping.values()])
            made.life.terminate(now)
            made.life.observe(None, now, settled=True, ends=True)
            made.take_down()

    def _launch(self, region: str, subnet: int, size: int) -> list[LocalInstance]:
        ec2 = backend(ACCOUNT, region)
        made = ec2.run_instances(
            next(iter(ec2.amis)),
            size,
            None,
            [],
            instance_type="t3.nano",
            is_instance_type_default=False,
            placement=None,
            region_name=region,
            subnet_id=self._subnets[region][subnet],
            key_name=None,
            security_group_ids=[],
            nics=[],
            associate_public_ip=None,
            tags={"instance": {"Name": "one"}},
            client_token="",
            instance_market_options={},
            monitoring_state="enabled",
            metadata_options={},
            ebs_optimized=False,
        )
        return made.instances  # pyright: ignore[reportReturnType]


def describing() -> Callable[[], object]:
    """DescribeInstances of one, again and again."""
    ec2 = backend(ACCOUNT, REGIONS[0])
    names = list(ec2.by_id)[:: max(1, len(ec2.by_id) // TURNS)]

    def look() -> None:
        for turn in range(TURNS):
            describe_instances(ec2, {"InstanceId.1": names[turn % len(names)]}, "request")

    return look
