# pyright: basic, reportAttributeAccessIssue=false, reportPrivateImportUsage=false
"""KMS's RSA keys are made with the state lock let go: one of 4,096 bits takes seconds."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import moto.kms.utils
from cryptography.hazmat.primitives.asymmetric import rsa

from pavedroad.localcloud.moto_adapter.outside import outside
from pavedroad.localcloud.moto_adapter.stored import key_states


def install() -> None:
    moto.kms.utils.rsa = SimpleNamespace(generate_private_key=_made)
    key_states.install()


def _made(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
    return outside(("rsa", key_size), partial(rsa.generate_private_key, public_exponent, key_size))
