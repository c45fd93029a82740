"""Objects that are in an archive, and are fetched for a while: here at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pavedroad.localcloud.objects import settings, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.refusals import Refused, malformed


def restore_object(call: Call) -> Result:
    """200 where it is there already, and 202 where it had to be fetched."""
    bucket, key, version = versions.asked(call)
    if version.settings.storage_class not in settings.ARCHIVED:
        raise Refused(
            "InvalidObjectState",
            "Restore is not allowed for the object's current storage class",
            403,
            StorageClass=version.settings.storage_class,
        )
    days = call.structure("RestoreRequest").get("Days")
    if days is None or days < 1:
        raise malformed()
    was_there = version.restored_until is not None and version.restored_until > call.now
    until = (call.now + timedelta(days=days + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    restored = replace(version, restored_until=until)
    versions.change(bucket, key, version, restored)
    if not was_there:
        call.happened("ObjectRestore:Post", bucket, key, restored)
        call.happened("ObjectRestore:Completed", bucket, key, restored)
    return Result(status=200 if was_there else 202)
