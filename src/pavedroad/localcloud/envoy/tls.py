"""TLS as Envoy terminates it: certificates by name, delivered apart from what uses them."""

from __future__ import annotations

from collections.abc import Iterator

from pavedroad.localcloud.envoy.documents import Document, extension
from pavedroad.localcloud.wanted import Certificate, Tls

_VERSIONS = {"TLSv1": "TLSv1_0", "TLSv1.1": "TLSv1_1", "TLSv1.2": "TLSv1_2", "TLSv1.3": "TLSv1_3"}
_TLS = "envoy.extensions.transport_sockets.tls.v3"


def secret(certificate: Certificate) -> Document:
    """A certificate and its key, replaced in place: connections live on."""
    return {
        "name": certificate.arn,
        "tls_certificate": {
            "certificate_chain": {"inline_string": certificate.chain},
            "private_key": {"inline_string": certificate.key},
        },
    }


def sniffer() -> Document:
    """Reads the name that a client asks for."""
    return extension(
        "envoy.filters.listener.tls_inspector",
        "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    )


def served(tls: Tls) -> Iterator[tuple[Certificate, list[str]]]:
    """The certificates that some client may get, and for which names: a name goes to the first that has it.
    The default, which comes first, is for whoever asks for none of them."""
    default, *others = tls.certificates
    yield default, []
    taken = set(default.names)
    for certificate in others:
        names = [name for name in dict.fromkeys(certificate.names) if name not in taken]
        taken.update(names)
        if names:
            yield certificate, names


def chains(tls: Tls, spoken: tuple[str, ...], filters: list[Document]) -> Iterator[Document]:
    """A filter chain for each certificate, so that one that comes or goes leaves the others' connections
    alone. `spoken` are the protocols that clients may choose from; none where that is not ours to say."""
    for certificate, names in served(tls):
        chain: Document = {
            "name": certificate.arn,
            "filters": filters,
            "transport_socket": _socket(certificate, tls, spoken),
        }
        yield {**chain, "filter_chain_match": {"server_names": names}} if names else chain


def _socket(certificate: Certificate, tls: Tls, spoken: tuple[str, ...]) -> Document:
    parameters: Document = {
        "tls_minimum_protocol_version": _VERSIONS[tls.oldest],
        "tls_maximum_protocol_version": _VERSIONS[tls.newest],
    }
    if tls.ciphers:
        parameters["cipher_suites"] = list(tls.ciphers)
    source: Document = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    return extension(
        "envoy.transport_sockets.tls",
        f"{_TLS}.DownstreamTlsContext",
        common_tls_context={
            "tls_params": parameters,
            "alpn_protocols": list(spoken),
            "tls_certificate_sds_secret_configs": [{"name": certificate.arn, "sds_config": source}],
        },
    )
