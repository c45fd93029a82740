"""A listener's rules as Envoy's routes."""

from __future__ import annotations

import html
from collections.abc import Mapping
from http import HTTPStatus

from pavedroad.localcloud.envoy.documents import Document, typed
from pavedroad.localcloud.envoy.forwards import FORWARDING, NODE, Destination, forward, variants
from pavedroad.localcloud.envoy.matching import NOBODY, SOURCE, match, rule_flaw
from pavedroad.localcloud.wanted import FixedResponse, Forward, Front, Redirect, Rule

__all__ = ["FORWARDING", "NODE", "REDIRECTS", "SERVER", "SOURCE", "error_page", "route_configuration"]

SERVER = "awselb/2.0"
REDIRECTS = "redirects"
"""The listener's script that answers redirects."""

_PHRASES = {503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
_OWN_HEADERS = ("x-envoy-external-address", "x-envoy-internal", "x-envoy-attempt-count")
_TLS_HEADERS = {
    "x-amzn-tls-version": "%DOWNSTREAM_TLS_VERSION%",
    "x-amzn-tls-cipher-suite": "%DOWNSTREAM_TLS_CIPHER%",
}


def route_configuration(source: tuple[Front, tuple[Destination, ...]]) -> Document:
    """All rules of a front; shares of target groups that are not among the given ones are left out."""
    front, given = source
    destinations = {destination.arn: destination for destination in given}
    added, removed = _request_headers(front)
    manners = front.manners
    return {
        "name": front.arn,
        "max_direct_response_body_size_bytes": 65536,
        "request_headers_to_add": added,
        "request_headers_to_remove": removed,
        "response_headers_to_add": [_set(name, value) for name, value in manners.response_headers.items()],
        "response_headers_to_remove": [] if manners.server_header else ["server"],
        "virtual_hosts": [
            {
                "name": "rules",
                "domains": ["*"],
                "routes": [
                    route
                    for rule in sorted(front.rules, key=lambda rule: (not rule.conditions, rule.priority))
                    for route in _routes(rule, front, destinations)
                ],
            }
        ],
    }


def _request_headers(front: Front) -> tuple[list[Document], list[str]]:
    """Those that targets see on every request, and those that they never do."""
    manners = front.manners
    added: list[Document] = [_set("x-forwarded-port", str(front.port))]
    removed: list[str] = [*_OWN_HEADERS]
    if manners.forwarded_for == "append":
        port = "" if manners.forwarded_for_port else "_WITHOUT_PORT"
        value = f"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS{port}%"
        header = {"key": "x-forwarded-for", "value": value}
        added.append({"header": header, "append_action": "APPEND_IF_EXISTS_OR_ADD"})
    elif manners.forwarded_for == "remove":
        removed.append("x-forwarded-for")
    if manners.tls_headers and front.tls is not None:
        for name, value in _TLS_HEADERS.items():
            header = {"key": manners.tls_header_names.get(name, name), "value": value}
            added.append({"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
    return added, removed


def _routes(rule: Rule, front: Front, destinations: Mapping[str, Destination]) -> list[Document]:
    # What is not taken would have all rules refused: it takes no request, and the others go on.
    matched = NOBODY if rule_flaw(rule) else match(rule.conditions)
    if not isinstance(rule.action, Forward):
        return [{"match": matched, **_action(rule.action, front)}]
    found = [it for it in variants(rule.action, front, destinations) if it.shares]
    if not found:
        return [{"match": matched, **_nowhere()}]
    return [
        {
            "match": {
                **matched,
                "headers": [*matched["headers"], *variant.headers],
                "filter_state": [*matched["filter_state"], *variant.nodes],
            },
            **forward(variant, rule.action, front, destinations, rule.transforms),
        }
        for variant in found
    ]


def _action(action: FixedResponse | Redirect, front: Front) -> Document:
    match action:
        case FixedResponse():
            headers = [_set("server", SERVER)] if front.manners.server_header else []
            if action.content_type:
                headers.append(_set("content-type", action.content_type))
            response: Document = {"status": action.status}
            if action.body:
                response["body"] = {"inline_string": action.body}
            return {"direct_response": response, "response_headers_to_add": headers}
        case Redirect():
            return _redirect(action, front)


def _nowhere() -> Document:
    return {
        "direct_response": {"status": 503, "body": {"inline_string": error_page(503)}},
        "response_headers_to_add": [_set("server", SERVER), _set("content-type", "text/html")],
    }


def _redirect(action: Redirect, front: Front) -> Document:
    template = {
        "status": str(action.status),
        "protocol": action.protocol,
        "host": action.host,
        "port": action.port,
        "path": action.path,
        "query": action.query,
        "listener_protocol": "http" if front.tls is None else "https",
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
