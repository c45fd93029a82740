# pyright: basic, reportAttributeAccessIssue=false
"""IAM's server certificates with dates, ids and tags of their own: moto tells the same of all."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.models import Certificate, IAMBackend
from moto.iam.responses import IamResponse

ADDED = frozenset({"ListServerCertificateTags", "TagServerCertificate", "UntagServerCertificate"})
"""Operations that moto's class has not."""

_moto_upload = IAMBackend.upload_server_certificate
_moto_delete = IAMBackend.delete_server_certificate


def install() -> None:
    Certificate.uploaded_at = datetime.fromtimestamp(0, UTC)
    """When it came: not known of those that are from before it was kept."""
    IAMBackend.upload_server_certificate = _keep
    IAMBackend.delete_server_certificate = _drop
    for call in (
        upload_server_certificate,
        get_server_certificate,
        list_server_certificates,
        tag_server_certificate,
        untag_server_certificate,
        list_server_certificate_tags,
    ):
        setattr(IamResponse, call.__name__, call)


def upload_server_certificate(call: IamResponse) -> ActionResult:
    given = [call._get_param(name) for name in ("ServerCertificateName", "CertificateBody", "PrivateKey")]
    certificate = call.backend.upload_server_certificate(
        *given, cert_chain=call._get_param("CertificateChain"), path=call._get_param("Path")
    )
    tags = call._get_param("Tags", [])
    call.backend.tagger.tag_resource(certificate.arn, tags)
    said = {"Tags": tags} if tags else {}
    return ActionResult({"ServerCertificateMetadata": _metadata(call, certificate), **said})


def get_server_certificate(call: IamResponse) -> ActionResult:
    certificate = _named(call)
    shown: dict[str, Any] = {
        "ServerCertificateMetadata": _metadata(call, certificate),
        "CertificateBody": certificate.cert_body,
    }
    if certificate.cert_chain:
        shown["CertificateChain"] = certificate.cert_chain
    if tags := _tags(call, certificate):
        shown["Tags"] = tags
    return ActionResult({"ServerCertificate": shown})


def list_server_certificates(call: IamResponse) -> ActionResult:
    prefix = call._get_param("PathPrefix", "/")
    found = [it for it in call.backend.list_server_certificates() if it.path.startswith(prefix)]
    shown = [_metadata(call, it) for it in found]
    return ActionResult({"ServerCertificateMetadataList": shown, "IsTruncated": False})


def tag_server_certificate(call: IamResponse) -> EmptyResult:
    call.backend.tagger.tag_resource(_named(call).arn, call._get_param("Tags", []))
    return EmptyResult()


def untag_server_certificate(call: IamResponse) -> EmptyResult:
    call.backend.tagger.untag_resource_using_names(_named(call).arn, call._get_param("TagKeys", []))
    return EmptyResult()


def list_server_certificate_tags(call: IamResponse) -> ActionResult:
    return ActionResult({"Tags": _tags(call, _named(call)), "IsTruncated": False})


def _keep(backend: IAMBackend, *given: Any, **more: Any) -> Certificate:
    made = _moto_upload(backend, *given, **more)
    made.uploaded_at = utcnow()
    return made


def _drop(backend: IAMBackend, name: str) -> None:
    backend.tagger.delete_all_tags_for_resource(backend.get_server_certificate(name).arn)
    _moto_delete(backend, name)


def _named(call: IamResponse) -> Certificate:
    return call.backend.get_server_certificate(call._get_param("ServerCertificateName"))


def _tags(call: IamResponse, certificate: Certificate) -> list[dict[str, str]]:
    return call.backend.tagger.list_tags_for_resource(certificate.arn)["Tags"]


def _metadata(call: IamResponse, certificate: Certificate) -> dict[str, Any]:
    known = call.backend.certificates
    number = next(number for number, it in known.items() if it is certificate)
    shown = {
        "ServerCertificateName": certificate.cert_name,
        "Path": certificate.path,
        "Arn": certificate.arn,
        "ServerCertificateId": f"ASCA{number.upper()[:17]}",
        "UploadDate": certificate.uploaded_at,
    }
    with suppress(ValueError):  # one of before may be no certificate at all
        parsed = x509.load_pem_x509_certificate(certificate.cert_body.encode())
        shown["Expiration"] = parsed.not_valid_after_utc
    return shown
