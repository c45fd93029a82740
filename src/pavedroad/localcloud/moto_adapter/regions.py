# pyright: basic, reportAttributeAccessIssue=false
"""moto with this cloud's three regions alone.

moto asks botocore for every region of every partition, at import and for each service: half a second of
reading. So its EC2 models are imported here, before all else, with a session that knows ours.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from moto.core.base_backend import AccountSpecificBackend

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")


class OurRegions:
    """What moto asks of a `boto3.Session`."""

    def get_available_partitions(self) -> list[str]:
        return ["aws"]

    def get_available_regions(self, service: str, partition_name: str = "aws") -> list[str]:
        return list(REGIONS) if partition_name == "aws" else []


def limit() -> None:
    AccountSpecificBackend.get_session = classmethod(lambda _: OurRegions())
    with _session_of_ours(), _offerings_of_ours():
        importlib.import_module("moto.ec2.models")


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
def _offerings_of_ours() -> Generator[None]:
    """moto reads a file for each region of what instance types it offers; of these, ours."""
    kept = os.listdir

    def listdir(path=".") -> list[str]:
        names = kept(path)
        if "instance_type_offerings" not in str(path):
            return names
        return [name for name in names if "." not in name or name.partition(".")[0] in REGIONS]

    os.listdir = listdir
    try:
        yield
    finally:
        os.listdir = kept
