"""A rule's action: read from a request, checked, and written into an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pavedroad.localcloud.balancing.asked import (
    Parameters,
    invalid,
    number,
    one_of,
    shown_protocol,
    unsupported,
)
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import ForwardTo, RuleAction, Share
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.wanted import FixedResponse, Redirect

_CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
_STATUS = re.compile(r"[245][0-9][0-9]")
_MOVED = {"HTTP_301": 301, "HTTP_302": 302}
_AS_IT_WAS = Redirect(301, "#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}")
_HOST = re.compile(r"(?=.{1,128}$)(?:[A-Za-z0-9._-]|#\{(?:host|port|path|protocol|query)\})+")
_IN_URL = re.compile(r"[\x21-\x7e]{0,128}")
_MOST_GROUPS = 5


def read_action(call: Call, given: Sequence[Parameters], balancer_arn: str) -> RuleAction:
    """The one action of a rule of this balancer."""
    if not given:
        raise invalid("A rule must have an action")
    for action in given:
        if action["Type"] not in _READERS:
            raise unsupported(f"The action type '{action['Type']}'")
    if len(given) > 1:
        raise ServiceError(
            "InvalidLoadBalancerAction",
            "A rule can have only one action of type 'forward', 'redirect' or 'fixed-response'",
        )
    if call.store.balancers[balancer_arn].kind == "network" and given[0]["Type"] != "forward":
        raise invalid(f"A network load balancer forwards; actions of type '{given[0]['Type']}' it has not")
    return _READERS[given[0]["Type"]](call, given[0], balancer_arn)


def _read_forward(call: Call, action: Parameters, balancer_arn: str) -> ForwardTo:
    config = action.get("ForwardConfig", {})
    given: list[Parameters] = config.get("TargetGroups", [])
    alone = action.get("TargetGroupArn")
    if alone and not given:
        given = [{"TargetGroupArn": alone}]
    if not given or any("TargetGroupArn" not in it for it in given):
        raise invalid("A forward action must name a target group")
    if alone and [it["TargetGroupArn"] for it in given] != [alone]:
        raise invalid("TargetGroupArn and ForwardConfig name different target groups")
    sticky_seconds = _sticky_seconds(config.get("TargetGroupStickinessConfig", {}))
    if len(given) > _MOST_GROUPS:
        raise ServiceError(
            "TooManyTargetGroups", f"A forward action can name at most {_MOST_GROUPS} target groups"
        )
    shares = tuple(Share(it["TargetGroupArn"], number(it.get("Weight", 1), 0, 999, "Weight")) for it in given)
    if len({share.group_arn for share in shares}) < len(shares):
        raise invalid("A forward action can name a target group only once")
    users = call.store.users()
    streams = call.store.balancers[balancer_arn].kind == "network"
    if streams and len(shares) > 1:
        raise unsupported("More than one target group of a listener of a network load balancer")
    for share in shares:
        group = call.group(share.group_arn)
        if group.streams != streams:
            raise ServiceError(
                "InvalidConfigurationRequest",
                f"The protocol '{shown_protocol(group.protocol)}' of target group {group.arn} is not "
                f"supported by load balancers of type '{'network' if streams else 'application'}'",
            )
        if users.get(share.group_arn, set()) - {balancer_arn}:
            raise ServiceError(
                "TargetGroupAssociationLimit",
                "The following target groups cannot be associated with more than one load balancer: "
                f"{share.group_arn}",
            )
    return ForwardTo(shares, sticky_seconds)


def _sticky_seconds(config: Parameters) -> int:
    if not config.get("Enabled"):
        return 0
    if "DurationSeconds" not in config:
        raise invalid("DurationSeconds must be specified when enabling target group stickiness")
    return number(config["DurationSeconds"], 1, 604_800, "DurationSeconds")


def _read_fixed_response(_: Call, action: Parameters, __: str) -> FixedResponse:
    config = action.get("FixedResponseConfig")
    if config is None:
        raise invalid("A fixed-response action must have a FixedResponseConfig")
    status = config.get("StatusCode", "")
    if not _STATUS.fullmatch(status):
        raise invalid(f"The status code '{status}' must be a 2XX, 4XX or 5XX code")
    body = config.get("MessageBody", "")
    if len(body) > 1024:
        raise invalid("The message body cannot be longer than '1024' characters")
    content_type = config.get("ContentType", "text/plain")
    if content_type not in _CONTENT_TYPES:
        known = ", ".join(f"'{it}'" for it in _CONTENT_TYPES)
        raise ServiceError("InvalidLoadBalancerAction", f"The ContentType must be one of: {known}")
    return FixedResponse(int(status), content_type, body)


def _read_redirect(_: Call, action: Parameters, __: str) -> Redirect:
    config = action.get("RedirectConfig")
    if config is None:
        raise invalid("A redirect action must have a RedirectConfig")
    one_of(config.get("StatusCode", ""), _MOVED, "The redirect's status code")
    redirect = Redirect(
        _MOVED[config["StatusCode"]],
        one_of(config.get("Protocol", _AS_IT_WAS.protocol), ("HTTP", "HTTPS", "#{protocol}"), "The protocol"),
        config.get("Host", _AS_IT_WAS.host),
        config.get("Port", _AS_IT_WAS.port),
        config.get("Path", _AS_IT_WAS.path),
        config.get("Query", _AS_IT_WAS.query),
    )
    if redirect.port != "#{port}":
        number(redirect.port, 1, 65535, "The redirect's port")
    if not _HOST.fullmatch(redirect.host):
        raise invalid(f"The redirect's host '{redirect.host}' is not valid")
    for part, value in (("path", redirect.path), ("query", redirect.query)):
        if not _IN_URL.fullmatch(value):
            raise invalid(f"The redirect's {part} '{value}' is not valid")
    if not redirect.path.startswith("/"):
        raise invalid(f"The redirect's path '{redirect.path}' must begin with '/'")
    changes = (redirect.protocol, redirect.host, redirect.port, redirect.path)
    if changes == (_AS_IT_WAS.protocol, _AS_IT_WAS.host, _AS_IT_WAS.port, _AS_IT_WAS.path):
        raise ServiceError(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop: change the protocol, host, "
            "port or path",
        )
    return redirect


_READERS = {"forward": _read_forward, "fixed-response": _read_fixed_response, "redirect": _read_redirect}


def _write_stickiness(seconds: int) -> Parameters:
    return {"Enabled": True, "DurationSeconds": seconds} if seconds else {"Enabled": False}


def write_action(action: RuleAction) -> list[Parameters]:
    """The action as AWS lists it."""
    if isinstance(action, ForwardTo):
        written: dict[str, Any] = {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": share.group_arn, "Weight": share.weight} for share in action.shares
                ],
                "TargetGroupStickinessConfig": _write_stickiness(action.sticky_seconds),
            },
        }
        if len(action.shares) == 1:
            written["TargetGroupArn"] = action.shares[0].group_arn
        return [written]
    if isinstance(action, FixedResponse):
        config = {
            "StatusCode": str(action.status),
            "ContentType": action.content_type,
            "MessageBody": action.body,
        }
        return [{"Type": "fixed-response", "FixedResponseConfig": config}]
    config = {
        "StatusCode": f"HTTP_{action.status}",
        "Protocol": action.protocol,
        "Host": action.host,
        "Port": action.port,
        "Path": action.path,
        "Query": action.query,
    }
    return [{"Type": "redirect", "RedirectConfig": config}]
