"""What a request meets: weights, rules by priority, fixed responses and redirects, as soon as a call ends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, weigh
from tests.waiting import eventually

Conditions = list[dict[str, Any]]


def _two_versions(bench: Bench) -> tuple[Balancer, str, str]:
    one, two = bench.group(bench.service("v1")), bench.group(bench.service("v2"))
    balancer = bench.balancer(weigh({one: 1, two: 0}))
    bench.all_healthy(one, two)
    return balancer, one, two


def test_every_request_after_a_flip_goes_to_the_new_group(bench: Bench) -> None:
    balancer, one, two = _two_versions(bench)
    for flip in range(10):
        shares = {one: flip % 2, two: 1 - flip % 2}
        bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=weigh(shares))
        expected = "v1" if flip % 2 else "v2"
        assert {balancer.get().text for _ in range(20)} == {expected}


def test_weights_are_shares_of_the_traffic(bench: Bench) -> None:
    balancer, one, two = _two_versions(bench)
    bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=weigh({one: 3, two: 1}))
    seen = Counter(balancer.get().text for _ in range(200))
    assert 0.1 < seen["v2"] / 200 < 0.4


def test_no_weight_at_all_answers_503(bench: Bench) -> None:
    balancer, one, two = _two_versions(bench)
    bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=weigh({one: 0, two: 0}))
    assert balancer.get().status_code == 503


def test_the_lowest_priority_that_matches_wins_whatever_the_order_of_creation(bench: Bench) -> None:
    balancer = bench.balancer(fixed("default"))
    everything: Conditions = [{"Field": "path-pattern", "Values": ["/a*"]}]
    late = bench.rule(balancer, 30, everything, fixed("late"))
    early = bench.rule(balancer, 10, everything, fixed("early"))
    bench.rule(balancer, 20, everything, fixed("middle"))
    assert balancer.get("/abc").text == "early"
    assert balancer.get("/b").text == "default"
    listed = bench.api.describe_rules(ListenerArn=balancer.listener)["Rules"]
    assert [rule["Priority"] for rule in listed] == ["10", "20", "30", "default"]

    bench.api.set_rule_priorities(
        RulePriorities=[{"RuleArn": late, "Priority": 10}, {"RuleArn": early, "Priority": 30}]
    )
    assert balancer.get("/abc").text == "late"
    bench.api.delete_rule(RuleArn=late)
    assert balancer.get("/abc").text == "middle"


@pytest.mark.ordinary
@pytest.mark.parametrize(
    ("condition", "path", "headers", "method"),
    [
        ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/img/*.png"]}}, "/img/a.png", {}, "GET"),
        ({"Field": "host-header", "Values": ["*.example.com"]}, "/", {"Host": "www.example.com"}, "GET"),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Beta", "Values": ["y?s"]}},
            "/",
            {"x-beta": "yes"},
            "GET",
        ),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}, "/", {}, "POST"),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
            "/?a=1&v=2",
            {},
            "GET",
        ),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}, "/", {}, "GET"),
    ],
    ids=lambda value: value["Field"] if isinstance(value, dict) and "Field" in value else "",
)
def test_each_kind_of_condition_matches_what_it_says(
    bench: Bench, condition: dict[str, Any], path: str, headers: dict[str, str], method: str
) -> None:
    balancer = bench.balancer(fixed("default"))
    rule = bench.rule(balancer, 1, [condition], fixed("matched"))
    url = f"http://{balancer.address}:8080{path}"
    assert balancer.client.request(method, url, headers=headers).text == "matched"
    other: Conditions = [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}]
    if condition["Field"] == "source-ip":
        bench.api.modify_rule(RuleArn=rule, Conditions=other)
    assert balancer.get("/other").text == "default"
    described = bench.api.describe_rules(RuleArns=[rule])["Rules"][0]["Conditions"][0]
    expected = other[0] if condition["Field"] == "source-ip" else condition
    assert {key: described[key] for key in expected} == expected


def test_a_redirect_keeps_what_it_does_not_change(bench: Bench) -> None:
    config = {"StatusCode": "HTTP_302", "Host": "new.example.com", "Path": "/v2/#{path}"}
    balancer = bench.balancer([{"Type": "redirect", "RedirectConfig": config}])
    answer = balancer.get("/a/b?c=d")
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://new.example.com:8080/v2/a/b?c=d"


def test_a_fixed_response_is_sent_as_it_was_given(bench: Bench) -> None:
    balancer = bench.balancer(fixed("short and stout", 418))
    answer = balancer.get()
    assert (answer.status_code, answer.text) == (418, "short and stout")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.ordinary
def test_a_deleted_listener_no_longer_answers_and_its_port_is_free_again(bench: Bench) -> None:
    balancer = bench.balancer(fixed("here"))
    assert balancer.get().text == "here"
    bench.api.delete_listener(ListenerArn=balancer.listener)
    eventually(lambda: _is_refused(balancer), within=10)
    made = bench.api.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=8080, DefaultActions=fixed("again")
    )
    balancer.listener = made["Listeners"][0]["ListenerArn"]
    url = bench.api.describe_tags(ResourceArns=[balancer.arn])["TagDescriptions"][0]["Tags"]
    assert url == [], "the listener got the very port that it asked for"
    assert balancer.get().text == "again"


def _is_refused(balancer: Balancer) -> bool:
    try:
        balancer.client.get(f"http://{balancer.address}:8080/", headers={"Connection": "close"})
    except OSError:
        return True
    except Exception as error:
        return "refused" in str(error).lower() or "disconnected" in str(error).lower()
    return False
