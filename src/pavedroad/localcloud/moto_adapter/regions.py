# pyright: basic, reportAttributeAccessIssue=false
"""moto with this cloud's regions alone.

moto asks botocore for every region of every partition, at import and for each service, and reads what each
offers: seconds of reading. So its EC2 models are imported here, before all else, with a session that knows
ours. What a region offers is read when it is first asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.base_backend import AccountSpecificBackend
from moto.utilities.utils import load_resource

from pavedroad.localcloud.regions import REGIONS

_LIKE_IT = "ap-southeast-5"
"""A new and small region, in whose place those stand that moto knows nothing of."""


class OurRegions:
    """What moto asks of a `boto3.Session`."""

    def get_available_partitions(self) -> list[str]:
        return ["aws"]

    def get_available_regions(self, service: str, partition_name: str = "aws") -> list[str]:
        return list(REGIONS) if partition_name == "aws" else []


def limit() -> None:
    AccountSpecificBackend.get_session = classmethod(lambda _: OurRegions())
    with _session_of_ours(), _no_offerings():
        importlib.import_module("moto.ec2.models")
    offerings = sys.modules["moto.ec2.models.instance_types"].INSTANCE_TYPE_OFFERINGS
    offerings.update({kind: Offerings(kind) for kind in offerings})


class Offerings(dict[str, list[dict[str, str]]]):
    """What instance types each region has, as moto knows it, by where: the region, its zones or their ids."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, region: str) -> list[dict[str, str]]:
        self[region] = found = [
            {"InstanceType": name, "LocationType": self._kind, "Location": place}
            for place, names in _offered(self._kind, region)
            for name in names
        ]
        return found

    def get(self, region: str, default=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        return self[region] if region in REGIONS else default


def _offered(kind: str, region: str) -> Iterator[tuple[str, list[str]]]:
    """Places and their types. A zone that moto knows nothing of has what its region has."""
    everywhere = [it["InstanceType"] for it in _read("region", region)]
    if kind == "region":
        yield region, everywhere
        return
    known = defaultdict(list)
    for it in _read("availability-zone", region):
        known[it["Location"]].append(it["InstanceType"])
    for zone in REGIONS[region].zones:
        yield zone.name if kind == "availability-zone" else zone.id, known.get(zone.name, everywhere)


def _read(kind: str, region: str) -> list[dict[str, str]]:
    return known_of(f"ec2/resources/instance_type_offerings/{kind}", region)


def known_of(folder: str, region: str) -> list[dict[str, Any]]:
    """What moto has in a folder of a file for each region."""
    try:
        return load_resource(f"{folder}/{region}.json")
    except FileNotFoundError:
        return load_resource(f"{folder}/{_LIKE_IT}.json")


@contextmanager
def _session_of_ours() -> Generator[None]:
    boto3 = sys.modules["boto3"]  # moto's: it is not ours to import
    kept = boto3.Session
    boto3.Session = OurRegions
    try:
        yield
    finally:
        boto3.Session = kept


@contextmanager
def _no_offerings() -> Generator[None]:
    """moto reads a file of them for each region."""
    kept = os.listdir

    def listdir(path=".") -> list[str]:
        names = kept(path)
        return (
            [name for name in names if "." not in name] if "instance_type_offerings" in str(path) else names
        )

    os.listdir = listdir
    try:
        yield
    finally:
        os.listdir = kept
