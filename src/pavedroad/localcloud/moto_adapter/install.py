# pyright: basic, reportAttributeAccessIssue=false
"""Everything that is changed in moto, in one call before the first backend is made."""

from __future__ import annotations

import os

from moto.core.common_models import BaseModel
from moto.core.utils import get_service_model

from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.moto_adapter import (
    ec2_backend,
    ec2_multi_attach,
    ec2_routing,
    iam_certificates,
    iam_conflicts,
    iam_policies,
    iam_updates,
    keys,
    picked_xml,
    route53_records,
    topic_messages,
    topics,
)


def install(block: Block) -> None:
    os.environ["MOTO_ACCOUNT_ID"] = ec2_backend.ACCOUNT
    BaseModel.__new__ = _untracked
    ec2_backend.install(block)
    ec2_multi_attach.install()
    ec2_routing.install()
    topics.install()
    topic_messages.install()
    keys.install()
    iam_certificates.install()
    iam_policies.install()
    iam_conflicts.install()
    iam_updates.install()
    picked_xml.install()
    route53_records.install()
    _end_namespaces()


def _untracked(cls: type[BaseModel], *_: object, **__: object) -> BaseModel:
    """moto keeps a list of every object that it ever made, for its tests' resets: nothing would be freed."""
    return object.__new__(cls)


def _end_namespaces() -> None:
    """AWS ends EC2's XML namespace with a slash, which its model leaves out and strict clients look for."""
    metadata = get_service_model("ec2").metadata
    metadata["xmlNamespace"] = metadata["xmlNamespace"].rstrip("/") + "/"


def account_of(_: str) -> str:
    """Any key is accepted, and all keys are of the one account: addresses exist but once on a machine."""
    return ec2_backend.ACCOUNT
