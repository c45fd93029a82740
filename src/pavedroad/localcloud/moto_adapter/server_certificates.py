# pyright: basic
"""IAM: moto's, whose server certificates load balancers show too; none is deleted that is in use."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from moto.iam.models import iam_backends

from pavedroad.localcloud.api.calls import operation_of
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.model_checks import checks_of
from pavedroad.localcloud.moto_adapter.services import Application, MotoService
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Certificate

_NAMED = b"ServerCertificate"
"""In the forms of all calls that are about them: no other is read with the lock held."""

UsersOf = Callable[[str], set[str]]
"""account -> the ARNs of all certificates that load balancers show, in whatever region."""


class IamService(MotoService):
    def __init__(self, state: State, users: UsersOf) -> None:
        super().__init__("iam", state)
        self._users = users

    def handle(self, request: ApiRequest) -> ApiResponse:
        uploads = operation_of(request) == "UploadServerCertificate"
        if uploads and not checks_of("iam").refusal(request) and (refusal := _flaw(_form(request))):
            return error_response(request, refusal)
        return super().handle(request)

    def _locked(self, app: Application, request: ApiRequest, reading: bool) -> ApiResponse:
        concerned = not reading and _NAMED in request.body()
        with self._state.lock:
            if concerned and (refusal := self._conflict(request)):
                return error_response(request, refusal)
            return super()._locked(app, request, reading)

    def _conflict(self, request: ApiRequest) -> ServiceError | None:
        operation, name = operation_of(request), _form(request).get("ServerCertificateName", "")
        kept = iam_backends[request.account]["aws"].certificates.values()
        found = next((it for it in kept if it.cert_name == name), None)
        if found is None:
            return None
        if operation == "UploadServerCertificate":
            words = f"The Server Certificate with name {name} already exists."
            return ServiceError("EntityAlreadyExists", words, 409)
        if operation == "DeleteServerCertificate" and found.arn in self._users(request.account):
            words = f"Certificate: {name} is currently in use by a load balancer."
            return ServiceError("DeleteConflict", words, 409)
        return None


def _form(request: ApiRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body().decode(errors="replace"), keep_blank_values=True))


def _flaw(said: dict[str, str]) -> ServiceError | None:
    """What keeps a certificate from being shown with its key."""
    body, key = said.get("CertificateBody", ""), said.get("PrivateKey", "")
    try:
        certificate = x509.load_pem_x509_certificate(body.encode())
        if chain := said.get("CertificateChain", "").strip():
            x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return ServiceError("MalformedCertificate", "Unable to parse certificate: it is not PEM of X.509.")
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ServiceError("MalformedCertificate", "Unable to parse key: it is not PEM, or has a password.")
    if private.public_key() != certificate.public_key():
        return ServiceError("KeyPairMismatch", "The certificate and the private key do not match.")
    return None


def server_certificate(account: str, arn: str) -> Certificate | None:
    """A server certificate of IAM by its ARN."""
    kept = iam_backends[account]["aws"].certificates.values()
    found = next((it for it in kept if it.arn == arn), None)
    if found is None:
        return None
    chain = "\n".join(it.strip() for it in (found.cert_body, found.cert_chain or "") if it) + "\n"
    return Certificate(arn, _names_in(found.cert_body), chain, found.private_key)


@lru_cache(maxsize=256)
def _names_in(certificate: str) -> tuple[str, ...]:
    """Those that it is for; none where it cannot be read."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate.encode())
        common = [str(it.value) for it in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        others = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = [*common, *others.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        listed = common
    except ValueError:
        return ()
    names = dict.fromkeys(name.lower() for name in listed)
    return tuple(name for name in names if is_server_name(name))


def is_server_name(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        rest = name.removeprefix("*.")
        return "*" not in rest and " " not in rest and rest != ""
    return False
