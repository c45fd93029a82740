"""Classic load balancers with TLS, by certificates of ACM and of IAM, and what they keep over a restart."""

from __future__ import annotations

import socket
import ssl
import uuid
from collections.abc import Generator
from typing import Any

import pytest

from tests.localcloud.balancing.classic import Classics, listener, refused
from tests.localcloud.certificates import self_signed
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


@pytest.fixture
def classics(cloud: RunningCloud) -> Generator[Classics]:
    made = Classics(cloud)
    yield made
    made.close()


def fetched(address: str, port: int, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[str, str]:
    """The version agreed on, and who answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    with (
        socket.create_connection((address, port), timeout=20) as plain,
        context.wrap_socket(plain) as secured,
    ):
        secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: secured.recv(4096), b""))
        return secured.version() or "", answer.split()[-1].decode()


def of_iam(classics: Classics) -> str:
    made = self_signed("classic.example.com")
    name = f"c-{uuid.uuid4().hex[:8]}"
    return classics.cloud.client("iam").upload_server_certificate(
        ServerCertificateName=name,
        CertificateBody=made["Certificate"].decode(),
        PrivateKey=made["PrivateKey"].decode(),
    )["ServerCertificateMetadata"]["Arn"]


def test_https_and_ssl_show_certificates_of_acm_and_of_iam(classics: Classics) -> None:
    acm, iam = classics.cloud.client("acm"), classics.cloud.client("iam")
    of_acm: str = acm.import_certificate(**self_signed("a.example.com"))["CertificateArn"]
    mine = of_iam(classics)
    name, address = classics.make(
        listener(8443, "HTTPS", "HTTP", SSLCertificateId=of_acm),
        listener(8444, "SSL", "TCP", SSLCertificateId=mine),
    )
    [instance] = classics.serving()
    classics.register(name, instance)
    classics.in_service(name, instance)
    assert fetched(address, 8443)[1] == instance
    assert fetched(address, 8444)[1] == instance
    used = acm.describe_certificate(CertificateArn=of_acm)["Certificate"]["InUseBy"]
    assert used == [f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/{name}"]
    named = {"ServerCertificateName": mine.rpartition("/")[2]}
    assert refused(iam.delete_server_certificate, **named) == "DeleteConflict"
    classics.api.set_load_balancer_listener_ssl_certificate(
        LoadBalancerName=name, LoadBalancerPort=8444, SSLCertificateId=of_acm
    )
    iam.delete_server_certificate(**named)
    assert fetched(address, 8444)[1] == instance


def test_a_server_certificate_that_nobody_could_show_is_refused(classics: Classics) -> None:
    upload = classics.cloud.client("iam").upload_server_certificate
    made, other = self_signed("a.example.com"), self_signed("b.example.com")
    asked = {
        "ServerCertificateName": f"c-{uuid.uuid4().hex[:8]}",
        "CertificateBody": made["Certificate"].decode(),
        "PrivateKey": made["PrivateKey"].decode(),
    }
    mismatch = {**asked, "PrivateKey": other["PrivateKey"].decode()}
    assert refused(upload, **mismatch) == "KeyPairMismatch"
    assert refused(upload, **{**asked, "CertificateBody": "none"}) == "MalformedCertificate"
    assert refused(upload, **{**asked, "PrivateKey": "none"}) == "MalformedCertificate"
    upload(**asked)
    assert refused(upload, **asked) == "EntityAlreadyExists"


def test_a_policy_says_which_versions_are_served(classics: Classics) -> None:
    name, address = classics.make(listener(8443, "HTTPS", "HTTP", SSLCertificateId=of_iam(classics)))
    assert classics.described(name)["ListenerDescriptions"][0]["PolicyNames"] == ["ELBSecurityPolicy-2016-08"]
    [instance] = classics.serving()
    classics.register(name, instance)
    classics.in_service(name, instance)
    assert fetched(address, 8443)[0] == "TLSv1.2"
    given = [
        {
            "AttributeName": "Reference-Security-Policy",
            "AttributeValue": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        }
    ]
    classics.api.create_load_balancer_policy(
        LoadBalancerName=name,
        PolicyName="newer",
        PolicyTypeName="SSLNegotiationPolicyType",
        PolicyAttributes=given,
    )
    classics.api.set_load_balancer_policies_of_listener(
        LoadBalancerName=name, LoadBalancerPort=8443, PolicyNames=["newer"]
    )
    eventually(lambda: fetched(address, 8443)[0] == "TLSv1.3", within=60)


def _kept(classics: Classics, name: str) -> tuple[Any, ...]:
    api = classics.api
    return (
        classics.described(name),
        api.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"],
        api.describe_load_balancer_policies(LoadBalancerName=name)["PolicyDescriptions"],
        api.describe_tags(LoadBalancerNames=[name])["TagDescriptions"],
    )


def test_everything_is_there_again_after_a_kill(fresh_cloud: RunningCloud) -> None:
    classics = Classics(fresh_cloud)
    name, _ = classics.make(listener(8080), listener(8081, "TCP"), Tags=[{"Key": "team", "Value": "x"}])
    [instance] = classics.serving()
    classics.register(name, instance)
    classics.api.create_app_cookie_stickiness_policy(
        LoadBalancerName=name, PolicyName="stay", CookieName="session"
    )
    classics.api.set_load_balancer_policies_of_listener(
        LoadBalancerName=name, LoadBalancerPort=8080, PolicyNames=["stay"]
    )
    classics.in_service(name, instance)
    before = _kept(classics, name)
    fresh_cloud.part("api").kill()
    eventually(lambda: _kept(classics, name) == before, within=60)
    classics.in_service(name, instance)
    classics.close()
