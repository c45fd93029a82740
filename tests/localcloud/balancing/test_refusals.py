"""What is refused, with AWS's own codes, and changes nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.localcloud.balancing.bench import Bench, fixed, refused, weigh
from tests.localcloud.signing import by

_ABSENT = "arn:aws:elasticloadbalancing:us-east-1:123456789012:{}/app/no/0123456789abcdef"
_NO_BALANCER = _ABSENT.format("loadbalancer")
_NO_LISTENER = _ABSENT.format("listener") + "/0123456789abcdef"
_NO_RULE = _ABSENT.format("listener-rule") + "/0123456789abcdef/0123456789abcdef"
_NO_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/no/0123456789abcdef"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_load_balancers", {"LoadBalancerArns": [_NO_BALANCER]}, "LoadBalancerNotFound"),
        ("describe_load_balancers", {"Names": ["no-such-thing"]}, "LoadBalancerNotFound"),
        ("describe_load_balancers", {"LoadBalancerArns": ["nonsense"]}, "ValidationError"),
        ("describe_load_balancers", {"Marker": "%%%"}, "ValidationError"),
        ("describe_listeners", {"ListenerArns": [_NO_LISTENER]}, "ListenerNotFound"),
        ("describe_listeners", {}, "ValidationError"),
        ("describe_rules", {"RuleArns": [_NO_RULE]}, "RuleNotFound"),
        ("describe_target_groups", {"Names": ["no-such-thing"]}, "TargetGroupNotFound"),
        ("describe_target_health", {"TargetGroupArn": _NO_GROUP}, "TargetGroupNotFound"),
        (
            "register_targets",
            {"TargetGroupArn": _NO_GROUP, "Targets": [{"Id": "i-1"}]},
            "TargetGroupNotFound",
        ),
        ("delete_listener", {"ListenerArn": _NO_LISTENER}, "ListenerNotFound"),
        ("delete_rule", {"RuleArn": _NO_RULE}, "RuleNotFound"),
        ("modify_listener", {"ListenerArn": _NO_LISTENER, "Port": 81}, "ListenerNotFound"),
        ("create_load_balancer", {"Name": "no_underscores", "Subnets": ["a"]}, "ValidationError"),
        ("create_load_balancer", {"Name": "-edge", "Subnets": ["a"]}, "ValidationError"),
        ("create_load_balancer", {"Name": "x" * 33, "Subnets": ["a"]}, "ValidationError"),
        ("create_load_balancer", {"Name": "internal-x", "Subnets": ["a"]}, "ValidationError"),
        ("create_load_balancer", {"Name": "x"}, "ValidationError"),
        ("create_load_balancer", {"Name": "x", "Subnets": ["subnet-1"]}, "SubnetNotFound"),
        ("create_load_balancer", {"Name": "x", "Type": "gateway"}, "InvalidConfigurationRequest"),
        ("create_target_group", {"Name": "x", "Protocol": "HTTP"}, "ValidationError"),
        ("create_target_group", {"Name": "x", "Protocol": "TCP", "Port": 1, "VpcId": "v"}, "ValidationError"),
        ("create_target_group", {"Name": "x", "Protocol": "UDP", "Port": 1}, "InvalidConfigurationRequest"),
        ("create_target_group", {"Name": "x", "Protocol": "HTTP", "Port": 1}, "ValidationError"),
        ("create_target_group", {"Name": "x", "TargetType": "lambda"}, "InvalidConfigurationRequest"),
        ("describe_tags", {"ResourceArns": [_NO_BALANCER]}, "LoadBalancerNotFound"),
        ("add_tags", {"ResourceArns": [_NO_GROUP], "Tags": [{"Key": "a"}]}, "TargetGroupNotFound"),
        ("set_rule_priorities", {"RulePriorities": [{"RuleArn": _NO_RULE, "Priority": 1}]}, "RuleNotFound"),
        ("describe_trust_stores", {}, "UnsupportedOperation"),
        (
            "create_trust_store",
            {"Name": "x", "CaCertificatesBundleS3Bucket": "b", "CaCertificatesBundleS3Key": "k"},
            "UnsupportedOperation",
        ),
        ("modify_ip_pools", {"LoadBalancerArn": _NO_BALANCER}, "UnsupportedOperation"),
        ("describe_capacity_reservation", {"LoadBalancerArn": _NO_BALANCER}, "LoadBalancerNotFound"),
        ("describe_ssl_policies", {"Names": ["none"]}, "SSLPolicyNotFound"),
        ("create_load_balancer", {"Name": "x", "Subnets": ["a"], "Scheme": "public"}, "ValidationError"),
        ("create_target_group", {"Name": "x", "Protocol": "SMTP"}, "ValidationError"),
        ("create_target_group", {"Name": "x", "Port": 65_536}, "ValidationError"),
        ("describe_load_balancers", {"PageSize": 401}, "ValidationError"),
    ],
)
def test_what_is_unknown_or_invalid_is_refused_with_the_code_of_aws(
    bench: Bench, operation: str, parameters: dict[str, Any], code: str
) -> None:
    found, message = refused(getattr(bench.api, operation), **parameters)
    assert found == code
    assert message


_FORWARD_NOWHERE = [{"Type": "forward", "TargetGroupArn": _NO_GROUP}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Protocol": "TCP"}, "ValidationError"),
        ({"Protocol": "HTTPS"}, "CertificateNotFound"),
        ({"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:x"}]}, "CertificateNotFound"),
        ({"Certificates": [{"CertificateArn": "arn:x"}]}, "ValidationError"),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, "ValidationError"),
        ({"Protocol": "HTTPS", "MutualAuthentication": {"Mode": "verify"}}, "InvalidConfigurationRequest"),
        ({"DefaultActions": _FORWARD_NOWHERE}, "TargetGroupNotFound"),
        ({"DefaultActions": [{"Type": "forward"}]}, "ValidationError"),
        ({"DefaultActions": [{"Type": "redirect"}]}, "ValidationError"),
        (
            {"DefaultActions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]},
            "InvalidLoadBalancerAction",
        ),
        ({"DefaultActions": fixed("x", 302)}, "ValidationError"),
        (
            {
                "DefaultActions": [
                    {
                        "Type": "fixed-response",
                        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "image/png"},
                    }
                ]
            },
            "InvalidLoadBalancerAction",
        ),
        ({"DefaultActions": fixed("x") + fixed("y")}, "InvalidLoadBalancerAction"),
        (
            {"DefaultActions": [{"Type": "authenticate-cognito", "Order": 1}, *fixed("x")]},
            "InvalidConfigurationRequest",
        ),
    ],
)
def test_a_listener_that_makes_no_sense_is_not_made(bench: Bench, changes: dict[str, Any], code: str) -> None:
    balancer = bench.balancer()
    asked = {
        "LoadBalancerArn": balancer.arn,
        "Protocol": "HTTP",
        "Port": 8080,
        "DefaultActions": fixed("x"),
        **changes,
    }
    assert refused(bench.api.create_listener, **asked)[0] == code
    assert bench.api.describe_listeners(LoadBalancerArn=balancer.arn)["Listeners"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Priority": 10}, "PriorityInUse"),
        ({"Priority": 50_001}, "ValidationError"),
        ({"Conditions": []}, "ValidationError"),
        ({"Conditions": [{"Field": "weather", "Values": ["rain"]}]}, "ValidationError"),
        ({"Conditions": [{"Field": "path-pattern", "Values": []}]}, "ValidationError"),
        ({"Conditions": [{"Field": "path-pattern", "Values": list("abcdef")}]}, "ValidationError"),
        ({"Conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["here"]}}]}, "ValidationError"),
        ({"Conditions": [{"Field": "path-pattern", "Values": ["/a"]}] * 2}, "ValidationError"),
        ({"Actions": []}, "ValidationError"),
    ],
)
def test_a_rule_that_makes_no_sense_is_not_made(bench: Bench, changes: dict[str, Any], code: str) -> None:
    balancer = bench.balancer(fixed("x"))
    bench.rule(balancer, 10, [{"Field": "path-pattern", "Values": ["/a"]}], fixed("a"))
    asked = {
        "ListenerArn": balancer.listener,
        "Priority": 11,
        "Conditions": [{"Field": "path-pattern", "Values": ["/b"]}],
        "Actions": fixed("b"),
        **changes,
    }
    assert refused(bench.api.create_rule, **asked)[0] == code
    assert len(bench.api.describe_rules(ListenerArn=balancer.listener)["Rules"]) == 2


def test_the_default_rule_cannot_be_modified_moved_or_deleted_by_itself(bench: Bench) -> None:
    balancer = bench.balancer(fixed("x"))
    rule: str = bench.api.describe_rules(ListenerArn=balancer.listener)["Rules"][0]["RuleArn"]
    calls = [
        (bench.api.delete_rule, {"RuleArn": rule}),
        (bench.api.modify_rule, {"RuleArn": rule, "Actions": fixed("y")}),
        (bench.api.set_rule_priorities, {"RulePriorities": [{"RuleArn": rule, "Priority": 1}]}),
    ]
    for call, parameters in calls:
        assert refused(call, **parameters)[0] == "OperationNotPermitted"
    assert balancer.get().text == "x"


def test_a_target_group_in_use_or_of_another_balancer_is_protected(bench: Bench) -> None:
    group = bench.group()
    bench.balancer(weigh({group: 1}))
    assert refused(bench.api.delete_target_group, TargetGroupArn=group)[0] == "ResourceInUse"
    other = bench.balancer()
    code, _ = refused(
        bench.api.create_listener,
        LoadBalancerArn=other.arn,
        Protocol="HTTP",
        Port=8080,
        DefaultActions=weigh({group: 1}),
    )
    assert code == "TargetGroupAssociationLimit"


def test_deletion_protection_holds_until_it_is_lifted(bench: Bench) -> None:
    balancer = bench.balancer(fixed("x"))
    key = "deletion_protection.enabled"
    for value in ("true", "false"):
        attributes = [{"Key": key, "Value": value}]
        bench.api.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=attributes)
        if value == "true":
            call = bench.api.delete_load_balancer
            assert refused(call, LoadBalancerArn=balancer.arn)[0] == "OperationNotPermitted"
            assert balancer.get().text == "x"


_FAIL_OPEN = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"


def test_attributes_that_are_unknown_out_of_range_or_not_kept_are_refused(bench: Bench) -> None:
    group = bench.group()
    for key, value, code in [
        ("no.such.key", "1", "ValidationError"),
        ("deregistration_delay.timeout_seconds", "3601", "ValidationError"),
        ("deregistration_delay.timeout_seconds", "soon", "ValidationError"),
        ("slow_start.duration_seconds", "29", "ValidationError"),
        ("slow_start.duration_seconds", "901", "ValidationError"),
        ("stickiness.type", "source_ip", "ValidationError"),
        ("stickiness.app_cookie.cookie_name", "AWSALBTG", "ValidationError"),
        ("stickiness.lb_cookie.duration_seconds", "604801", "ValidationError"),
        ("load_balancing.algorithm.type", "least", "ValidationError"),
        ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "101", "ValidationError"),
        (
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
            "off",
            "ValidationError",
        ),
    ]:
        found, message = refused(
            bench.api.modify_target_group_attributes,
            TargetGroupArn=group,
            Attributes=[{"Key": key, "Value": value}],
        )
        assert (found, key in message) == (code, True)


@pytest.mark.parametrize(
    "together",
    [
        {"load_balancing.algorithm.type": "least_outstanding_requests", "slow_start.duration_seconds": "30"},
        {"load_balancing.algorithm.anomaly_mitigation": "on"},
        {"load_balancing.algorithm.type": "weighted_random", "stickiness.enabled": "true"},
        {"load_balancing.cross_zone.enabled": "false", "stickiness.enabled": "true"},
        {"stickiness.enabled": "true", "stickiness.type": "app_cookie"},
    ],
    ids=lambda given: " ".join(key.rpartition(".")[0] for key in given),
)
def test_attributes_that_do_not_go_together_are_refused(bench: Bench, together: dict[str, str]) -> None:
    group = bench.group()
    before = bench.api.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    attributes = [{"Key": key, "Value": value} for key, value in together.items()]
    code, _ = refused(bench.api.modify_target_group_attributes, TargetGroupArn=group, Attributes=attributes)
    assert code == "InvalidConfigurationRequest"
    assert bench.api.describe_target_group_attributes(TargetGroupArn=group)["Attributes"] == before


def test_targets_that_cannot_be_targets_are_refused(bench: Bench) -> None:
    by_address, by_instance = bench.group(), bench.group(TargetType="instance")
    for group, target in [
        (by_address, {"Id": "not-an-address"}),
        (by_address, {"Id": "8.8.8.8"}),
        (by_instance, {"Id": "i-0123456789abcdef0"}),
    ]:
        code, message = refused(bench.api.register_targets, TargetGroupArn=group, Targets=[target])
        assert (code, target["Id"] in message) == ("InvalidTarget", True)
        assert bench.health(group) == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("Action=NoSuchAction&Version=2015-12-01", 400, "InvalidAction"),
        ("Version=2015-12-01", 400, "MissingAction"),
        ("Action=CreateListener&Version=2015-12-01", 400, "ValidationError"),
        ("Action=CreateListener&LoadBalancerArn=a&Port=eighty", 400, "MalformedInput"),
        ('{"Action": "DescribeLoadBalancers"}', 400, "MissingAction"),
        (b"Action=\xff\xfe", 400, "MalformedQueryString"),
    ],
)
def test_a_request_that_no_sdk_would_send_gets_an_aws_error(
    bench: Bench, body: str | bytes, status: int, code: str
) -> None:
    answer = httpx.post(
        bench.cloud.endpoint,
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=by(bench.cloud.key, "elasticloadbalancing"),
        trust_env=False,
    )
    assert answer.status_code == status
    assert f"<Code>{code}</Code>" in answer.text
    assert "Traceback" not in answer.text
