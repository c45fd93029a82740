"""What buckets may be called."""

from __future__ import annotations

import re

from pavedroad.localcloud.objects.refusals import Refused

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_BEGIN = ("xn--", "sthree-", "amzn-s3-demo-")
_END = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_name(name: str) -> None:
    if (
        not _NAME.fullmatch(name)
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(_BEGIN)
        or name.endswith(_END)
    ):
        raise Refused("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
