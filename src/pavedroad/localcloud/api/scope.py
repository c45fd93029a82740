"""Whom a call is for: service, region and key, from its signature. Any credentials are accepted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from pavedroad.localcloud.errors import ServiceError

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
_HOME = "us-east-1"
_GLOBAL = {"aws-global", "us-east-1"}
_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^,\s]*?)/(?P<date>\d{8})/(?P<region>[^/,\s]*)/(?P<service>[^/,\s]*)/aws4_request"
)
_S3_LEGACY = re.compile(r"AWS (?P<key>[^:\s]+):")


@dataclass(frozen=True, slots=True)
class Scope:
    service: str
    region: str
    key: str


def scope_of(headers: Mapping[str, str], query: str) -> Scope:
    """The credential scope of a signed request; what is not signed can only be S3's."""
    signed = headers.get("authorization", "")
    if match := _CREDENTIAL.search(signed):
        return _checked(match)
    if "X-Amz-Credential=" in query:
        if match := _CREDENTIAL.search("Credential=" + parse_qs(query).get("X-Amz-Credential", [""])[0]):
            return _checked(match)
        raise ServiceError(
            "AuthorizationQueryParametersError", "The X-Amz-Credential parameter is malformed."
        )
    if match := _S3_LEGACY.match(signed):
        return Scope("s3", _HOME, match["key"])
    if signed:
        raise ServiceError(
            "IncompleteSignature", "The Authorization header does not hold an AWS signature (version 4)."
        )
    key = parse_qs(query).get("AWSAccessKeyId", [""])[0]
    return Scope("s3", _HOME, key)


def _checked(match: re.Match[str]) -> Scope:
    region, service = unquote(match["region"]), match["service"].lower()
    if region in _GLOBAL:
        region = _HOME
    if region not in REGIONS:
        raise UnknownRegion(service, region)
    return Scope(service, region, match["key"])


class UnknownRegion(ServiceError):
    """The signature names a region that this cloud does not have."""

    def __init__(self, service: str, region: str) -> None:
        super().__init__(
            "InvalidRegion", f"The region '{region}' is not one of this cloud's: {', '.join(REGIONS)}."
        )
        self.service = service


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a web page from elsewhere makes the call: any key opens this cloud, so pages may not try."""
    origin = headers.get("origin", "")
    host = (urlsplit(origin).hostname or "") if origin else "localhost"
    return not (
        host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host == "::1"
    )
