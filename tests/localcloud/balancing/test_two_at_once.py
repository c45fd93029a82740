"""Of two changes to one listener at once the one that Envoy takes stands, and the other one is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pavedroad.core.clock import SystemClock
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.service import LoadBalancing
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.certificates import MotoCertificates
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from tests.localcloud.balancing.bench import Json, fixed
from tests.localcloud.host.machine import Machine
from tests.localcloud.moto_adapter.bench import Bench as Moto
from tests.localcloud.moto_adapter.bench import filters
from tests.localcloud.serving import ACCOUNT, REGION

ROUNDS = 8


class Shop:
    """A listener of a real Envoy's, whose service lets addresses pass that Envoy refuses."""

    def __init__(self, folder: Path) -> None:
        moto = Moto(folder)
        self._machine = Machine(folder / "host")
        self._link = HostLink(self._machine.socket)
        self._service = LoadBalancing(
            moto.state, MotoNetwork, self._link, SystemClock(), certificates=MotoCertificates
        )
        self._link.start()
        subnets = moto.ask("DescribeSubnets", filters(default_for_az="true")).every("subnetSet/item/subnetId")
        name = f"at-once-{random.getrandbits(32):x}"
        made = self.call("CreateLoadBalancer", Name=name, Subnets=subnets[:2])["LoadBalancers"][0]
        self.balancer: str = made["LoadBalancerArn"]
        self.listener: str = self.call(
            "CreateListener",
            LoadBalancerArn=self.balancer,
            Protocol="HTTP",
            Port=8080,
            DefaultActions=fixed("default"),
        )["Listeners"][0]["ListenerArn"]

    def call(self, action: str, **parameters: Any) -> Json:
        return self._service.call(ACCOUNT, REGION, action, parameters)

    def rule(self, priority: int, *, good: bool) -> str:
        """Its error, if it is refused."""
        config = {"PathPatternConfig": {"Values": [f"/{priority}"]}}
        field = "path-pattern"
        if not good:
            field, config = "source-ip", {"SourceIpConfig": {"Values": [f"no address {priority}/8"]}}
        asked = {"ListenerArn": self.listener, "Actions": fixed(f"rule {priority}")}
        try:
            self.call("CreateRule", Priority=priority, Conditions=[{"Field": field, **config}], **asked)
        except ServiceError as error:
            return f"{error.code}: {error}"
        return ""

    def priorities(self) -> set[str]:
        return {it["Priority"] for it in self.call("DescribeRules", ListenerArn=self.listener)["Rules"]}

    def state(self) -> Json:
        described = self.call("DescribeLoadBalancers", LoadBalancerArns=[self.balancer])
        return described["LoadBalancers"][0]["State"]

    def get(self, path: str) -> str:
        front = self._link._fronts[self.listener]  # pyright: ignore[reportPrivateUsage]
        return httpx.get(f"http://{front.address}:{front.port}{path}").text

    def close(self) -> None:
        self._link.close()
        self._machine.close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr("pavedroad.localcloud.balancing.conditions._check", lambda *_: None)
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_a_good_change_stands_whatever_becomes_of_others_beside_it(shop: Shop) -> None:
    expected = {"default"}
    with ThreadPoolExecutor(4) as pool:
        for number in range(1, ROUNDS * 4, 4):
            wishes = {number: True, number + 1: False, number + 2: True, number + 3: False}
            asked = {
                priority: pool.submit(shop.rule, priority, good=good) for priority, good in wishes.items()
            }
            said = {priority: it.result() for priority, it in asked.items()}
            for priority, good in wishes.items():
                assert bool(said[priority]) != good, said
            expected |= {str(priority) for priority, good in wishes.items() if good}
            assert shop.priorities() == expected
    assert shop.state() == {"Code": "active"}
    assert [shop.get(f"/{it}") for it in ("1", "2", "3")] == ["rule 1", "default", "rule 3"]
