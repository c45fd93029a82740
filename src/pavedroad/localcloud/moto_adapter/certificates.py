# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""ACM: moto's, with certificates that an authority of the cloud's own issues, and that are in use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from moto.acm.exceptions import AWSValidationException
from moto.acm.models import AWS_ROOT_CA, CertBundle, acm_backends
from moto.core.utils import utcnow

from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.outside import outside
from pavedroad.localcloud.moto_adapter.server_certificates import is_server_name, server_certificate
from pavedroad.localcloud.moto_adapter.services import Application, MotoService
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Certificate

UsersOf = Callable[[str, str], dict[str, list[str]]]
"""(account, region) -> the load balancers that use each certificate, by its ARN."""

_AUTHORITY = "Pavedroad Private Cloud CA"
_VALID = timedelta(days=395)
_BACKDATED = timedelta(hours=1)
_VALIDATE = CertBundle.validate_certificate
_VALIDATE_KEY = CertBundle.validate_pk
_DELETE = "CertificateManager.DeleteCertificate"


class MotoCertificates:
    """`Certificates` in one account and region: ACM's, and the account's server certificates of IAM."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def certificate(self, arn: str) -> Certificate | None:
        if ":server-certificate/" in arn:
            return server_certificate(self._account, arn)
        bundle = acm_backends[self._account][self._region]._certificates.get(arn)
        if bundle is None or bundle.status != "ISSUED":
            return None
        chain = bundle.cert.decode().strip() + "\n" + _chain(bundle)
        return Certificate(arn, _server_names(bundle), chain, bundle.key.decode())


class AcmService(MotoService):
    """Says which balancers use a certificate, and lets none be deleted that is in use."""

    def __init__(self, state: State, users: UsersOf) -> None:
        super().__init__("acm", state)
        self._users = users
        CertBundle.generate_cert = _issue
        CertBundle.validate_pk = _private_key
        CertBundle.validate_certificate = _validated
        CertBundle.__getstate__ = _without_parsed
        CertBundle.__setstate__ = _with_parsed

    def _locked(self, app: Application, request: ApiRequest, reading: bool) -> ApiResponse:
        with self._state.lock:
            users = self._users(request.account, request.region)
            backend = acm_backends[request.account][request.region]
            for arn, bundle in backend._certificates.items():
                bundle.in_use_by = users.get(arn, [])
            if refusal := _refusal(request, users):
                return error_response(request, refusal)
            return super()._locked(app, request, reading)


def _private_key(bundle: Any) -> Any:
    return outside(("private key", bundle.key), lambda: _VALIDATE_KEY(bundle))


def _validated(bundle: Any) -> x509.Certificate:
    """moto takes any key for any certificate, and no listener could show the two."""
    certificate = _VALIDATE(bundle)
    if bundle.validate_pk().public_key() != certificate.public_key():
        raise AWSValidationException("The certificate and the private key do not match.")
    return certificate


def _without_parsed(bundle: Any) -> dict[str, Any]:
    """For the snapshot: what was parsed from a certificate and its key cannot be pickled."""
    return {name: value for name, value in vars(bundle).items() if name not in ("_key", "_cert")}


def _with_parsed(bundle: Any, saved: dict[str, Any]) -> None:
    vars(bundle).update(saved)
    bundle._key = serialization.load_pem_private_key(bundle.key, None)
    bundle._cert = x509.load_pem_x509_certificate(bundle.cert)


def _refusal(request: ApiRequest, users: dict[str, list[str]]) -> ServiceError | None:
    if request.headers.get("x-amz-target") != _DELETE:
        return None
    try:
        arn = json.loads(request.body()).get("CertificateArn")
    except (ValueError, AttributeError):
        return None
    if not isinstance(arn, str) or not users.get(arn):
        return None
    return ServiceError(
        "ResourceInUseException", f"Certificate {arn} in account {request.account} is in use."
    )


def _chain(bundle: Any) -> str:
    """What came with it: moto adds a root of its own, which signed nothing here."""
    return bundle.chain.replace(AWS_ROOT_CA, b"").decode().strip() + "\n"


def _server_names(bundle: Any) -> tuple[str, ...]:
    """Those that a client may ask for by name."""
    names = dict.fromkeys(name.lower() for name in [bundle.common_name, *bundle.sans] if name)
    return tuple(name for name in names if is_server_name(name))


def _issue(
    domain_name: str,
    account_id: str,
    region: str,
    sans: list[str] | None = None,
    cert_authority_arn: str | None = None,
) -> Any:
    """In place of AWS's authority and its validation: issued at once, by the account's own authority here."""
    key = outside("key", _made_key)
    authority, authority_key = _authority(account_id, region)
    names = [domain_name, *(it for it in sans or [] if it != domain_name)]
    certificate = (
        _builder(domain_name[:64], authority.subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    return CertBundle(
        account_id,
        certificate.public_bytes(serialization.Encoding.PEM),
        _pem(key),
        chain=authority.public_bytes(serialization.Encoding.PEM),
        region=region,
        cert_type="PRIVATE" if cert_authority_arn is not None else "AMAZON_ISSUED",
        cert_status="ISSUED",
        cert_authority_arn=cert_authority_arn,
    )


def _authority(account: str, region: str) -> tuple[x509.Certificate, Any]:
    """Kept with moto's state, so that it is one and the same as long as the cloud's state is."""
    backend = acm_backends[account][region]
    held = getattr(backend, "pavedroad_authority", None)
    if held is None:
        key = outside("authority's key", _made_key)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _AUTHORITY)])
        made = (
            _builder(_AUTHORITY, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        held = backend.pavedroad_authority = (made.public_bytes(serialization.Encoding.PEM), _pem(key))
    certificate, pem = held
    key = outside(("private key", pem), lambda: serialization.load_pem_private_key(pem, None))
    return x509.load_pem_x509_certificate(certificate), key


def _made_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _builder(name: str, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utcnow() - _BACKDATED)
        .not_valid_after(utcnow() + _VALID)
    )


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
