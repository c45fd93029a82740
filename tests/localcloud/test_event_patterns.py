"""Which events a pattern lets through, and what may be one: the tables of Amazon's own guides."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.event_patterns import Limits, PatternError, check, matches

_OF_ATTRIBUTES = Limits(names=5, combinations=150, nested=False)
_OF_BODIES = Limits(names=5, combinations=150, nested=True)


@pytest.mark.parametrize(
    ("rule", "passing", "kept_back"),
    [
        ("rugby", ["rugby", ["football", "rugby"], [["rugby"]]], ["Rugby", "rug", ["football"], None, {}]),
        (None, [None, [None]], ["null", 0, False, {}]),
        (True, [True, [False, True]], ["true", 1, False]),
        (5, [5, 5.0, 5.000001, [1, 5]], ["5", 5.1, True]),
        ({"prefix": "bas"}, ["baseball", ["golf", "basket"]], ["rugby", "Bas", 5, None]),
        ({"prefix": {"equals-ignore-case": "BAS"}}, ["baseball"], ["ball"]),
        ({"suffix": "ball"}, ["baseball"], ["balls", "BALL"]),
        ({"equals-ignore-case": "Tennis"}, ["TENNIS", "tennis"], ["golf", 1]),
        ({"wildcard": "*/dir/*"}, ["a/dir/b", "/dir/"], ["a/dirb", "dir"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["axb"]),
        ({"wildcard": "a*b*a"}, ["aba", "a--b\n-a"], ["aa", "ab", "ba", "abab"]),
        ({"wildcard": "*" + "a*" * 40 + "b"}, ["a" * 40 + "b"], ["a" * 4000]),
        ({"anything-but": "rugby"}, ["golf", ["rugby", "golf"], 5], ["rugby", ["rugby"]]),
        ({"anything-but": ["a", 1]}, ["b", 2], ["a", 1, 1.0]),
        ({"anything-but": {"prefix": "bad-"}}, ["good"], ["bad-1"]),
        ({"anything-but": {"prefix": ["bad-", "ill-"]}}, ["good"], ["bad-1", "ill-2"]),
        ({"anything-but": {"suffix": ".tmp"}}, ["a.csv"], ["a.tmp"]),
        ({"anything-but": {"equals-ignore-case": ["A"]}}, ["b"], ["a", "A"]),
        ({"anything-but": {"wildcard": "a*b"}}, ["ac"], ["ab", "axb"]),
        ({"numeric": ["=", 5]}, [5, 5.0], ["5", 6, True, 10**400, float("nan")]),
        ({"anything-but": [5]}, [10**400], [5]),
        ({"numeric": [">=", 10, "<", 20]}, [10, 15, 19.99999], [20, 9.9999, "15"]),
        ({"numeric": ["<", -1.5e2]}, [-151], [-150, 0]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.9"], ["10.0.1.9", "10.0.0", 10, "::1"]),
        ({"cidr": "10.0.0.7/24"}, ["10.0.0.9"], ["10.0.1.9"]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]),
        ({"exists": True}, ["", None, 0, [1]], [{}, [], {"a": 1}]),
    ],
)
def test_a_rule_lets_through_what_it_says(rule: Any, passing: list[Any], kept_back: list[Any]) -> None:
    pattern = {"key": [rule]}
    check(pattern)
    assert [value for value in passing if not matches(pattern, {"key": value})] == []
    assert [value for value in kept_back if matches(pattern, {"key": value})] == []
    assert not matches(pattern, {"other": "x"})


def test_one_rule_under_each_name_must_match() -> None:
    pattern = {"a": ["1", {"prefix": "2"}], "b": [{"exists": False}]}
    assert matches(pattern, {"a": "21"})
    assert not matches(pattern, {"a": "21", "b": "x"})
    assert not matches(pattern, {})
    assert matches({"b": [{"exists": False}, "x"]}, {"b": "x"})


def test_one_of_several_patterns_is_enough() -> None:
    pattern = {"c": ["3"], "$or": [{"a": ["1"]}, {"b": ["2"], "d": [{"exists": True}]}]}
    check(pattern, _OF_ATTRIBUTES)
    assert matches(pattern, {"c": "3", "a": "1"})
    assert matches(pattern, {"c": "3", "b": "2", "d": "4"})
    assert not matches(pattern, {"c": "3", "b": "2"})
    assert not matches(pattern, {"a": "1"})
    assert matches({"$or": ["x"]}, {"$or": "x"}), "it may be a name as any other"


def test_what_is_nested_matches_within_one_element_of_a_list() -> None:
    pattern = {"o": {"a": [1], "b": {"c": [2, {"exists": False}]}}}
    check(pattern, _OF_BODIES)
    assert matches(pattern, {"o": {"a": 1, "b": {"c": 2}}})
    assert matches(pattern, {"o": [{"a": 0}, {"a": 1}]})
    assert not matches(pattern, {"o": [{"a": 0, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}]})
    assert not matches(pattern, {"o": "text"})
    assert matches({"o": {"a": [{"exists": False}]}}, {})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ([], "must be a JSON object"),
        ({"x": "text"}, '"x" must be an object or an array'),
        ({"x": []}, "Empty arrays are not allowed"),
        ({"x": [["a"]]}, "Match value must be String, number, true, false, or null"),
        ({"x": [{"unknown": 1}]}, "Unrecognized match type unknown"),
        ({"x": [{"prefix": "a", "suffix": "b"}]}, "Only one key allowed in match expression"),
        ({"x": [{}]}, "Only one key allowed in match expression"),
        ({"x": [{"prefix": 1}]}, "prefix match pattern must be a string"),
        ({"x": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"x": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"x": [{"numeric": ["<", "a"]}]}, "Value of < must be numeric"),
        ({"x": [{"numeric": ["="]}]}, "Value of equals must be numeric"),
        ({"x": [{"numeric": ["~", 1]}]}, "Unrecognized numeric range operator: ~"),
        ({"x": [{"numeric": [5, 1]}]}, "Invalid member in numeric match: 5"),
        ({"x": [{"numeric": ["<", 1, ">", 0]}]}, "Too many elements in numeric expression"),
        ({"x": [{"numeric": [">", 1, ">", 2]}]}, "Bad numeric range operator: >"),
        ({"x": [{"numeric": [">", 3, "<", 2]}]}, "Bottom must be less than top"),
        ({"x": [{"numeric": [">", True]}]}, "Value of > must be numeric"),
        ({"x": [2e9]}, "Value must be between"),
        ({"x": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
        ({"x": [{"cidr": "10.0.0.0/x"}]}, "mask bits must be an integer"),
        ({"x": [{"cidr": "10.0.0/8"}]}, "Nonstandard IP address"),
        ({"x": [{"anything-but": []}]}, "Empty arrays are not allowed"),
        ({"x": [{"anything-but": [None]}]}, "string or number only"),
        ({"x": [{"anything-but": {"cidr": "1.0.0.0/8"}}]}, "Unsupported anything-but pattern: cidr"),
        ({f"k{number}": ["v"] for number in range(6)}, "can not have more than 5 keys"),
        ({"x": [str(number) for number in range(151)]}, "too complex"),
        ({"$or": [{"x": [str(number)]} for number in range(151)]}, "too complex"),
        ({"$or": [{f"k{number}": ["v"] for number in range(6)}]}, "can not have more than 5 keys"),
        ({"x": [float("nan")]}, "Value must be between"),
        ({"x": {"y": ["z"]}}, "does not support nested filter policy"),
    ],
)
def test_what_is_no_pattern_is_refused_in_aws_s_words(pattern: Any, said: str) -> None:
    with pytest.raises(PatternError, match=said.replace("(", r"\(")):
        check(pattern, _OF_ATTRIBUTES)


@pytest.mark.parametrize("name", ["$or", "a"])
def test_what_is_nested_without_end_is_refused(name: str) -> None:
    pattern: dict[str, Any] = {"a": [1]}
    for _ in range(400):
        pattern = {name: [pattern] if name == "$or" else pattern}
    with pytest.raises(PatternError, match="too complex"):
        check(pattern, _OF_BODIES)
    with pytest.raises(PatternError, match="Empty objects are not allowed"):
        check({"a": {"b": {}}}, _OF_BODIES)


def test_what_is_nested_counts_by_its_depth() -> None:
    values = ["1", "2", "3", "4"]
    pattern = {"a": {"b": {"c": values}}, "d": {"e": values[:3]}, "f": values[:3]}
    with pytest.raises(PatternError, match="too complex"):
        check(pattern, _OF_BODIES)
    check({"a": {"b": {"c": values}}, "d": {"e": values[:3]}}, _OF_BODIES)
