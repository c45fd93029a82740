"""A rule's conditions: read from a request, checked, and written into an answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from pavedroad.localcloud.balancing.asked import Parameters, invalid, one_of
from pavedroad.localcloud.balancing.transforms import check_expression
from pavedroad.localcloud.envoy.matching import conditions_flaw
from pavedroad.localcloud.wanted import Condition

_CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_LISTED_PLAINLY = ("path-pattern", "host-header")
_BY_EXPRESSION = ("path-pattern", "host-header", "http-header")
_MAY_REPEAT = ("http-header", "query-string")
_WILD = ("path-pattern", "host-header", "http-header", "query-string")
_WILDCARD = re.compile(r"(?<!\\)[*?]")
_MOST_VALUES = 5
_MOST_WILDCARDS = 6
_PATTERNS = {
    "path-pattern": re.compile(r"""[A-Za-z0-9_\-.$/~"'@:+&()*?%=!,;]{1,128}"""),
    "host-header": re.compile(r"[A-Za-z0-9\-.*?_]{1,128}"),
    "http-header": re.compile(r"[\x20-\x7e]{1,128}"),
    "http-request-method": re.compile(r"[A-Z_-]{1,40}"),
}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}")


def read_conditions(given: Sequence[Parameters]) -> tuple[Condition, ...]:
    """All conditions of a rule."""
    if not given:
        raise invalid("A rule must have at least one condition")
    conditions = tuple(_read(condition) for condition in given)
    fields = [condition.field for condition in conditions if condition.field not in _MAY_REPEAT]
    for field in fields:
        if fields.count(field) > 1:
            raise invalid(f"A rule can have only one '{field}' condition")
    if sum(len(it.values) + len(it.expressions) for it in conditions) > _MOST_VALUES:
        raise invalid(f"A rule can have at most '{_MOST_VALUES}' condition values")
    wildcards = (value for it in conditions if it.field in _WILD for value in it.values)
    if sum(len(_WILDCARD.findall(value)) for value in wildcards) > _MOST_WILDCARDS:
        raise invalid(f"A rule can have at most '{_MOST_WILDCARDS}' wildcards in its condition values")
    if why := conditions_flaw(conditions):
        raise invalid(f"The conditions of the rule are not valid together: {why}")
    return conditions


def _read(given: Parameters) -> Condition:
    field = one_of(given.get("Field", ""), _CONFIGS, "Condition field")
    config: Parameters = given.get(_CONFIGS[field], {})
    expressions = tuple(config.get("RegexValues") or given.get("RegexValues") or [])
    if expressions and field not in _BY_EXPRESSION:
        raise invalid(f"A condition on '{field}' cannot have regular expressions")
    for expression in expressions:
        check_expression(expression, 128)
    if field == "query-string":
        values = tuple(_read_query(pair) for pair in config.get("Values", []))
    else:
        plain = given.get("Values") if field in _LISTED_PLAINLY else None
        values = tuple(config.get("Values") or plain or [])
    if not values and not expressions:
        raise invalid(f"A condition on '{field}' must have values")
    if values and expressions:
        raise invalid(f"A condition on '{field}' can have values or regular expressions, not both")
    for value in values:
        _check(field, value)
    name = ""
    if field == "http-header":
        name = config.get("HttpHeaderName", "")
        if not _HEADER_NAME.fullmatch(name):
            raise invalid(f"The HTTP header name '{name}' is not valid")
        if name.lower() == "host":
            raise invalid("Use a 'host-header' condition to match the host header")
    return Condition(field, values, name, expressions)


def _read_query(pair: Parameters) -> str:
    key, value = pair.get("Key", ""), pair.get("Value", "")
    if not value or "=" in key + value or len(key) > 128 or len(value) > 128:
        raise invalid("A query-string value has up to 128 characters for its key and its value, without '='")
    return f"{key}={value}" if key else value


def _check(field: str, value: str) -> None:
    if field == "source-ip":
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise invalid(f"Source IP '{value}' must be in CIDR format") from None
        if "/" not in value:
            raise invalid(f"Source IP '{value}' must be in CIDR format")
    elif field in _PATTERNS and not _PATTERNS[field].fullmatch(value):
        raise invalid(f"The condition value '{value}' is not valid for '{field}'")


def write_conditions(conditions: Sequence[Condition]) -> list[Parameters]:
    """The conditions as AWS lists them."""
    return [_write(condition) for condition in conditions]


def _write(condition: Condition) -> Parameters:
    config: Parameters = {"Values": list(condition.values)}
    if condition.field == "query-string":
        config["Values"] = [_write_query(value) for value in condition.values]
    if condition.field == "http-header":
        config["HttpHeaderName"] = condition.name
    if condition.expressions:
        config = {"RegexValues": list(condition.expressions)}
        if condition.name:
            config["HttpHeaderName"] = condition.name
        return {"Field": condition.field, _CONFIGS[condition.field]: config}
    written: Parameters = {"Field": condition.field, _CONFIGS[condition.field]: config}
    if condition.field in _LISTED_PLAINLY:
        written["Values"] = list(condition.values)
    return written


def _write_query(value: str) -> Parameters:
    key, separator, rest = value.partition("=")
    return {"Key": key, "Value": rest} if separator else {"Value": value}
