"""What each service says to a caller whom it does not let in: its own code, words and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pavedroad.localcloud.api.errors import speaks_cbor
from pavedroad.localcloud.api.signatures.version4 import TIME
from pavedroad.localcloud.errors import ServiceError

Manner = Literal["s3", "ec2", "json", "query"]
_ONCE_QUERY = frozenset({"sqs", "monitoring", ""})
"""Services that speak JSON too, with the codes of the query protocol that they spoke first."""
_NOT_VALID = "The security token included in the request is invalid."
_NO_SUCH_KEY = "The AWS Access Key Id you provided does not exist in our records."
_EC2_INVALID = "AWS was not able to validate the provided access credentials"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)


@dataclass(frozen=True, slots=True)
class Refusals:
    manner: Manner

    def unknown_key(self) -> ServiceError:
        """Nobody's, or not active."""
        return self._in_manner(
            s3=("InvalidAccessKeyId", _NO_SUCH_KEY, 403),
            ec2=("AuthFailure", _EC2_INVALID, 401),
            json=("UnrecognizedClientException", _NOT_VALID, 400),
            query=("InvalidClientTokenId", _NOT_VALID, 403),
        )

    def mismatch(self) -> ServiceError:
        return self._in_manner(
            s3=("SignatureDoesNotMatch", _S3_MISMATCH, 403),
            ec2=("AuthFailure", _EC2_INVALID, 401),
            json=("InvalidSignatureException", _MISMATCH, 400),
            query=("SignatureDoesNotMatch", _MISMATCH, 403),
        )

    def unsigned(self) -> ServiceError:
        said = "Request is missing Authentication Token"
        return self._in_manner(
            s3=("AccessDenied", "Access Denied", 403),
            ec2=("MissingAuthenticationToken", said, 403),
            json=("MissingAuthenticationTokenException", said, 400),
            query=("MissingAuthenticationToken", said, 403),
        )

    def malformed(self, why: str, *, presigned: bool = False) -> ServiceError:
        s3 = "AuthorizationQueryParametersError" if presigned else "AuthorizationHeaderMalformed"
        return self._in_manner(
            s3=(s3, why, 400),
            ec2=("IncompleteSignature", why, 400),
            json=("IncompleteSignatureException", why, 400),
            query=("IncompleteSignature", why, 400),
        )

    def other_token(self) -> ServiceError:
        return self._in_manner(
            s3=("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
            ec2=("AuthFailure", _EC2_INVALID, 401),
            json=("UnrecognizedClientException", _NOT_VALID, 400),
            query=("InvalidClientTokenId", _NOT_VALID, 403),
        )

    def expired_token(self) -> ServiceError:
        said = "The security token included in the request is expired"
        return self._in_manner(
            s3=("ExpiredToken", "The provided token has expired.", 400),
            ec2=("RequestExpired", "Request has expired.", 400),
            json=("ExpiredTokenException", said, 400),
            query=("ExpiredToken", said, 403),
        )

    def skewed(self, signed: datetime, now: datetime, bound: timedelta) -> ServiceError:
        """Signed too long ago, or not yet."""
        late = signed < now
        word, other = ("expired", "now earlier") if late else ("not yet current", "still later")
        edge, minutes = (now - bound, -bound) if late else (now + bound, bound)
        said = (
            f"Signature {word}: {signed:{TIME}} is {other} than {edge:{TIME}} "
            f"({now:{TIME}} {'-' if late else '+'} {abs(minutes).seconds // 60} min.)"
        )
        too_large = "The difference between the request time and the current time is too large."
        return self._in_manner(
            s3=("RequestTimeTooSkewed", too_large, 403),
            ec2=("RequestExpired", "Request has expired." if late else "Request is not yet valid.", 400),
            json=("InvalidSignatureException", said, 400),
            query=("SignatureDoesNotMatch", said, 403),
        )

    def past(self, ended: datetime, now: datetime) -> ServiceError:
        """A presigned address whose time is over."""
        said = f"Signature expired: {ended:{TIME}} is now earlier than {now:{TIME}}"
        return self._in_manner(
            s3=("AccessDenied", "Request has expired", 403),
            ec2=("RequestExpired", "Request has expired.", 400),
            json=("InvalidSignatureException", said, 400),
            query=("SignatureDoesNotMatch", said, 403),
        )

    def other_body(self) -> ServiceError:
        """Not what its digest says, which was signed."""
        if self.manner != "s3":
            return self.mismatch()
        said = "The provided 'x-amz-content-sha256' header does not match what was computed."
        return ServiceError("XAmzContentSHA256Mismatch", said)

    def unsigned_headers(self, names: list[str]) -> ServiceError:
        said = f"There were headers present in the request which were not signed: {', '.join(names)}"
        return ServiceError("AccessDenied", said, 403)

    def _in_manner(self, **said: tuple[str, str, int]) -> ServiceError:
        return ServiceError(*said[self.manner])


def refusals_of(service: str, headers: Mapping[str, str]) -> Refusals:
    if service in ("s3", "ec2"):
        return Refusals("s3" if service == "s3" else "ec2")
    json = "x-amz-target" in headers or headers.get("content-type", "").startswith("application/x-amz-json")
    return Refusals("json" if (json or speaks_cbor(headers)) and service not in _ONCE_QUERY else "query")
