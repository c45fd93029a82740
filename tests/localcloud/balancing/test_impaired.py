"""What Envoy does not take is taken back, and what it no longer takes is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.clock import SystemClock
from pavedroad.localcloud.api.host_link import HostLink, HostUnavailable
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
    most_rules = 100
    """Of a listener; what has more is refused."""

    answers = 100
    """How often it still does."""

    def route(self, revision: int, seconds: float) -> None:
        self.answers -= 1
        if self.answers < 0:
            raise HostUnavailable("The host process does not answer.")
        self.report()

    def report(self) -> None:
        refused = {
            arn: WHY
            for arn, front in self._fronts.items()
            if self.refuses or len(front.rules) > self.most_rules
        }
        self.actual.trouble({}, refused)


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


def test_what_envoy_refuses_is_taken_back_as_often_as_it_is_asked_for(shop: Shop) -> None:
    made = shop.rule(1)
    shop.link.most_rules = 2
    for _ in range(3):
        with pytest.raises(ServiceError, match=WHY):
            shop.rule(2)
    assert shop.rules() == 2
    assert shop.state() == {"Code": "active"}
    shop.link.most_rules = 100
    shop.call("DeleteRule", RuleArn=made)


def test_a_change_taken_back_that_envoy_has_yet_to_forget_excuses_no_other(shop: Shop) -> None:
    shop.link.most_rules, shop.link.answers = 1, 1
    for _ in range(2):
        with pytest.raises(ServiceError, match=WHY):
            shop.rule(1)
        assert shop.state()["Code"] == "active_impaired", "Envoy was not heard of since"
        shop.link.answers = 1
    shop.link.most_rules = shop.link.answers = 100
    shop.call("DeleteRule", RuleArn=shop.rule(1))
    assert shop.state() == {"Code": "active"}


@pytest.mark.parametrize("config", [("url-rewrite", "Url"), ("host-header-rewrite", "HostHeader")])
@pytest.mark.parametrize("replacement", ["a\nb", "\r", "\0"])
def test_a_replacement_has_what_a_header_may_have(
    shop: Shop, config: tuple[str, str], replacement: str
) -> None:
    kind, name = config
    rewrites = {"Rewrites": [{"Regex": "a", "Replace": replacement}]}
    with pytest.raises(ServiceError, match="no header may have") as refused:
        shop.call(
            "CreateRule",
            Priority=9,
            ListenerArn=shop.listener,
            Conditions=CONDITIONS,
            Actions=fixed("x"),
            Transforms=[{"Type": kind, f"{name}RewriteConfig": rewrites}],
        )
    assert refused.value.code == "ValidationError"


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
