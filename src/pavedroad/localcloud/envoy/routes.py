"""A listener's rules as Envoy's routes."""

from __future__ import annotations

import html
from collections.abc import Collection
from http import HTTPStatus

from pavedroad.localcloud.envoy import patterns
from pavedroad.localcloud.envoy.documents import Document, extension, typed
from pavedroad.localcloud.wanted import Action, Condition, FixedResponse, Forward, Front, Redirect, Rule

SERVER = "awselb/2.0"
SOURCE = "pavedroad.source"
"""The connection's own peer address, set by the listener, so that no header can fake it."""
REDIRECTS = "redirects"
"""The listener's script that answers redirects."""

_PHRASES = {503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
_OWN_HEADERS = ("x-envoy-external-address", "x-envoy-internal", "x-envoy-attempt-count")
_FORWARDED_FOR: Document = {
    "header": {"key": "x-forwarded-for", "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"},
    "append_action": "APPEND_IF_EXISTS_OR_ADD",
}
_UNSEEN: Document = {
    # Only what no target can have seen is tried elsewhere, so a request is never done twice.
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 5,
    "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.02s"},
    "retry_host_predicate": [
        extension(
            "envoy.retry_host_predicates.previous_hosts",
            "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        )
    ],
    "host_selection_retry_max_attempts": 5,
}


def route_configuration(source: tuple[Front, Collection[str]]) -> Document:
    """All rules of a front; shares of pools that are not among the given ones are left out."""
    front, pools = source
    return {
        "name": front.arn,
        "max_direct_response_body_size_bytes": 65536,
        "request_headers_to_add": [_set("x-forwarded-port", str(front.port)), _FORWARDED_FOR],
        "request_headers_to_remove": list(_OWN_HEADERS),
        "virtual_hosts": [
            {
                "name": "rules",
                "domains": ["*"],
                "routes": [
                    route
                    for rule in sorted(front.rules, key=lambda rule: (not rule.conditions, rule.priority))
                    for route in _routes(rule, front, pools)
                ],
            }
        ],
    }


def _routes(rule: Rule, front: Front, pools: Collection[str]) -> list[Document]:
    headers = [_header(condition) for condition in rule.conditions if condition.field != "source-ip"]
    sources = [_source(condition) for condition in rule.conditions if condition.field == "source-ip"]
    match: Document = {"prefix": "", "headers": headers, "filter_state": sources}
    return [{"match": match, **_action(rule.action, front, pools)}]


def _header(condition: Condition) -> Document:
    """A condition as a match on a header; Envoy holds method, host and path as headers too."""
    match condition.field:
        case "path-pattern":
            return _matches(":path", patterns.paths(condition.values))
        case "host-header":
            return _matches(":authority", patterns.hosts(condition.values))
        case "http-header":
            return _matches(condition.name, patterns.header_values(condition.values))
        case "http-request-method":
            return _matches(":method", patterns.any_of(condition.values))
        case "query-string":
            return _matches(":path", patterns.query_pairs(condition.values))
        case _:
            # The API lets nothing else through; a rule that is not understood takes no request.
            return {"name": ":method", "present_match": False}


def _matches(header: str, expression: str) -> Document:
    return {"name": header, "string_match": {"safe_regex": {"regex": expression}}}


def _source(condition: Condition) -> Document:
    ranges: list[Document] = []
    for value in condition.values:
        address, _, length = value.partition("/")
        bits = int(length) if length.isdigit() else 128 if ":" in address else 32
        ranges.append({"address_prefix": address, "prefix_len": bits})
    return {"key": SOURCE, "address_match": {"ranges": ranges}}


def _action(action: Action, front: Front, pools: Collection[str]) -> Document:
    match action:
        case Forward():
            return _forward(action, front, pools)
        case FixedResponse():
            headers = [_set("server", SERVER)]
            if action.content_type:
                headers.append(_set("content-type", action.content_type))
            response: Document = {"status": action.status}
            if action.body:
                response["body"] = {"inline_string": action.body}
            return {"direct_response": response, "response_headers_to_add": headers}
        case Redirect():
            return _redirect(action, front)


def _forward(action: Forward, front: Front, pools: Collection[str]) -> Document:
    shares = [
        {"name": arn, "weight": weight}
        for arn, weight in action.weights.items()
        if weight > 0 and arn in pools
    ]
    if not shares:
        return {
            "direct_response": {"status": 503, "body": {"inline_string": error_page(503)}},
            "response_headers_to_add": [_set("server", SERVER), _set("content-type", "text/html")],
        }
    destination: Document = (
        {"cluster": shares[0]["name"]} if len(shares) == 1 else {"weighted_clusters": {"clusters": shares}}
    )
    return {
        "route": {
            **destination,
            # No bound on a whole response, which may stream for hours; only silence is bounded.
            "timeout": "0s",
            "idle_timeout": f"{front.idle_timeout_seconds}s",
            "retry_policy": _UNSEEN,
        }
    }


def _redirect(action: Redirect, front: Front) -> Document:
    template = {
        "status": str(action.status),
        "protocol": action.protocol,
        "host": action.host,
        "port": action.port,
        "path": action.path,
        "query": action.query,
        "listener_protocol": "http",
        "listener_port": str(front.port),
        "body": error_page(action.status),
    }
    return {
        "direct_response": {"status": 500},
        "typed_per_filter_config": {
            "envoy.filters.http.lua": typed(
                "envoy.extensions.filters.http.lua.v3.LuaPerRoute", name=REDIRECTS, filter_context=template
            )
        },
    }


def error_page(status: int) -> str:
    """The small page that a balancer of AWS shows."""
    title = html.escape(f"{status} {_PHRASES.get(status) or HTTPStatus(status).phrase}")
    head, body = (
        f"<head><title>{title}</title></head>",
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>",
    )
    return f"<html>\r\n{head}\r\n{body}\r\n</html>\r\n"


def _set(name: str, value: str) -> Document:
    # A percent sign would start one of Envoy's own placeholders.
    return {
        "header": {"key": name, "value": value.replace("%", "%%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
