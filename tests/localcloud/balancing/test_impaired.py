"""What Envoy does not take is taken back, and what it no longer takes is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.clock import SystemClock
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.service import LoadBalancing
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.certificates import MotoCertificates
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from tests.localcloud.balancing.bench import Json, fixed
from tests.localcloud.moto_adapter.bench import Bench as Moto
from tests.localcloud.serving import ACCOUNT, REGION

WHY = "Envoy refused the rules"
CONDITIONS = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}]


class Link(HostLink):
    """A host that has all at once, and refuses the rules of every listener while `refuses`."""

    refuses = False

    def route(self, revision: int, seconds: float) -> None:
        self.report()

    def report(self) -> None:
        self.actual.trouble({}, dict.fromkeys(self._fronts, WHY) if self.refuses else {})


class Shop:
    def __init__(self, folder: Path) -> None:
        moto = Moto(folder)
        self.link = Link(folder / "no.sock")
        self._service = LoadBalancing(
            moto.state, MotoNetwork, self.link, SystemClock(), certificates=MotoCertificates
        )
        subnets = moto.ask("DescribeSubnets").every("subnetSet/item/subnetId")
        made = self.call("CreateLoadBalancer", Name="impaired", Subnets=subnets[:2])["LoadBalancers"][0]
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

    def rule(self, priority: int) -> str:
        asked = {"ListenerArn": self.listener, "Conditions": CONDITIONS, "Actions": fixed("x")}
        return self.call("CreateRule", Priority=priority, **asked)["Rules"][0]["RuleArn"]

    def rules(self) -> int:
        return len(self.call("DescribeRules", ListenerArn=self.listener)["Rules"])

    def state(self) -> Json:
        return self.call("DescribeLoadBalancers", LoadBalancerArns=[self.balancer])["LoadBalancers"][0][
            "State"
        ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("impaired"))


def test_a_rule_that_envoy_refuses_after_all_is_taken_back(shop: Shop) -> None:
    shop.link.refuses = True
    with pytest.raises(ServiceError, match=WHY) as refused:
        shop.rule(1)
    assert refused.value.code == "InvalidConfigurationRequest"
    assert shop.rules() == 1
    shop.link.refuses = False
    shop.link.report()
    shop.call("DeleteRule", RuleArn=shop.rule(1))


def test_a_balancer_that_does_not_serve_all_says_so_and_can_be_mended(shop: Shop) -> None:
    made = [shop.rule(1), shop.rule(2)]
    assert shop.state() == {"Code": "active"}
    shop.link.refuses = True
    shop.link.report()
    assert shop.state() == {"Code": "active_impaired", "Reason": WHY}
    shop.call("DeleteRule", RuleArn=made[0])
    assert shop.rules() == 2, "it was impaired before"
    shop.link.refuses = False
    shop.call("DeleteRule", RuleArn=made[1])
    assert shop.state() == {"Code": "active"}
