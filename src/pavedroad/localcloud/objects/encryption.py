"""What is said of encryption: nothing is encrypted here, but keys of callers are asked for as S3 does."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.digests import of_base64
from pavedroad.localcloud.objects.model import Bucket, first
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request

_METHODS = ("AES256", "aws:kms", "aws:kms:dsse", "aws:fsx")
_CUSTOMERS = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_NAMES = (
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "BucketKeyEnabled",
    "SSECustomerAlgorithm",
    "SSECustomerKeyMD5",
)
_NEEDS_PARAMETERS = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided "
    "to retrieve the object."
)


def told(encryption: Mapping[str, Any]) -> dict[str, Any]:
    """The members that tell of it."""
    return {name: encryption[name] for name in _NAMES if encryption.get(name) not in (None, "", False)}


def wanted(call: Call, bucket: Bucket) -> dict[str, Any]:
    """How what the call puts is said to be encrypted; the bucket's default where it says nothing."""
    customers = customer_key(call)
    method = call.get("ServerSideEncryption")
    if customers and method:
        raise bad_argument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method "
            "specified",
            "x-amz-server-side-encryption",
            method,
        )
    if customers:
        return customers
    key_id = call.get("SSEKMSKeyId")
    if method is None:
        if key_id:
            raise bad_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                "x-amz-server-side-encryption : aws:kms",
                "x-amz-server-side-encryption",
                None,
            )
        return default_of(call, bucket)
    if method not in _METHODS:
        raise bad_argument(
            "The encryption method specified is not supported", "x-amz-server-side-encryption", method
        )
    if method == "AES256":
        if key_id:
            raise bad_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                "x-amz-server-side-encryption : aws:kms",
                "x-amz-server-side-encryption",
                method,
            )
        return {"ServerSideEncryption": "AES256"}
    by_default = default_of(call, bucket)
    bucket_key = call.get("BucketKeyEnabled", by_default.get("BucketKeyEnabled"))
    key_id = key_id or by_default.get("SSEKMSKeyId")
    return _by_kms(call, bucket, method, key_id, bucket_key)


def default_of(call: Call, bucket: Bucket) -> dict[str, Any]:
    """What the bucket's configuration says; AES256 where nobody has set one."""
    configured = bucket.configured("BucketEncryption", "ServerSideEncryptionConfiguration")
    rule = first(configured.get("Rules"))
    default: Mapping[str, Any] = rule.get("ApplyServerSideEncryptionByDefault") or {}
    method = default.get("SSEAlgorithm", "AES256")
    if method == "AES256":
        return {"ServerSideEncryption": "AES256"}
    return _by_kms(call, bucket, method, default.get("KMSMasterKeyID"), rule.get("BucketKeyEnabled"))


def customer_key(call: Call, prefix: str = "") -> dict[str, Any]:
    """What is kept of a customer's key, which itself is not; nothing where there is none."""
    algorithm, key, key_md5 = (call.get(f"{prefix}{name}") for name in _CUSTOMERS)
    if algorithm is None and key is None and key_md5 is None:
        return {}
    if algorithm is None:
        raise bad_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid "
            "encryption algorithm.",
            "x-amz-server-side-encryption",
            None,
        )
    if key is None:
        raise bad_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide an "
            "appropriate secret key.",
            "x-amz-server-side-encryption",
            None,
        )
    if algorithm != "AES256":
        raise Refused(
            "InvalidEncryptionAlgorithmError",
            "The Encryption request you specified is not valid. Supported value: AES256.",
        )
    secret = of_base64(key)
    if secret is None or len(secret) != 32:
        raise bad_argument(
            "The secret key was invalid for the specified algorithm.", "x-amz-server-side-encryption", None
        )
    if key_md5 is None:
        raise bad_argument(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client "
            "calculated MD5 of the secret key.",
            "x-amz-server-side-encryption",
            None,
        )
    digest = hashlib.md5(secret, usedforsecurity=False).digest()
    if key_md5 != base64.b64encode(digest).decode():
        raise bad_argument(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            "x-amz-server-side-encryption",
            None,
        )
    return {"SSECustomerAlgorithm": algorithm, "SSECustomerKeyMD5": key_md5}


def check_key(call: Call, encryption: Mapping[str, Any], prefix: str = "") -> None:
    """Whoever reads what was put with a customer's key has to show it; nobody shows one for other things."""
    shown = customer_key(call, prefix)
    kept = encryption.get("SSECustomerKeyMD5")
    if kept is None:
        if shown:
            raise bad_request("The encryption parameters are not applicable to this object.")
        return
    if not shown:
        raise bad_request(_NEEDS_PARAMETERS)
    if shown["SSECustomerKeyMD5"] != kept:
        raise Refused("AccessDenied", "Access Denied", 403)


def check_part_key(call: Call, encryption: Mapping[str, Any]) -> None:
    """Of a part: the key that the upload was begun with."""
    shown = customer_key(call)
    kept = encryption.get("SSECustomerKeyMD5")
    if kept is not None and not shown:
        raise bad_request(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
    if shown and kept is None:
        raise bad_request(
            "The multipart upload initiate did not request encryption. Please resend the request without "
            "sending encryption parameters."
        )
    if shown and shown["SSECustomerKeyMD5"] != kept:
        raise bad_request("The provided encryption parameters did not match the ones used originally.")


def _by_kms(call: Call, bucket: Bucket, method: str, key_id: str | None, bucket_key: Any) -> dict[str, Any]:
    """An alias and a bare id are told as ARNs, as S3 does."""
    prefix = f"arn:aws:kms:{bucket.region}:{bucket.account}:"
    if not key_id:
        arn = f"{prefix}key/{_managed_key(bucket)}"
    elif key_id.startswith("arn:"):
        arn = key_id
    else:
        arn = f"{prefix}{key_id if key_id.startswith('alias/') else f'key/{key_id}'}"
    found: dict[str, Any] = {"ServerSideEncryption": method, "SSEKMSKeyId": arn}
    return {**found, "BucketKeyEnabled": True} if bucket_key else found


def _managed_key(bucket: Bucket) -> str:
    """The id of AWS's own key for S3 in an account and region."""
    digest = hashlib.sha256(f"aws/s3 {bucket.account} {bucket.region}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
