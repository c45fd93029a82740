"""HTTPS listeners with certificates of ACM: SNI, policies, replacement without loss."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, refused
from tests.localcloud.certificates import self_signed
from tests.waiting import eventually

_PORT = 8443


def _context(newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, *alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = newest
    if alpn:
        context.set_alpn_protocols([*alpn])
    return context


def _shown(balancer: Balancer, name: str, context: ssl.SSLContext | None = None) -> tuple[set[str], str, str]:
    """The names of the certificate shown, the version, and the protocol agreed on."""
    with (
        socket.create_connection((balancer.address, _PORT), timeout=20) as plain,
        (context or _context()).wrap_socket(plain, server_hostname=name) as secured,
    ):
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            {str(it.value) for it in names},
            secured.version() or "",
            secured.selected_alpn_protocol() or "",
        )


class _Https:
    """A balancer with an HTTPS listener, and ACM."""

    def __init__(self, bench: Bench, **options: Any) -> None:
        self.acm = bench.cloud.client("acm")
        self.api = bench.api
        self.arn: str = self.acm.import_certificate(**self_signed("default.example.com"))["CertificateArn"]
        self.balancer = bench.balancer()
        self.listener: str = self.api.create_listener(
            LoadBalancerArn=self.balancer.arn,
            Protocol="HTTPS",
            Port=_PORT,
            Certificates=[{"CertificateArn": self.arn}],
            DefaultActions=fixed("secret"),
            **options,
        )["Listeners"][0]["ListenerArn"]


@pytest.fixture
def https(bench: Bench) -> Iterator[_Https]:
    made = _Https(bench)
    yield made
    bench.api.delete_listener(ListenerArn=made.listener)
    made.acm.delete_certificate(CertificateArn=made.arn)


def test_an_https_listener_shows_its_certificate_and_speaks_http_2(https: _Https) -> None:
    names, _, protocol = _shown(
        https.balancer, "anything", _context(ssl.TLSVersion.TLSv1_3, "h2", "http/1.1")
    )
    assert (names, protocol) == ({"default.example.com"}, "h2")
    answer = _fetch(https.balancer)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"secret")
    described = https.api.describe_listeners(ListenerArns=[https.listener])["Listeners"][0]
    assert described["Certificates"] == [{"CertificateArn": https.arn}]
    assert described["SslPolicy"] == "ELBSecurityPolicy-2016-08"


def test_the_default_certificate_may_be_in_the_list_as_well(https: _Https) -> None:
    again = {"ListenerArn": https.listener, "Certificates": [{"CertificateArn": https.arn}]}
    https.api.add_listener_certificates(**again)
    listed = https.api.describe_listener_certificates(ListenerArn=https.listener)["Certificates"]
    assert [it["IsDefault"] for it in listed] == [True, False]
    assert _shown(https.balancer, "anything")[0] == {"default.example.com"}
    https.api.remove_listener_certificates(**again)
    assert refused(https.api.remove_listener_certificates, **again)[0] == "OperationNotPermitted"


def test_a_policy_says_which_versions_are_spoken(https: _Https) -> None:
    def newest(policy: str) -> str:
        https.api.modify_listener(ListenerArn=https.listener, SslPolicy=policy)
        return _shown(https.balancer, "x")[1]

    assert newest("ELBSecurityPolicy-TLS-1-2-2017-01") == "TLSv1.2"
    assert newest("ELBSecurityPolicy-TLS13-1-3-2021-06") == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _shown(https.balancer, "x", _context(ssl.TLSVersion.TLSv1_2))
    call = https.api.modify_listener
    assert refused(call, ListenerArn=https.listener, SslPolicy="Nonsense")[0] == "SSLPolicyNotFound"


def test_a_second_certificate_for_a_name_serves_once_the_first_is_gone(https: _Https) -> None:
    first, second = (
        https.acm.import_certificate(**self_signed("twice.example", extra))["CertificateArn"]
        for extra in ("first.example", "twice.example")
    )
    for arn in (first, second):
        https.api.add_listener_certificates(
            ListenerArn=https.listener, Certificates=[{"CertificateArn": arn}]
        )
    assert "first.example" in _shown(https.balancer, "twice.example")[0]
    https.api.remove_listener_certificates(
        ListenerArn=https.listener, Certificates=[{"CertificateArn": first}]
    )
    assert _shown(https.balancer, "twice.example")[0] == {"twice.example"}


def test_clients_are_shown_the_certificate_for_the_name_that_they_ask_for(https: _Https) -> None:
    other = https.acm.import_certificate(**self_signed("*.other.example"))["CertificateArn"]
    requested = https.acm.request_certificate(
        DomainName="asked.example", SubjectAlternativeNames=["www.asked.example"]
    )["CertificateArn"]
    assert https.acm.describe_certificate(CertificateArn=requested)["Certificate"]["Status"] == "ISSUED"
    added = [{"CertificateArn": other}, {"CertificateArn": requested}]
    https.api.add_listener_certificates(ListenerArn=https.listener, Certificates=added)
    assert _shown(https.balancer, "a.other.example")[0] == {"*.other.example"}
    assert _shown(https.balancer, "www.asked.example")[0] == {"asked.example", "www.asked.example"}
    assert _shown(https.balancer, "unknown.example")[0] == {"default.example.com"}
    listed = https.api.describe_listener_certificates(ListenerArn=https.listener)["Certificates"]
    assert {it["CertificateArn"]: it["IsDefault"] for it in listed} == {
        https.arn: True,
        other: False,
        requested: False,
    }

    code, _ = refused(https.acm.delete_certificate, CertificateArn=other)
    assert code == "ResourceInUseException"
    users = https.acm.describe_certificate(CertificateArn=other)["Certificate"]["InUseBy"]
    assert users == [https.balancer.arn]
    https.api.remove_listener_certificates(ListenerArn=https.listener, Certificates=added)
    assert _shown(https.balancer, "a.other.example")[0] == {"default.example.com"}
    for arn in (other, requested):
        https.acm.delete_certificate(CertificateArn=arn)


def test_a_certificate_is_replaced_without_losing_a_request(https: _Https) -> None:
    failures: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                if not _fetch(https.balancer).endswith(b"secret"):
                    failures.append("another answer")
            except OSError as error:
                failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for name in ("second.example.com", "default.example.com", "third.example.com"):
        https.acm.import_certificate(CertificateArn=https.arn, **self_signed(name))
        eventually(lambda n=name: _shown(https.balancer, "x")[0] == {n})
    stop.set()
    asking.join()
    assert failures == []


def test_certificates_that_do_not_serve_are_refused(bench: Bench, https: _Https) -> None:
    elsewhere = bench.cloud.client("acm", "eu-west-1").import_certificate(**self_signed("a.example"))
    for arn in (elsewhere["CertificateArn"], f"{https.arn[:-4]}0000", "nonsense"):
        asked: dict[str, Any] = {"ListenerArn": https.listener, "Certificates": [{"CertificateArn": arn}]}
        for call in (https.api.modify_listener, https.api.add_listener_certificates):
            assert refused(call, **asked)[0] == "CertificateNotFound", arn
    assert _shown(https.balancer, "x")[0] == {"default.example.com"}
    code, _ = refused(https.acm.import_certificate, **self_signed("late.example", days=-1))
    assert code == "ValidationException"
    other = {**self_signed("a.example"), "PrivateKey": self_signed("b.example")["PrivateKey"]}
    assert refused(https.acm.import_certificate, **other)[0] == "ValidationException"


def test_no_key_is_told_to_anybody(bench: Bench, https: _Https) -> None:
    answers = [
        https.acm.describe_certificate(CertificateArn=https.arn),
        https.acm.get_certificate(CertificateArn=https.arn),
        https.api.describe_listeners(ListenerArns=[https.listener]),
        https.api.describe_listener_certificates(ListenerArn=https.listener),
    ]
    assert "PRIVATE KEY" not in str(answers)
    code, message = refused(https.acm.export_certificate, CertificateArn=https.arn, Passphrase=b"x" * 8)
    assert code == "ValidationException"
    assert "PRIVATE KEY" not in message
    assert "PRIVATE KEY" not in bench.cloud.log


def _fetch(balancer: Balancer) -> bytes:
    with (
        socket.create_connection((balancer.address, _PORT), timeout=20) as plain,
        _context().wrap_socket(plain, server_hostname="x") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := secured.recv(65536):
            received += chunk
        return received


@pytest.mark.slow
def test_certificates_and_their_listeners_outlive_a_restart(own_bench: Bench) -> None:
    https = _Https(own_bench)
    requested = https.acm.request_certificate(DomainName="asked.example")["CertificateArn"]
    https.api.add_listener_certificates(
        ListenerArn=https.listener, Certificates=[{"CertificateArn": requested}]
    )
    own_bench.cloud.stop()
    own_bench.cloud.start()
    eventually(lambda: _names_or_nothing(https.balancer, "x") == {"default.example.com"})
    assert _shown(https.balancer, "asked.example")[0] == {"asked.example"}
    assert https.acm.describe_certificate(CertificateArn=requested)["Certificate"]["Status"] == "ISSUED"


def _names_or_nothing(balancer: Balancer, name: str) -> set[str]:
    try:
        return _shown(balancer, name)[0]
    except OSError:
        return set()
