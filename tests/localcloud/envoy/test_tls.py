"""TLS as clients meet it: real handshakes by every policy, what targets hear, certificates that change."""

from __future__ import annotations

import asyncio
import datetime
import re
import ssl
from dataclasses import replace
from functools import cache

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from pavedroad.localcloud.balancing import ssl_policies
from pavedroad.localcloud.wanted import Certificate, Front, Manners, Redirect, Tls
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import Balancer, front, pool, rule, to

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


@cache
def certificate(name: str, kind: str = "ECDSA") -> Certificate:
    key = (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ECDSA" else rsa.generate_private_key(65537, 2048)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    arn = f"arn:aws:acm:us-east-1:1:certificate/{name}"
    return Certificate(arn, (name,), made.public_bytes(pem).decode(), private)


def terms(policy: str, *certificates: Certificate) -> Tls:
    return Tls(certificates, *ssl_policies.versions(policy), ssl_policies.served_ciphers(policy))


def client(version: str = "", cipher: str = "", *alpn: str) -> ssl.SSLContext:
    """One that takes whatever it is shown, and speaks old versions too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.set_ciphers(f"{cipher or 'ALL'}:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    if alpn:
        context.set_alpn_protocols([*alpn])
    return context


async def handshake(place: Front, context: ssl.SSLContext, name: str = "x") -> tuple[str, str, str] | None:
    """Version, cipher and the certificate's name; None where it fails."""
    try:
        _, writer = await asyncio.open_connection(
            place.address, place.port, ssl=context, server_hostname=name, ssl_handshake_timeout=20
        )
    except (ssl.SSLError, ConnectionError):
        return None
    secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
    shown = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    cipher = (secured.cipher() or ("",))[0]
    writer.transport.abort()
    return secured.version() or "", cipher, names.get_values_for_type(x509.DNSName)[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_every_policy_speaks_its_versions_and_ciphers_and_no_others(
    balancer: Balancer, service: Serve
) -> None:
    group = pool("a", (await service("secret")).target())
    policies = ssl_policies.all_policies()
    chosen = (certificate("rsa.example", "RSA"),)
    places = {it.name: replace(front(rule(to(group))), tls=terms(it.name, *chosen)) for it in policies}
    await balancer.apply([group], *places.values())
    assert balancer.routing.refused() == {}
    for policy in policies:
        place = places[policy.name]
        for version in _VERSIONS:
            shaken = await handshake(place, client(version))
            assert (shaken is not None) == (version in policy.protocols), (policy.name, version)
        if "TLSv1.2" not in policy.protocols:
            continue
        for cipher in (
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES256-SHA",
            "AES128-GCM-SHA256",
            "AES256-SHA",
        ):
            shaken = await handshake(place, client("TLSv1.2", cipher))
            assert (shaken is not None) == (cipher in policy.ciphers), (policy.name, cipher)


async def test_a_target_is_told_how_the_client_came(balancer: Balancer, service: Serve) -> None:
    target = await service("secret")
    group = pool("a", target.target())
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    safe = replace(
        front(rule(to(group))), tls=terms(policy, certificate("a.example")), manners=Manners(tls_headers=True)
    )
    plain = front(rule(to(group)), address=safe.address, port=safe.port + 1)
    await balancer.serve([group], safe, plain)
    lies = {"x-forwarded-proto": "gopher", "x-forwarded-port": "1", "x-forwarded-for": "192.0.2.1"}
    async with httpx.AsyncClient(verify=client(), trust_env=False, timeout=20) as asking:
        for place, protocol in ((safe, "https"), (plain, "http")):
            target.heard.clear()
            await asking.get(f"{protocol}://{place.address}:{place.port}/", headers=lies)
            [heard] = [it.headers for it in target.heard if "x-amzn-trace-id" in it.headers]
            assert (heard["x-forwarded-proto"], heard["x-forwarded-port"]) == (protocol, str(place.port))
            assert re.fullmatch(r"192\.0\.2\.1, ?127\.\S+", heard["x-forwarded-for"])
            assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", heard["x-amzn-trace-id"])
            assert heard.get("x-amzn-tls-version") == ("TLSv1.3" if place is safe else None)
            assert ("x-amzn-tls-cipher-suite" in heard) == (place is safe)


async def test_plain_requests_are_sent_to_the_safe_listener(balancer: Balancer, service: Serve) -> None:
    group = pool("a", (await service("secret")).target())
    safe = replace(front(rule(to(group))), tls=terms("ELBSecurityPolicy-2016-08", certificate("a.example")))
    away = Redirect(301, "HTTPS", "#{host}", str(safe.port), "/#{path}", "#{query}")
    plain = front(rule(away), address=safe.address, port=safe.port + 1)
    await balancer.serve([group], safe, plain)
    async with httpx.AsyncClient(verify=client(), trust_env=False, follow_redirects=True) as asking:
        answer = await asking.get(f"http://{plain.address}:{plain.port}/a/b?c=d")
    assert str(answer.url) == f"https://{safe.address}:{safe.port}/a/b?c=d"
    assert (answer.text, answer.history[0].status_code) == ("secret", 301)


async def test_another_default_certificate_fails_no_handshake_and_no_request(
    balancer: Balancer, service: Serve
) -> None:
    group = pool("a", (await service("secret")).target())
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    names = [f"{letter}.example" for letter in "abcd"]
    place = replace(front(rule(to(group))), tls=terms(policy, certificate(names[0])))
    await balancer.serve([group], place)
    done = asyncio.Event()
    seen: list[str] = []

    async def ask() -> None:
        async with httpx.AsyncClient(verify=client(), trust_env=False, timeout=20) as kept:
            while not done.is_set():
                shaken = await handshake(place, client())
                seen.append(shaken[2] if shaken else "no handshake")
                assert (await kept.get(f"https://{place.address}:{place.port}/")).text == "secret"

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    for name in (*names[1:], names[0]):
        after = replace(place, tls=terms(policy, certificate(name)))
        await balancer.apply([group], after)
        before = len(seen)
        while len(seen) < before + 9:
            await asyncio.sleep(0.01)
            assert not any(it.done() for it in asking)
        assert set(seen[-3:]) == {name}
    done.set()
    await asyncio.gather(*asking)
    assert set(seen) == set(names)
