"""Lifecycle rules: what they may say, and when they end an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from pavedroad.localcloud.objects.buckets.checks import new_rule_id
from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import Bucket, Version
from pavedroad.localcloud.objects.refusals import bad_argument, bad_request, malformed

Rule = Mapping[str, Any]

SMALLEST = "all_storage_classes_128K"
_SIZE = "TransitionDefaultMinimumObjectSize"
_MOST_RULES = 1000
_LONGEST_ID = 255
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_ACTIONS = (
    *("Expiration", "Transitions", "NoncurrentVersionTransitions", "NoncurrentVersionExpiration"),
    "AbortIncompleteMultipartUpload",
)


def checked(call: Call, _bucket: Bucket, document: Any) -> Any:
    """With an id for each rule."""
    rules = document["Rules"]
    if not 1 <= len(rules) <= _MOST_RULES:
        raise malformed()
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(ids) != len(set(ids)):
        raise bad_argument("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        _check_rule(rule)
    kept = [rule if rule.get("ID") else {**rule, "ID": new_rule_id()} for rule in rules]
    return {"Rules": kept, _SIZE: call.get(_SIZE, SMALLEST)}


def expiration_of(bucket: Bucket, key: str, version: Version) -> str | None:
    """As `x-amz-expiration` says when a rule will end the object, and which."""
    ends = [(at, rule) for rule in _rules(bucket) if (at := _end(rule, key, version)) is not None]
    if not ends:
        return None
    at, rule = min(ends, key=lambda it: it[0])
    return f'expiry-date="{at:%a, %d %b %Y %H:%M:%S GMT}", rule-id="{quote(rule["ID"], safe="")}"'


def has_ended(bucket: Bucket, key: str, version: Version, now: datetime) -> bool:
    """Whether a rule ends the object that is the newest version of its key."""
    return any((at := _end(rule, key, version)) is not None and at <= now for rule in _rules(bucket))


def has_lapsed(
    bucket: Bucket, key: str, version: Version, *, since: datetime, newer: int, now: datetime
) -> bool:
    """Whether a rule ends a version that has not been the newest `since` then, with so many between them."""
    for rule in _rules(bucket):
        said = rule.get("NoncurrentVersionExpiration")
        if said and said.get("NoncurrentDays") and _is_for(rule, key, version):
            kept = said.get("NewerNoncurrentVersions", 0)
            if newer >= kept and _midnight_after(since, said["NoncurrentDays"]) <= now:
                return True
    return False


def is_abandoned(bucket: Bucket, key: str, begun: datetime, now: datetime) -> bool:
    """Whether a rule ends an upload that has not been completed."""
    for rule in _rules(bucket):
        days = rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")
        if days and key.startswith(_prefix(rule)) and _midnight_after(begun, days) <= now:
            return True
    return False


def cleans_markers(bucket: Bucket, key: str) -> bool:
    """Whether a rule ends delete markers that mark nothing any more."""
    return any(
        rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker") and key.startswith(_prefix(rule))
        for rule in _rules(bucket)
    )


def has_rules(bucket: Bucket) -> bool:
    return any(True for _ in _rules(bucket))


def _rules(bucket: Bucket) -> Iterator[Rule]:
    kept = bucket.configured("BucketLifecycleConfiguration", "LifecycleConfiguration")
    rules: Sequence[Rule] = kept.get("Rules", ())
    return (rule for rule in rules if rule["Status"] == "Enabled")


def _end(rule: Rule, key: str, version: Version) -> datetime | None:
    said = rule.get("Expiration")
    if not said or not _is_for(rule, key, version):
        return None
    if said.get("Days"):
        return _midnight_after(version.at, said["Days"])
    return said.get("Date")


def _midnight_after(at: datetime, days: int) -> datetime:
    """S3 counts whole days, to the next midnight of UTC."""
    whole = at.astimezone(UTC) + timedelta(days=days)
    return datetime.combine(whole.date() + timedelta(days=1), time(), UTC)


def _filter(rule: Rule) -> Mapping[str, Any]:
    """All that a key must be, flat."""
    said: Mapping[str, Any] = rule.get("Filter") or {}
    both: Mapping[str, Any] = said.get("And") or {}
    tags = [*both.get("Tags", ()), *([said["Tag"]] if "Tag" in said else [])]
    return {**said, **both, "Tags": tags}


def _prefix(rule: Rule) -> str:
    return str(_filter(rule).get("Prefix") or rule.get("Prefix") or "")


def _is_for(rule: Rule, key: str, version: Version) -> bool:
    said = _filter(rule)
    return (
        key.startswith(_prefix(rule))
        and all(version.settings.tags.get(it["Key"]) == it["Value"] for it in said["Tags"])
        and version.size > said.get("ObjectSizeGreaterThan", -1)
        and version.size < said.get("ObjectSizeLessThan", version.size + 1)
    )


def _check_rule(rule: Rule) -> None:
    if len(rule.get("ID", "")) > _LONGEST_ID:
        raise bad_argument(f"ID length should not exceed allowed limit of {_LONGEST_ID}")
    if ("Filter" in rule) == ("Prefix" in rule):
        raise malformed()
    said: Mapping[str, Any] = rule.get("Filter") or {}
    if len(said) > 1:
        raise malformed()
    if not any(rule.get(name) for name in _ACTIONS):
        raise bad_request("At least one action needs to be specified in a rule.")
    _check_expiration(rule)
    for transition in rule.get("Transitions", ()):
        _check_transition(transition)
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if noncurrent is not None:
        _check_positive(noncurrent.get("NoncurrentDays"), "NoncurrentDays", "NoncurrentVersionExpiration")
    aborting = rule.get("AbortIncompleteMultipartUpload")
    if aborting is not None:
        if _filter(rule)["Tags"]:
            raise bad_request("AbortIncompleteMultipartUpload cannot be specified with Tags.")
        _check_positive(
            aborting.get("DaysAfterInitiation"), "DaysAfterInitiation", "AbortIncompleteMultipartUpload"
        )


def _check_expiration(rule: Rule) -> None:
    said = rule.get("Expiration")
    if said is None:
        return
    if len(said) != 1:
        raise malformed()
    if "Days" in said:
        _check_positive(said["Days"], "Days", "Expiration")
    if "Date" in said:
        _check_midnight(said["Date"])
    if "ExpiredObjectDeleteMarker" in said and _filter(rule)["Tags"]:
        raise bad_request("ExpiredObjectDeleteMarker cannot be specified with Tags.")
    kinds = {name for it in (said, *rule.get("Transitions", ())) for name in it if name in ("Days", "Date")}
    if len(kinds) > 1:
        raise bad_request(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for "
            f"prefix '{_prefix(rule)}'"
        )


def _check_transition(said: Mapping[str, Any]) -> None:
    if len(said.keys() & {"Days", "Date"}) != 1 or "StorageClass" not in said:
        raise malformed()
    if "Date" in said:
        _check_midnight(said["Date"])
        return
    if said["Days"] < 0:
        raise bad_argument("'Days' in Transition action must be nonnegative")
    if said["StorageClass"] in _INFREQUENT and said["Days"] < 30:
        raise bad_argument(
            "'Days' in Transition action must be greater than or equal to 30 for storageClass "
            f"'{said['StorageClass']}'"
        )


def _check_positive(value: int | None, name: str, action: str) -> None:
    if value is None:
        raise malformed()
    if value <= 0:
        raise bad_argument(f"'{name}' for {action} action must be a positive integer")


def _check_midnight(at: datetime) -> None:
    if at.astimezone(UTC).time() != time():
        raise bad_argument("'Date' must be at midnight GMT")
