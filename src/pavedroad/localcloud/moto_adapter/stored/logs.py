# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportPrivateImportUsage=false
"""Filter patterns of CloudWatch Logs as AWS reads them: moto lets through what has a sign in it."""

from __future__ import annotations

import moto.logs.models
from moto.logs.models import LogsBackend

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.log_patterns import PatternError, matcher

_DAYS = frozenset(
    {
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
        *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
    }
)

_moto_retention = LogsBackend.put_retention_policy


def install() -> None:
    moto.logs.models.EventMessageFilter = Filter
    LogsBackend.put_retention_policy = _retention


class Filter:
    """moto makes one for each message."""

    def __init__(self, pattern: str) -> None:
        try:
            self.matches = matcher(pattern or "")
        except PatternError as error:
            raise ServiceError("InvalidParameterException", "Invalid filter pattern") from error


def _retention(self: LogsBackend, log_group_name: str, retention_in_days: int):
    if retention_in_days not in _DAYS:
        raise ServiceError(
            "InvalidParameterException",
            f"1 validation error detected: Value '{retention_in_days}' at 'retentionInDays' failed to "
            f"satisfy constraint: Member must satisfy enum value set: {sorted(_DAYS)}",
        )
    return _moto_retention(self, log_group_name, retention_in_days)
