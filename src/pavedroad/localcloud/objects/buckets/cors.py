"""Cross-origin requests: which a bucket's rules let web pages make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from pavedroad.localcloud.objects.model import Bucket
from pavedroad.localcloud.objects.refusals import Refused

Rule = Mapping[str, Any]
Headers = tuple[tuple[str, str], ...]

_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
_VARY = ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
_NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
    "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by "
    "the resource's CORS spec."
)


def preflight(
    bucket: Bucket | None, headers: Mapping[str, str], kind: Literal["BUCKET", "OBJECT"]
) -> Headers:
    """What a browser hears that asks whether a page may make a call. Refuses where it may not."""
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    if not origin:
        raise Refused("BadRequest", "Insufficient information. Origin request header needed.")
    if method not in _METHODS:
        raise Refused("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    wanted = _names(headers.get("access-control-request-headers", ""))
    if bucket is None:
        raise _forbidden("CORSResponse: Bucket not found", method, kind)
    rules = _rules(bucket)
    if not rules:
        raise _forbidden("CORSResponse: CORS is not enabled for this bucket.", method, kind)
    rule = _found(rules, origin, method, wanted)
    if rule is None:
        raise _forbidden(_NOT_ALLOWED, method, kind)
    allowed = (("access-control-allow-headers", ", ".join(wanted)),) if wanted else ()
    return (*_told(rule, origin), *allowed, _VARY)


def headers_of(bucket: Bucket | None, headers: Mapping[str, str], method: str) -> Headers:
    """What goes with the answer to a page's call; nothing where no rule is for it."""
    origin = headers.get("origin")
    if not origin or bucket is None:
        return ()
    rule = _found(_rules(bucket), origin, method, ())
    return (*_told(rule, origin), _VARY) if rule is not None else ()


def _rules(bucket: Bucket) -> Sequence[Rule]:
    return bucket.configured("BucketCors", "CORSConfiguration").get("CORSRules", ())


def _found(rules: Sequence[Rule], origin: str, method: str, names: Sequence[str]) -> Rule | None:
    for rule in rules:
        if (
            method in rule["AllowedMethods"]
            and any(_matches(it, origin) for it in rule["AllowedOrigins"])
            and all(
                any(_matches(it.lower(), name) for it in rule.get("AllowedHeaders", ())) for name in names
            )
        ):
            return rule
    return None


def _told(rule: Rule, origin: str) -> Headers:
    for_all = "*" in rule["AllowedOrigins"]
    found = [
        ("access-control-allow-origin", "*" if for_all else origin),
        ("access-control-allow-methods", ", ".join(rule["AllowedMethods"])),
    ]
    if exposed := rule.get("ExposeHeaders"):
        found.append(("access-control-expose-headers", ", ".join(exposed)))
    if "MaxAgeSeconds" in rule:
        found.append(("access-control-max-age", str(rule["MaxAgeSeconds"])))
    if not for_all:
        found.append(("access-control-allow-credentials", "true"))
    return tuple(found)


def _names(said: str) -> list[str]:
    return [it.strip().lower() for it in said.split(",") if it.strip()]


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _matches(pattern: str, said: str) -> bool:
    return _pattern(pattern).fullmatch(said) is not None


def _forbidden(message: str, method: str, kind: str) -> Refused:
    return Refused("AccessForbidden", message, 403, Method=method, ResourceType=kind)
