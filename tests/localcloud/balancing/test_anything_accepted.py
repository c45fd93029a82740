"""Whatever the API accepts Envoy takes: what it would refuse is refused before it is kept."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.localcloud.balancing.bench import Balancer, Bench, Json, fixed, refused
from tests.localcloud.running import RunningCloud

EXAMPLES = int(os.environ.get("PAVED_TEST_EXAMPLES", "80"))

_PLAIN = st.text("abcXYZ019-_.*?/=&%#", min_size=1, max_size=20)
_ODD = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=40)
_TEXT = st.one_of(_PLAIN, _ODD)
_ATOMS = st.sampled_from(
    [
        *("a", ".", "[a-z]", "[^/]", r"\d", r"\pL", r"\p{Greek}", "[[:alpha:]]", r"\w", r"\b", "^", "$", " "),
        *(
            r"\Qa.b",
            r"\x{10FFFF}",
            r"\C",
            "(a|b)",
            "(?i:x)",
            "(?P<n>a)",
            "é",
            r"\.",
            r"\1",
            "(?=a)",
            "(?<n>a)",
        ),
    ]
)
_REPEATS = st.sampled_from(["", "*", "+", "?", "{3}", "{1,}", "{1000}", "{1001}", "{0,300}", "*?"])
_EXPRESSIONS = st.one_of(
    st.lists(st.tuples(_ATOMS, _REPEATS).map("".join), min_size=1, max_size=6).map("".join),
    _TEXT,
    st.sampled_from(["a{100000}", "((a{100}){100}){100}", r"(\pL{50}){50}", "(", "[", "a" * 129]),
)


def _config(name: str, values: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> Any:
    field, config = name.split("|")
    plain = st.fixed_dictionaries({"Values": st.lists(values, min_size=1, max_size=3), **more})
    regex = st.fixed_dictionaries({"RegexValues": st.lists(_EXPRESSIONS, min_size=1, max_size=3), **more})
    chosen = plain if field in ("http-request-method", "query-string", "source-ip") else plain | regex
    return st.fixed_dictionaries({"Field": st.just(field), config: chosen})


_CONDITIONS = st.one_of(
    _config("path-pattern|PathPatternConfig", _TEXT),
    _config("host-header|HostHeaderConfig", _TEXT),
    _config("http-header|HttpHeaderConfig", _TEXT, HttpHeaderName=_TEXT),
    _config("http-request-method|HttpRequestMethodConfig", st.text("GETPOS-_", max_size=6) | _ODD),
    _config(
        "query-string|QueryStringConfig",
        st.fixed_dictionaries({"Value": _TEXT}, optional={"Key": _TEXT}),
    ),
    _config(
        "source-ip|SourceIpConfig",
        st.sampled_from(["10.0.0.0/8", "1.2.3.4/33", "::/0", "2001:db8::/32", "10.0.0.1/8", "0.0.0.0/0"])
        | st.sampled_from(["10.0.0.0/255.0.0.0", "fe80::1%lo/64", "1.2.3.4/", "::ffff:1.2.3.4/128"]),
    ),
)
_REDIRECTS = st.fixed_dictionaries(
    {"StatusCode": st.sampled_from(["HTTP_301", "HTTP_302"])},
    optional={
        "Protocol": st.sampled_from(["HTTP", "HTTPS", "#{protocol}"]),
        "Host": _TEXT,
        "Port": st.sampled_from(["1", "65535", "#{port}", "0", "١"]),
        "Path": _TEXT.map("/{}".format),
        "Query": _TEXT,
    },
).map(lambda it: [{"Type": "redirect", "RedirectConfig": it}])
_TYPES = st.sampled_from(["text/css", "text/plain"])
_RESPONSES = st.fixed_dictionaries(
    {"StatusCode": st.sampled_from(["200", "204", "299", "404", "499", "503", "599"])},
    optional={"MessageBody": st.text(max_size=1030), "ContentType": _TYPES},
).map(lambda it: [{"Type": "fixed-response", "FixedResponseConfig": it}])


def _forwards(groups: list[str]) -> Any:
    weights = st.sampled_from([0, 1, 2, 999])
    share = st.tuples(st.sampled_from(groups), weights)
    shares = st.lists(share, min_size=1, max_size=2, unique_by=lambda it: it[0])
    return st.tuples(shares, st.sampled_from([0, 1, 604_800])).map(_forward)


def _forward(drawn: tuple[list[tuple[str, int]], int]) -> list[Json]:
    shares, seconds = drawn
    config: Json = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares]}
    if seconds:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": seconds}
    return [{"Type": "forward", "ForwardConfig": config}]


_KINDS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
_REWRITES = st.fixed_dictionaries(
    {"Regex": _EXPRESSIONS, "Replace": _TEXT | st.sampled_from([r"$1", r"\1$0", r"\9"])}
)
_TRANSFORMS = st.lists(
    st.tuples(st.sampled_from(sorted(_KINDS)), _REWRITES).map(
        lambda it: {"Type": it[0], _KINDS[it[0]]: {"Rewrites": [it[1]]}}
    ),
    max_size=2,
    unique_by=lambda it: it["Type"],
)


@pytest.fixture(scope="module")
def shop(cloud: RunningCloud) -> Generator[tuple[Bench, Balancer, list[str]]]:
    bench = Bench(cloud)
    groups = [bench.group(), bench.group()]
    yield bench, bench.balancer(fixed("default")), groups
    bench.close()


_REFUSALS = {"ValidationError", "InvalidLoadBalancerAction", "InvalidConfigurationRequest"}


def _is_accepted(bench: Bench, balancer: Balancer, operation: str, **asked: Any) -> bool:
    """Refused for what it is, or served."""
    try:
        getattr(bench.api, operation)(**asked)
    except ParamValidationError:  # by boto3 itself
        return False
    except ClientError as error:
        found = error.response.get("Error", {})
        assert found.get("Code") in _REFUSALS, found
        assert "cannot be served" not in found.get("Message", "")
        return False
    (described,) = bench.api.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"]
    assert described["State"] == {"Code": "active"}
    return True


_NO_MATTER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
_property = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=_NO_MATTER)
Shop = tuple[Bench, Balancer, list[str]]


@_property
@given(data=st.data())
def test_rules_are_refused_or_served(shop: Shop, data: st.DataObject) -> None:
    bench, balancer, groups = shop
    asked = {
        "Conditions": data.draw(st.lists(_CONDITIONS, min_size=1, max_size=2)),
        "Actions": data.draw(_REDIRECTS | _RESPONSES | _forwards(groups)),
        "Transforms": data.draw(_TRANSFORMS),
    }
    if _is_accepted(bench, balancer, "create_rule", ListenerArn=balancer.listener, Priority=1, **asked):
        rules = bench.api.describe_rules(ListenerArn=balancer.listener)["Rules"]
        (made,) = [rule["RuleArn"] for rule in rules if not rule["IsDefault"]]
        try:
            assert balancer.get("/").status_code
        finally:
            bench.api.delete_rule(RuleArn=made)


@_property
@given(data=st.data())
def test_attributes_of_listeners_are_refused_or_served(shop: Shop, data: st.DataObject) -> None:
    bench, balancer, _ = shop
    described = bench.api.describe_listener_attributes(ListenerArn=balancer.listener)["Attributes"]
    names = [it["Key"] for it in described if it["Key"].startswith("routing.http.response")]
    attribute = {"Key": data.draw(st.sampled_from(names)), "Value": data.draw(_TEXT)}
    asked = {"ListenerArn": balancer.listener, "Attributes": [attribute]}
    _is_accepted(bench, balancer, "modify_listener_attributes", **asked)


_OF_GROUPS: dict[str, st.SearchStrategy[str]] = {
    "load_balancing.algorithm.type": st.sampled_from(["round_robin", "least_outstanding_requests"]),
    "slow_start.duration_seconds": st.sampled_from(["0", "30", "900"]),
    "stickiness.enabled": st.sampled_from(["true", "false"]),
    "stickiness.type": st.sampled_from(["lb_cookie", "app_cookie"]),
    "stickiness.app_cookie.cookie_name": _TEXT | st.sampled_from(["a" * 4096, "%", "a=b"]),
    "stickiness.lb_cookie.duration_seconds": st.sampled_from(["1", "604800"]),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": st.sampled_from(["off", "100"]),
}


@_property
@given(data=st.data())
def test_attributes_of_target_groups_are_refused_or_served(shop: Shop, data: st.DataObject) -> None:
    bench, balancer, groups = shop
    forward = _forward(([(groups[0], 1)], 0))
    bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=forward)
    chosen = data.draw(st.lists(st.sampled_from(sorted(_OF_GROUPS)), min_size=1, max_size=3, unique=True))
    attributes = [{"Key": it, "Value": data.draw(_OF_GROUPS[it])} for it in chosen]
    asked = {"TargetGroupArn": groups[0], "Attributes": attributes}
    _is_accepted(bench, balancer, "modify_target_group_attributes", **asked)


@pytest.mark.parametrize(
    "expression", ["a{100000}", "((a{100}){100}){100}", r"(\pL{50}){50}", r"\Qa", "(?=a)", "("]
)
def test_an_expression_that_envoy_would_refuse_is_refused(shop: Shop, expression: str) -> None:
    bench, balancer, _ = shop
    for field, config in (("path-pattern", "PathPatternConfig"), ("host-header", "HostHeaderConfig")):
        condition = {"Field": field, config: {"RegexValues": [expression]}}
        asked = {"ListenerArn": balancer.listener, "Priority": 1, "Actions": fixed("odd")}
        code, message = refused(bench.api.create_rule, Conditions=[condition], **asked)
        assert (code, "not valid" in message) == ("ValidationError", True)
