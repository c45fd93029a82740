"""Bucket policies: what they may be, and what they say to callers who have shown no key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Literal, cast

from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import Bucket
from pavedroad.localcloud.objects.refusals import Refused, denied

Verdict = Literal["allow", "deny", ""]
Context = Mapping[str, str]
"""What conditions ask for, by their keys in lower case."""
Statement = Mapping[str, Any]

_LARGEST = 20 * 1024
_NEEDED = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_NARROWING = frozenset(
    {
        *("aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:sourceaccount"),
        *("aws:sourceowner", "aws:userid", "aws:principalorgid", "aws:principalarn", "aws:principalaccount"),
        *("s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
    }
)
"""Keys whose conditions make a policy one that is not for all."""


def checked(_call: Call, bucket: Bucket, text: Any) -> str:
    """As it was put. Refuses what is no policy, and a public one where those are blocked."""
    policy = _parsed(text)
    for statement in _listed(policy["Statement"]):
        _check(bucket, statement)
    blocked = bucket.configured("PublicAccessBlock", "PublicAccessBlockConfiguration")
    if blocked.get("BlockPublicPolicy") and _is_public(policy):
        raise denied(
            "Access Denied because public policies are blocked by the BlockPublicPolicy block public access "
            "setting."
        )
    return str(text)


def get_bucket_policy_status(call: Call) -> Result:
    bucket = call.bucket()
    text = bucket.configuration.get("BucketPolicy")
    if text is None:
        raise Refused("NoSuchBucketPolicy", "The bucket policy does not exist", 404, BucketName=bucket.name)
    return Result({"PolicyStatus": {"IsPublic": _is_public(_statements_of(text))}})


def verdict(bucket: Bucket, action: str, resource: str, context: Context) -> Verdict:
    """What the policy says to somebody unknown: what it denies to anybody, it denies to them."""
    text = bucket.configuration.get("BucketPolicy")
    if text is None:
        return ""
    blocked = bucket.configured("PublicAccessBlock", "PublicAccessBlockConfiguration")
    statements = [
        it
        for it in _listed(_statements_of(text)["Statement"])
        if _names(it, "Action", action, whole_case=False) and _names(it, "Resource", resource)
    ]
    if any(it["Effect"] == "Deny" and _holds(it, context) for it in statements):
        return "deny"
    open_to_all = not blocked.get("RestrictPublicBuckets")
    if open_to_all and any(
        it["Effect"] == "Allow" and _is_for_all(it) and _holds(it, context) for it in statements
    ):
        return "allow"
    return ""


@lru_cache(maxsize=256)
def _statements_of(text: str) -> Mapping[str, Any]:
    return json.loads(text)


def _parsed(text: Any) -> Mapping[str, Any]:
    try:
        policy: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    if len(str(text).encode()) > _LARGEST:
        raise _malformed("Policy exceeds the maximum allowed document size.")
    found = cast("dict[str, Any]", policy)
    statements = _listed(found.get("Statement") or ())
    if not statements or not all(isinstance(it, dict) for it in statements):
        raise _malformed("Missing required field Statement")
    return found


def _check(bucket: Bucket, statement: Statement) -> None:
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement.get('Effect')}")
    for names in _NEEDED:
        if not any(name in statement for name in names):
            raise _malformed(f"Missing required field {names[0]}")
    actions = [*_texts(statement.get("Action")), *_texts(statement.get("NotAction"))]
    if any(it != "*" and not it.lower().startswith("s3:") for it in actions):
        raise _malformed("Policy has invalid action")
    whole = f"arn:aws:s3:::{bucket.name}"
    for resource in [*_texts(statement.get("Resource")), *_texts(statement.get("NotResource"))]:
        named, slash, _ = resource.partition("/")
        if resource != "*" and not _pattern(named if slash else resource, whole_case=True).fullmatch(whole):
            raise _malformed("Policy has invalid resource")
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal != "*" and not isinstance(principal, dict):
        raise _malformed("Invalid principal in policy")
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(
        isinstance(it, dict) for it in cast("dict[str, Any]", condition).values()
    ):
        raise _malformed("Conditions do not apply to combination of actions and resources in statement")


def _is_public(policy: Mapping[str, Any]) -> bool:
    return any(
        it["Effect"] == "Allow" and _is_for_all(it) and not _is_narrowed(it)
        for it in _listed(policy["Statement"])
    )


def _is_for_all(statement: Statement) -> bool:
    principal: Any = statement.get("Principal")
    if isinstance(principal, dict):
        principal = cast("dict[str, Any]", principal).get("AWS")
    return "*" in _texts(principal)


def _is_narrowed(statement: Statement) -> bool:
    keys = {key.lower() for asked in statement.get("Condition", {}).values() for key in asked}
    return bool(keys & _NARROWING)


def _names(statement: Statement, member: str, value: str, *, whole_case: bool = True) -> bool:
    """Whether it is among the actions or resources that the statement is about."""
    other = f"Not{member}"
    name = member if member in statement else other
    found = any(_pattern(it, whole_case=whole_case).fullmatch(value) for it in _texts(statement.get(name)))
    return found if name == member else not found


def _holds(statement: Statement, context: Context) -> bool:
    """Whether all of its conditions do. What nobody here knows of, holds where it denies."""
    for operator, asked in statement.get("Condition", {}).items():
        for key, wanted in asked.items():
            if not _is_met(operator, context.get(key.lower()), _texts(wanted), statement["Effect"] == "Deny"):
                return False
    return True


def _is_met(operator: str, said: str | None, wanted: list[str], unknown: bool) -> bool:
    plain = operator.rpartition(":")[2]
    if plain == "Null":
        return (said is None) == (wanted[:1] == ["true"])
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    negated = "Not" in plain
    compare = _OPERATORS.get(plain.replace("Not", ""))
    if compare is None:
        return unknown
    if said is None:
        return optional or negated
    return any(compare(said, it) for it in wanted) != negated


def _in_network(said: str, wanted: str) -> bool:
    try:
        return ip_address(said) in ip_network(wanted, strict=False)
    except ValueError:
        return False


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda said, wanted: said == wanted,
    "StringEqualsIgnoreCase": lambda said, wanted: said.lower() == wanted.lower(),
    "StringLike": lambda said, wanted: bool(_pattern(wanted, whole_case=True).fullmatch(said)),
    "ArnEquals": lambda said, wanted: bool(_pattern(wanted, whole_case=True).fullmatch(said)),
    "ArnLike": lambda said, wanted: bool(_pattern(wanted, whole_case=True).fullmatch(said)),
    "Bool": lambda said, wanted: said.lower() == wanted.lower(),
    "NumericEquals": lambda said, wanted: said == wanted,
    "NumericLessThanEquals": lambda said, wanted: (
        said.isdigit() and wanted.isdigit() and int(said) <= int(wanted)
    ),
    "IpAddress": _in_network,
}


@lru_cache(maxsize=1024)
def _pattern(text: str, *, whole_case: bool) -> re.Pattern[str]:
    parts = (".*" if it == "*" else "." if it == "?" else re.escape(it) for it in text)
    return re.compile("".join(parts), re.DOTALL | (0 if whole_case else re.IGNORECASE))


def _listed(said: Any) -> list[Any]:
    return list(cast("Iterable[Any]", said)) if isinstance(said, list | tuple) else [said]


def _texts(said: Any) -> list[str]:
    return (
        [] if said is None else [str(it).lower() if isinstance(it, bool) else str(it) for it in _listed(said)]
    )


def _malformed(message: str) -> Refused:
    return Refused("MalformedPolicy", message)
