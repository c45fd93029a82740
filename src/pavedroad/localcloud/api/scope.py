"""Whom a call is for, as its signature says: service, region and key. Whether it says so rightly is for the
gate to find out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.regions import HOME, REGIONS, said

_GLOBAL = "aws-global"
_LONGEST = 100
"""Of a name that is said back."""
_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^,\s]*?)/(?P<date>[0-9]{8})/(?P<region>[^/,\s]*)/(?P<service>[^/,\s]*)/aws4_request"
)
_S3_LEGACY = re.compile(r"AWS (?P<key>[^:\s]+):")
_BY_VERSION = {
    "2016-11-15": "ec2",
    "2011-01-01": "autoscaling",
    "2012-06-01": "elasticloadbalancing",
    "2015-12-01": "elasticloadbalancing",
    "2010-08-01": "monitoring",
    "2010-05-08": "iam",
    "2011-06-15": "sts",
    "2010-03-31": "sns",
    "2012-11-05": "sqs",
}
"""Signatures of version 2 name no service: the version of the API that is called does."""
_LINKS = {"ConfirmSubscription": "TopicArn", "Unsubscribe": "SubscriptionArn"}
"""Actions of addresses that a notification brings, and the parameter that says where they lead."""


@dataclass(frozen=True, slots=True)
class Scope:
    service: str
    region: str
    key: str


def scope_of(headers: Mapping[str, str], query: str) -> Scope:
    """The credential scope of a signed request; what is not signed can only be S3's."""
    signed = headers.get("authorization", "")
    if signed.startswith("AWS4-HMAC-SHA256") and (match := _CREDENTIAL.search(signed)):
        return _checked(match)
    if "X-Amz-Credential=" in query:
        if match := _CREDENTIAL.search("Credential=" + parse_qs(query).get("X-Amz-Credential", [""])[0]):
            return _checked(match)
        raise ServiceError(
            "AuthorizationQueryParametersError", "The X-Amz-Credential parameter is malformed."
        )
    if match := _S3_LEGACY.match(signed):
        return Scope("s3", HOME, match["key"])
    if signed:
        raise ServiceError(
            "IncompleteSignature", "The Authorization header does not hold an AWS signature (version 4)."
        )
    asked = parse_qs(query)
    if topic := _topic_of_link(asked):
        return Scope("sns", _region_of(topic.replace(":", ".")), "")
    key = asked.get("AWSAccessKeyId", [""])[0]
    if "Action" in asked and (service := _BY_VERSION.get(asked.get("Version", [""])[0])):
        return Scope(service, _region_of(headers.get("host", "")), key)
    return Scope("s3", HOME, key)


def scope_of_form(headers: Mapping[str, str], form: str) -> Scope:
    """Of a call whose form is not signed, or signs itself (version 2). It is never S3's."""
    said = scope_of({"host": headers.get("host", "")}, form)
    return Scope("", said.region, said.key) if said.service == "s3" else said


def is_link(method: str, path: str, headers: Mapping[str, str], query: str) -> bool:
    """Whether it is a visit to an address that a notification has brought: whoever has it may, unsigned."""
    said = parse_qs(query)
    named = "x-amz-target" in headers or "smithy-protocol" in headers
    return (
        (method in ("GET", "HEAD") and path == "/" and not named)
        and len(said.get("Action", [])) == 1
        and bool(_topic_of_link(said))
    )


def _topic_of_link(asked: Mapping[str, list[str]]) -> str:
    name = _LINKS.get(asked.get("Action", [""])[0], "")
    return asked.get(name, [""])[0] if "Signature" not in asked else ""


def _region_of(host: str) -> str:
    """As in `ec2.us-west-2.localhost`; signatures of version 2 say no region either."""
    return next((label for label in host.split(".") if label in REGIONS), HOME)


def _checked(match: re.Match[str]) -> Scope:
    region, service = unquote(match["region"]), match["service"].lower()
    if region == _GLOBAL:
        region = HOME
    if region not in REGIONS:
        raise UnknownRegion(service, region)
    return Scope(service, region, match["key"])


class UnknownRegion(ServiceError):
    """The signature names a region that this cloud does not have."""

    def __init__(self, service: str, region: str) -> None:
        super().__init__(
            "InvalidRegion",
            f"The region '{region[:_LONGEST]}' is not one of this cloud's, which has AWS's commercial ones. "
            f"Name one of {said()}.",
        )
        self.service = service
