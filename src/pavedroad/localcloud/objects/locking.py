"""What keeps versions from being deleted: retention and legal holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pavedroad.localcloud.objects import versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import Bucket, Retention, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request, denied, malformed

_MODES = ("GOVERNANCE", "COMPLIANCE")
_HOLDS = ("ON", "OFF")
_NONE_OF_BUCKET = "Bucket is missing Object Lock Configuration"
_LOCKED = "Access Denied because object protected by object lock."


def get_object_retention(call: Call) -> Result:
    _, _, version = _asked(call)
    kept = version.settings.retention
    if kept is None:
        raise _nothing_set(call)
    return Result({"Retention": {"Mode": kept.mode, "RetainUntilDate": kept.until}})


def put_object_retention(call: Call) -> Result:
    bucket, key, version = _asked(call)
    said = call.structure("Retention")
    mode, until = said.get("Mode"), said.get("RetainUntilDate")
    if (mode is None) != (until is None) or (mode is not None and mode not in _MODES):
        raise malformed()
    new = None if mode is None or until is None else Retention(mode, _utc(until))
    if new is not None and new.until <= call.now:
        raise bad_argument(
            "The retain until date must be in the future!", "RetainUntilDate", said["RetainUntilDate"]
        )
    _check_change(call, version, new)
    changed = replace(version, settings=replace(version.settings, retention=new))
    versions.change(bucket, key, version, changed)
    return Result()


def get_object_legal_hold(call: Call) -> Result:
    _, _, version = _asked(call)
    if not version.settings.legal_hold:
        raise _nothing_set(call)
    return Result({"LegalHold": {"Status": version.settings.legal_hold}})


def put_object_legal_hold(call: Call) -> Result:
    bucket, key, version = _asked(call)
    status = call.structure("LegalHold").get("Status")
    if status not in _HOLDS:
        raise malformed()
    changed = replace(version, settings=replace(version.settings, legal_hold=status))
    versions.change(bucket, key, version, changed)
    return Result()


def of_new(call: Call, bucket: Bucket) -> tuple[Retention | None, str]:
    """Retention and legal hold of what a call puts: as it says, or as the bucket has it by default."""
    mode, until, hold = (
        call.get(f"ObjectLock{name}") for name in ("Mode", "RetainUntilDate", "LegalHoldStatus")
    )
    if mode is not None and mode not in _MODES:
        raise bad_argument("Unknown wormMode directive.", "x-amz-object-lock-mode", mode)
    if hold is not None and hold not in _HOLDS:
        raise bad_argument("Legal Hold must be either of 'ON' or 'OFF'", "x-amz-object-lock-legal-hold", hold)
    if not bucket.locks_objects:
        if mode is not None or until is not None or hold is not None:
            raise bad_request("Bucket is missing Object Lock Configuration")
        return None, ""
    if (mode is None) != (until is None):
        raise bad_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            "x-amz-object-lock-mode" if mode is None else "x-amz-object-lock-retain-until-date",
        )
    if mode is not None:
        if _utc(until) <= call.now:
            raise bad_argument(
                "The retain until date must be in the future!", "x-amz-object-lock-retain-until-date", until
            )
        return Retention(mode, _utc(until)), hold or ""
    return _default_of(call, bucket), hold or ""


def protects(version: Version, now: datetime) -> bool:
    """Whether it may not go yet, whoever wants it."""
    kept = version.settings.retention
    return version.settings.legal_hold == "ON" or (kept is not None and kept.until > now)


def check_delete(call: Call, version: Version) -> None:
    """A version that is to go for good."""
    if version.settings.legal_hold == "ON":
        raise denied(_LOCKED)
    kept = version.settings.retention
    if kept is None or kept.until <= call.now:
        return
    if kept.mode == "COMPLIANCE" or not call.get("BypassGovernanceRetention"):
        raise denied(_LOCKED)


def told(version: Version) -> dict[str, Any]:
    """The members that tell of it."""
    settings = version.settings
    found: dict[str, Any] = {}
    if settings.retention:
        found["ObjectLockMode"] = settings.retention.mode
        found["ObjectLockRetainUntilDate"] = settings.retention.until
    if settings.legal_hold:
        found["ObjectLockLegalHoldStatus"] = settings.legal_hold
    return found


def _asked(call: Call) -> tuple[Bucket, str, Version]:
    bucket = call.bucket()
    if not bucket.locks_objects:
        raise bad_request(_NONE_OF_BUCKET)
    return versions.asked(call)


def _nothing_set(call: Call) -> Refused:
    return Refused(
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
        404,
        Key=call.parameters["Key"],
    )


def _check_change(call: Call, version: Version, new: Retention | None) -> None:
    """Retention is only lengthened, but for governance, by who bypasses it."""
    kept = version.settings.retention
    if kept is None or kept.until <= call.now:
        return
    if new is not None and new.mode == kept.mode and new.until >= kept.until:
        return
    if kept.mode == "COMPLIANCE" or not call.get("BypassGovernanceRetention"):
        raise denied(_LOCKED)


def _default_of(call: Call, bucket: Bucket) -> Retention | None:
    configured = bucket.configured("ObjectLockConfiguration", "ObjectLockConfiguration")
    rule: Mapping[str, Any] = configured.get("Rule") or {}
    default: Mapping[str, Any] = rule.get("DefaultRetention") or {}
    if not default.get("Mode"):
        return None
    days = default.get("Days") or 365 * (default.get("Years") or 0)
    return Retention(default["Mode"], call.now + timedelta(days=days))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
