"""The endpoint's gate: what must be signed, and by whom; or, on an explicit wish, nothing."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import BinaryIO, Protocol
from urllib.parse import parse_qsl, unquote

from pavedroad.core.callers import is_perhaps_a_page
from pavedroad.localcloud.api.scope import Scope, is_link
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.api.signatures import chunks, forms, version2, version4
from pavedroad.localcloud.api.signatures.keys import Credentials, Keys
from pavedroad.localcloud.api.signatures.message import Message
from pavedroad.localcloud.api.signatures.refusals import Refusals, refusals_of
from pavedroad.localcloud.errors import ServiceError

_SKEW = timedelta(minutes=15)
_LONGEST = 7 * 24 * 3600
_PIECE = 1 << 20
_NEGATIVE = "X-Amz-Expires must be non-negative"
_TOO_LONG = (
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
    f"{_LONGEST} seconds"
)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_DIGEST = re.compile("[0-9a-f]{64}")
_NOTHING = hashlib.sha256().hexdigest()
_OF_PROVIDERS = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})

CheckBody = Callable[[ApiRequest], None]
"""Raises where the body is not what was signed."""


Proof = Callable[[bytes], bool]
"""Told of the body as it comes: whether it has said by now who sends it. Raises where that is nobody."""


@dataclass(frozen=True, slots=True)
class Admission:
    """`anonymous` callers have shown no key: what they may do is for the service to say. Who is not `known`
    may be anybody until the body has been looked at, or has given a `proof`."""

    check: CheckBody | None = None
    anonymous: bool = False
    known: bool = True
    proof: Proof | None = None


class Gate(Protocol):
    """Everything raises `ServiceError`, in the called service's manner."""

    @property
    def credentials(self) -> str:
        """Which it takes, for whoever asks how the cloud does."""
        ...

    @property
    def asks_for_proof(self) -> bool:
        """Whether callers must sign, or be let in by the service that they call."""
        ...

    def admit(self, message: Message, called: Scope) -> Admission:
        """Before the body has come."""
        ...

    def admit_form(self, message: Message, called: Scope, form: bytes) -> None:
        """What only the body says of its caller, if anything does."""
        ...


class AnyCredentials:
    """Opens to everybody but browsers. What says itself until when it is good, is not good any longer."""

    credentials = "any (open)"
    asks_for_proof = False

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now

    def admit(self, message: Message, called: Scope) -> Admission:
        if is_perhaps_a_page(message.headers):
            raise ServiceError(
                "AccessDenied",
                "This may be a web page's request; its browser does not say. Sign it by an Authorization "
                "header.",
                403,
            )
        if called.service != "s3" or "authorization" in message.headers:
            return Admission()
        self._hold_to_time(message, refusals_of("s3", message.headers))
        return Admission(partial(self._check_upload, message) if _is_upload(message) else None)

    def _hold_to_time(self, message: Message, refusals: Refusals) -> None:
        """A presigned address, as far as it says one."""
        with suppress(version2.Malformed, version4.Malformed):
            if "X-Amz-Credential" in message.parameters:
                _demand_lifetime(version4.claim_of_query(message), self._now(), refusals)
            elif "Expires" in message.parameters and "AWSAccessKeyId" in message.parameters:
                ends = version2.s3_claim_of_query(message).ends
                if ends is not None and ends <= (now := self._now()):
                    raise refusals.past(ends, now)

    def _check_upload(self, message: Message, request: ApiRequest) -> None:
        form = forms.form_of(request.stream, message.headers["content-type"])
        if "policy" in form.fields:
            forms.hold_to_policy(form, _buckets(message), self._now())

    def admit_form(self, message: Message, called: Scope, form: bytes) -> None:
        self.admit(message, called)
        if not (called.key or dict(parse_qsl(form.decode("latin-1"))).get("Action") in _OF_PROVIDERS):
            raise refusals_of(called.service, message.headers).unsigned()


class SignedOnly:
    """Opens to who signs by a key that `keys` know."""

    credentials = "signed by a key of this cloud"
    asks_for_proof = True

    def __init__(self, keys: Keys, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._keys = keys
        self._now = now

    def admit(self, message: Message, called: Scope) -> Admission:
        refusals = refusals_of(called.service, message.headers)
        said = message.headers.get("authorization", "")
        try:
            if said.startswith(version4.ALGORITHM):
                claim = version4.claim_of_header(message)
                _demand_same(called, claim.key, claim.service)
                return self._of_header(message, claim, refusals)
            if "X-Amz-Credential" in message.parameters:
                claim = version4.claim_of_query(message)
                _demand_same(called, claim.key, claim.service)
                return self._of_address(message, claim, refusals)
        except version4.Malformed as error:
            raise refusals.malformed(str(error), presigned=not said) from None
        try:
            if said.startswith("AWS "):
                return self._of_old(version2.s3_claim_of_header(message), refusals)
            if "AWSAccessKeyId" in message.parameters:
                if called.service == "s3":
                    return self._of_old(version2.s3_claim_of_query(message), refusals)
                pairs = parse_qsl(message.query, keep_blank_values=True)
                self._of_old(version2.query_claim(message, pairs), refusals)
                _demand_no_other_name(message, refusals)
                return Admission(partial(_check_empty, refusals))
        except version2.Malformed as error:
            raise refusals.malformed(str(error)) from None
        return self._unsigned(message, called, refusals)

    def admit_form(self, message: Message, called: Scope, form: bytes) -> None:
        refusals = refusals_of(called.service, message.headers)
        pairs = parse_qsl(form.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
        if not called.key:
            if dict(pairs).get("Action") in _OF_PROVIDERS:
                raise ServiceError(
                    "InvalidIdentityToken",
                    "This cloud cannot ask the identity provider whether its token is good. Sign the call by "
                    "a key of this cloud.",
                )
            raise refusals.unsigned()
        try:
            self._of_old(version2.query_claim(message, pairs), refusals)
        except version2.Malformed as error:
            raise refusals.malformed(str(error)) from None
        _demand_no_other_name(message, refusals)
        if message.query:
            raise refusals.mismatch()

    def _of_header(self, message: Message, claim: version4.Claim, refusals: Refusals) -> Admission:
        found = self._known(claim.key, claim.token, refusals)
        self._in_time(claim.time, refusals)
        _all_signed(message, claim, refusals)
        payload = message.headers.get("x-amz-content-sha256")
        if payload is None:
            return Admission(partial(_check_all, message, claim, found, refusals))
        if not claim.is_of(message, payload, found.secret):
            raise refusals.mismatch()
        return Admission(_check_of(payload, claim, found, refusals))

    def _of_address(self, message: Message, claim: version4.Claim, refusals: Refusals) -> Admission:
        found = self._known(claim.key, claim.token, refusals)
        _demand_lifetime(claim, self._now(), refusals)
        _all_signed(message, claim, refusals)
        payload = message.headers.get("x-amz-content-sha256")
        if payload is None and claim.service.lower() == "s3":
            payload = message.parameters.get("X-Amz-Content-Sha256", _UNSIGNED)
        if payload is None:
            return Admission(partial(_check_all, message, claim, found, refusals))
        if not claim.is_of(message, payload, found.secret):
            raise refusals.mismatch()
        return Admission(_check_of(payload, claim, found, refusals))

    def _of_old(self, claim: version2.Claim, refusals: Refusals) -> Admission:
        found = self._known(claim.key, claim.token, refusals)
        if claim.signed is not None:
            self._in_time(claim.signed, refusals)
        if claim.ends is not None and claim.ends <= (now := self._now()):
            raise refusals.past(claim.ends, now)
        if not claim.is_by(found.secret):
            raise refusals.mismatch()
        return Admission()

    def _unsigned(self, message: Message, called: Scope, refusals: Refusals) -> Admission:
        if called == Scope("sns", called.region, "") and is_link(
            message.method, message.path, message.headers, message.query
        ):
            return Admission(partial(_check_empty, refusals), known=False)
        if called.service != "s3":
            raise refusals.unsigned()
        if _is_upload(message):
            if message.query:
                raise refusals.unsigned()
            kind = message.headers["content-type"]
            ahead = forms.Ahead(kind, partial(self._hold, message, refusals, size_known=False))
            return Admission(partial(self._check_upload, message, refusals), known=False, proof=ahead)
        return Admission(anonymous=True, known=False)

    def _check_upload(self, message: Message, refusals: Refusals, request: ApiRequest) -> None:
        """A form says itself who has signed it."""
        form = forms.form_of(request.stream, message.headers["content-type"])
        self._hold(message, refusals, form, size_known=True)

    def _hold(self, message: Message, refusals: Refusals, form: forms.Form, *, size_known: bool) -> int:
        """To its signature and policy. Gives the largest file that it may bring."""
        fields = form.fields
        if "policy" not in fields:
            raise refusals.unsigned()
        token = fields.get("x-amz-security-token", "")
        if credential := fields.get("x-amz-credential"):
            try:
                key, date, region, service = version4.signed_key(credential)
            except version4.Malformed as error:
                raise refusals.malformed(str(error)) from None
            found = self._known(key, token, refusals)
            signing = version4.signing_key(found.secret, date, region, service)
            signed = service == "s3" and forms.is_signed_by(form, found.secret, signing)
        else:
            found = self._known(fields.get("awsaccesskeyid", ""), token, refusals)
            signed = forms.is_signed_by(form, found.secret, None)
        if not signed:
            raise refusals.mismatch()
        return forms.hold_to_policy(form, _buckets(message), self._now(), size_known=size_known)

    def _known(self, key: str, token: str, refusals: Refusals) -> Credentials:
        found = self._keys(key)
        if found is None:
            raise refusals.unknown_key()
        if not hmac.compare_digest(found.token.encode(), token.encode("latin-1", "replace")):
            raise refusals.other_token()
        if found.expires is not None and found.expires <= self._now():
            raise refusals.expired_token()
        return found

    def _in_time(self, signed: datetime, refusals: Refusals) -> None:
        if abs(signed - (now := self._now())) > _SKEW:
            raise refusals.skewed(signed, now, _SKEW)


def _is_upload(message: Message) -> bool:
    """A web page's form with a file."""
    kind = message.headers.get("content-type", "")
    return message.method == "POST" and kind.startswith("multipart/form-data")


def _demand_lifetime(claim: version4.Claim, now: datetime, refusals: Refusals) -> None:
    """Of a presigned address."""
    lasts = claim.lasts or 0
    if not 0 < lasts <= _LONGEST:
        raise refusals.malformed(_TOO_LONG if lasts > 0 else _NEGATIVE, presigned=True)
    if claim.time - now > _SKEW:
        raise refusals.skewed(claim.time, now, _SKEW)
    if (ends := claim.time + timedelta(seconds=lasts)) <= now:
        raise refusals.past(ends, now)


def _demand_same(called: Scope, key: str, service: str) -> None:
    """That what is called is what is signed: a header may name two. Our own pages are of no service."""
    if called.service and (called.key, called.service) != (key, service.lower()):
        raise version4.Malformed("The Credential is said twice.")


def _demand_no_other_name(message: Message, refusals: Refusals) -> None:
    """Version 2 of the query protocol signs parameters and no header: none may say what is called."""
    if any(name in message.headers for name in ("x-amz-target", "smithy-protocol")):
        raise refusals.mismatch()


def _all_signed(message: Message, claim: version4.Claim, refusals: Refusals) -> None:
    """S3 heeds no header of AWS's that is not signed."""
    if refusals.manner != "s3":
        return
    left = {"x-amz-content-sha256"} if claim.lasts is not None else set[str]()
    own = {name for name in message.headers if name.startswith("x-amz-")} - left - set(claim.signed)
    if own:
        raise refusals.unsigned_headers(sorted(own))


def _check_of(
    payload: str, claim: version4.Claim, found: Credentials, refusals: Refusals
) -> CheckBody | None:
    """How a body is held to what was signed as its digest."""
    if payload in (_UNSIGNED, chunks.UNSIGNED_TRAILER):
        return None
    if _DIGEST.fullmatch(payload):
        return partial(_check_digest, payload, refusals)
    if payload in (chunks.SIGNED, chunks.SIGNED_TRAILER):
        trailer = payload == chunks.SIGNED_TRAILER
        return partial(_check_chunks, claim, found.secret, trailer, refusals)
    raise ServiceError(
        "InvalidArgument",
        f"x-amz-content-sha256 must be {_UNSIGNED}, {chunks.UNSIGNED_TRAILER}, {chunks.SIGNED}, "
        f"{chunks.SIGNED_TRAILER}, or a valid sha256 value.",
    )


def _check_digest(digest: str, refusals: Refusals, request: ApiRequest) -> None:
    if not hmac.compare_digest(_digest_of(request), digest):
        raise refusals.other_body()


def _check_chunks(
    claim: version4.Claim, secret: str, trailer: bool, refusals: Refusals, request: ApiRequest
) -> None:
    if not chunks.are_signed(request.stream, claim, secret, trailer=trailer):
        raise refusals.mismatch()


def _check_all(
    message: Message, claim: version4.Claim, found: Credentials, refusals: Refusals, request: ApiRequest
) -> None:
    """Where the digest of the body is signed and not said."""
    if not claim.is_of(message, _digest_of(request), found.secret):
        raise refusals.mismatch()


def _check_empty(refusals: Refusals, request: ApiRequest) -> None:
    """A link, or an address by version 2, says no more than is in it."""
    if request.length:
        raise refusals.unsigned()


def _digest_of(request: ApiRequest) -> str:
    if not request.length:
        return _NOTHING
    digest = hashlib.sha256()
    for piece in _pieces(request.stream):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(stream: BinaryIO) -> Iterable[bytes]:
    stream.seek(0)
    return iter(lambda: stream.read(_PIECE), b"")


def _buckets(message: Message) -> tuple[str, ...]:
    """The bucket that a form is sent to, by the host's name or else by the path; none where both say one."""
    path = unquote(message.path.strip("/"))
    if not message.bucket:
        return (path,)
    return () if path else (message.bucket,)
