# pyright: basic, reportAttributeAccessIssue=false
"""KMS's keys do what their state, their use and their identity allow: moto asks none of the three."""

from __future__ import annotations

from moto.kms.models import Key, KmsBackend

from pavedroad.localcloud.errors import ServiceError

_moto_encrypt, _moto_decrypt = KmsBackend.encrypt, KmsBackend.decrypt
_moto_sign, _moto_verify = KmsBackend.sign, KmsBackend.verify


def install() -> None:
    KmsBackend.encrypt = _encrypt
    KmsBackend.decrypt = _decrypt
    KmsBackend.sign = _sign
    KmsBackend.verify = _verify


def _encrypt(self: KmsBackend, key_id: str, **more):
    _check(self.keys[self.any_id_to_key_id(key_id)], "ENCRYPT_DECRYPT", "Encrypt")
    return _moto_encrypt(self, key_id=key_id, **more)


def _decrypt(self: KmsBackend, key_id: str | None = None, **more):
    plaintext, arn = _moto_decrypt(self, **more)
    key = self.keys[self.get_key_id(arn)]
    if key_id is not None and self.any_id_to_key_id(key_id) != key.id:
        raise ServiceError(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
    _check(key, "ENCRYPT_DECRYPT", "Decrypt")
    return plaintext, arn


def _sign(self: KmsBackend, key_id: str, **more):
    _check(self.keys[self.any_id_to_key_id(key_id)], "SIGN_VERIFY", "Sign")
    return _moto_sign(self, key_id=key_id, **more)


def _verify(self: KmsBackend, key_id: str, **more):
    _check(self.keys[self.any_id_to_key_id(key_id)], "SIGN_VERIFY", "Verify")
    arn, is_valid, algorithm = _moto_verify(self, key_id=key_id, **more)
    if not is_valid:
        raise ServiceError("KMSInvalidSignatureException", "The signature is not valid.")
    return arn, is_valid, algorithm


def _check(key: Key, use: str, operation: str) -> None:
    if key.key_state == "PendingDeletion":
        raise ServiceError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise ServiceError("DisabledException", f"{key.arn} is disabled.")
    usage = key.key_usage or "ENCRYPT_DECRYPT"
    if usage != use:
        raise ServiceError(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is {usage} which is not valid for {operation}.",
        )
