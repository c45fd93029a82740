# pyright: basic
"""Client tokens: an operation that was asked before with the same one answers as it did, and does nothing."""

from __future__ import annotations

import hashlib
import json

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_checks import Form

_MOST = 2000
_NOT_ASKED = ("X-Amz-", "Signature", "Timestamp", "AWSAccessKeyId", "SecurityToken", "Expires", "Version")


def answered(backend: LocalEC2Backend, form: Form) -> bytes | None:
    """What the same call answered before, without its request id; AWS's error where it was another call."""
    known = backend.answers.get(_key(form)) if form.get("ClientToken") else None
    if known is None:
        return None
    if known[0] != _fingerprint(form):
        raise ServiceError(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return known[1]


def remember(backend: LocalEC2Backend, form: Form, body: bytes) -> None:
    if form.get("ClientToken"):
        backend.answers[_key(form)] = (_fingerprint(form), body)
        while len(backend.answers) > _MOST:
            del backend.answers[next(iter(backend.answers))]


def _key(form: Form) -> tuple[str, str]:
    return form["Action"], form["ClientToken"]


def _fingerprint(form: Form) -> str:
    asked = {name: value for name, value in form.items() if not name.startswith(_NOT_ASKED)}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
