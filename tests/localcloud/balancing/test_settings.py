"""What is set by attributes, actions and transforms is kept, described, and done by the balancer at once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, refused, weigh


def _set(bench: Bench, group: str, **values: str) -> dict[str, str]:
    attributes = [{"Key": key.replace("__", "."), "Value": value} for key, value in values.items()]
    bench.api.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
    described = bench.api.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    return {it["Key"]: it["Value"] for it in described}


def _ask(balancer: Balancer, cookies: dict[str, str] | None = None) -> httpx.Response:
    balancer.client.cookies.clear()
    said = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return balancer.get(headers={"cookie": said} if said else {})


def test_stickiness_begins_and_ends_with_its_attribute(bench: Bench) -> None:
    group = bench.group(*(bench.service(f"v{number}") for number in range(3)))
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    after = _set(bench, group, stickiness__enabled="true", stickiness__lb_cookie__duration_seconds="60")
    assert after["stickiness.lb_cookie.duration_seconds"] == "60"
    first = _ask(balancer)
    assert {_ask(balancer, dict(first.cookies)).text for _ in range(6)} == {first.text}
    leaving = next(it for it in bench.health(group) if _label(bench, it) == first.text)
    bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": leaving}])
    moved = _ask(balancer, dict(first.cookies))
    assert moved.text != first.text, "a target that drains lets its clients go"
    _set(bench, group, stickiness__enabled="false")
    assert not _ask(balancer, dict(moved.cookies)).cookies


def _label(bench: Bench, address: str) -> str:
    return httpx.get(f"http://{address}:8000/", trust_env=False).text


def test_clients_stay_with_a_target_group_by_weights_as_in_the_guide(bench: Bench) -> None:
    """AWS's example: weights 10 and 20, and stickiness for a while."""
    blue, green = bench.group(bench.service("blue")), bench.group(bench.service("green"))
    config: dict[str, Any] = {
        "TargetGroups": [{"TargetGroupArn": blue, "Weight": 10}, {"TargetGroupArn": green, "Weight": 20}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 1000},
    }
    balancer = bench.balancer([{"Type": "forward", "ForwardConfig": config}])
    bench.all_healthy(blue, green)
    described = bench.api.describe_listeners(ListenerArns=[balancer.listener])["Listeners"][0]
    assert described["DefaultActions"][0]["ForwardConfig"] == config
    answers = [_ask(balancer) for _ in range(60)]
    seen = [answer.text for answer in answers]
    assert 6 < seen.count("blue") < 36
    for answer in answers[:4]:
        assert {_ask(balancer, dict(answer.cookies)).text for _ in range(5)} == {answer.text}


def test_a_rule_with_transforms_and_expressions_is_described_as_it_was_made(bench: Bench) -> None:
    balancer = bench.balancer(fixed("default"))
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/api/(.*)$"]}}]
    transforms = [
        {
            "Type": "url-rewrite",
            "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/api/(.*)$", "Replace": "/$1"}]},
        }
    ]
    rule = bench.api.create_rule(
        ListenerArn=balancer.listener,
        Priority=1,
        Conditions=conditions,
        Actions=fixed("api"),
        Transforms=transforms,
    )["Rules"][0]
    assert (rule["Conditions"], rule["Transforms"]) == (conditions, transforms)
    assert balancer.get("/api/x?y").text == "api"
    assert balancer.get("/x").text == "default"
    after = bench.api.modify_rule(RuleArn=rule["RuleArn"], ResetTransforms=True)["Rules"][0]
    assert after["Transforms"] == []
    for regex, replacement in (("(", "x"), ("(?=a)", "x"), ("a", "$1"), ("a" * 1025, "x")):
        bad = {"Rewrites": [{"Regex": regex, "Replace": replacement}]}
        code, _ = refused(
            bench.api.modify_rule,
            RuleArn=rule["RuleArn"],
            Transforms=[{"Type": "url-rewrite", "UrlRewriteConfig": bad}],
        )
        assert code == "ValidationError"


def test_one_instance_or_address_may_be_a_target_at_several_ports(bench: Bench) -> None:
    service = bench.service("v1")
    group = bench.group(service)
    bench.api.register_targets(TargetGroupArn=group, Targets=[{"Id": service.address, "Port": 9}])
    bench.balancer(weigh({group: 1}))
    described = bench.api.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert sorted(it["Target"]["Port"] for it in described) == [9, 8000]
    bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": service.address, "Port": 9}])


def test_a_capacity_reservation_is_kept_and_reset(bench: Bench) -> None:
    balancer = bench.balancer()
    kept = bench.api.modify_capacity_reservation(
        LoadBalancerArn=balancer.arn, MinimumLoadBalancerCapacity={"CapacityUnits": 300}
    )
    assert kept["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 300}
    assert len(kept["CapacityReservationState"]) == 3
    bench.api.modify_capacity_reservation(LoadBalancerArn=balancer.arn, ResetCapacityReservation=True)
    described = bench.api.describe_capacity_reservation(LoadBalancerArn=balancer.arn)
    assert described["CapacityReservationState"] == []


def test_attributes_of_balancers_and_listeners_reach_the_balancer(bench: Bench) -> None:
    balancer = bench.balancer(fixed("x"))
    set_to = {
        "routing.http.response.strict_transport_security.header_value": "max-age=7",
        "routing.http.response.server.enabled": "false",
    }
    bench.api.modify_listener_attributes(
        ListenerArn=balancer.listener,
        Attributes=[{"Key": key, "Value": value} for key, value in set_to.items()],
    )
    answer = balancer.get()
    assert answer.headers["strict-transport-security"] == "max-age=7"
    assert "server" not in answer.headers
    for key, value, refusal in (
        ("client_keep_alive.seconds", "59", "ValidationError"),
        ("routing.http.xff_header_processing.mode", "drop", "ValidationError"),
        ("access_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
        ("load_balancing.cross_zone.enabled", "false", "ValidationError"),
    ):
        call = bench.api.modify_load_balancer_attributes
        attributes = [{"Key": key, "Value": value}]
        assert refused(call, LoadBalancerArn=balancer.arn, Attributes=attributes)[0] == refusal


@pytest.mark.parametrize("text", ["١٢٠", "1_20", " 120", "1e2", "nan", "1" * 5000])
def test_what_is_no_number_is_no_attribute_s_value(bench: Bench, text: str) -> None:
    code, _ = refused(
        bench.api.modify_load_balancer_attributes,
        LoadBalancerArn=bench.balancer().arn,
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": text}],
    )
    assert code == "ValidationError"
