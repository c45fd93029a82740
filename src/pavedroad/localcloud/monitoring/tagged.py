"""Tags of alarms, for the tagging API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pavedroad.localcloud.monitoring.model import Region
from pavedroad.localcloud.tagging.model import Tagged


class TaggedAlarms:
    """`pavedroad.localcloud.tagging.model.Tags`."""

    def __init__(
        self,
        region_of: Callable[[str, str], Region],
        call: Callable[[str, str, str, dict[str, Any]], object],
    ) -> None:
        self._region_of = region_of
        self._call = call

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        for alarm in self._region_of(account, region).alarms.values():
            yield Tagged(alarm.arn, "cloudwatch:alarm", alarm.tags)

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:cloudwatch:")

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._call(account, region, "TagResource", {"ResourceARN": arn, "Tags": listed})

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        self._call(account, region, "UntagResource", {"ResourceARN": arn, "TagKeys": list(keys)})
