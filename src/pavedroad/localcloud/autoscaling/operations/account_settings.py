"""Account settings, by which AWS announces changes that break things. It has named none so far, so that every
name is unknown."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.operations import settings


def describe(call: Call) -> Result:
    settings.page_size(call, default=50, most=100)
    if call.get("Name"):
        raise _unknown(call.parameters["Name"])
    return {"Settings": []}


def put(call: Call) -> Result:
    raise _unknown(call.parameters["Name"])


def _unknown(name: str) -> Exception:
    return refused(f"Account setting not found - There is no account setting with the name {name}")


OPERATIONS: dict[str, Operation] = {"DescribeAccountSettings": describe, "PutAccountSetting": put}
