"""Network load balancers: connections are handed on as they are, over TCP and TLS."""

from __future__ import annotations

import ssl

import httpx
import pytest

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, refused
from tests.localcloud.certificates import self_signed


def _network(bench: Bench, subnets: int = 1) -> Balancer:
    made = bench.api.create_load_balancer(
        Name=bench.name("nlb"), Type="network", Scheme="internal", Subnets=bench.subnets[:subnets]
    )["LoadBalancers"][0]
    assert (made["Type"], made["LoadBalancerArn"].split("/")[1]) == ("network", "net")
    assert "SecurityGroups" not in made
    balancer = Balancer(made["LoadBalancerArn"], made["DNSName"])
    bench.keep(balancer)
    return balancer


def _streams(bench: Bench, *labels: str, **options: str) -> str:
    services = [bench.service(label) for label in labels]
    asked = {"Protocol": "TCP", "HealthCheckProtocol": "TCP", **options}
    return bench.group(*services, **asked)


def _to(group: str) -> list[dict[str, str]]:
    return [{"Type": "forward", "TargetGroupArn": group}]


def test_connections_reach_targets_that_can_be_connected_to(bench: Bench) -> None:
    balancer, group = _network(bench, subnets=3), _streams(bench, "one", "two")
    [made] = bench.api.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="TCP", Port=9000, DefaultActions=_to(group)
    )["Listeners"]
    assert (made["Protocol"], made["Port"]) == ("TCP", 9000)
    bench.all_healthy(group)
    [shown] = bench.api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert (shown["Protocol"], shown["HealthCheckProtocol"]) == ("TCP", "TCP")
    assert not {"ProtocolVersion", "HealthCheckPath", "Matcher"} & shown.keys()
    heard = {httpx.get(f"http://{balancer.address}:9000/", trust_env=False).text for _ in range(20)}
    assert len(heard) == 2


def test_tls_ends_at_the_balancer(bench: Bench) -> None:
    acm = bench.cloud.client("acm")
    certificate = acm.import_certificate(**self_signed("streams.example"))["CertificateArn"]
    balancer, group = _network(bench), _streams(bench, "one")
    [made] = bench.api.create_listener(
        LoadBalancerArn=balancer.arn,
        Protocol="TLS",
        Port=9443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=_to(group),
    )["Listeners"]
    assert made["Protocol"] == "TLS"
    bench.all_healthy(group)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    assert httpx.get(f"https://{balancer.address}:9443/", verify=trusting, trust_env=False).status_code == 200


def test_a_check_of_a_page_may_stand_beside_connections(bench: Bench) -> None:
    group = _streams(bench, "one", HealthCheckProtocol="HTTP")
    [shown] = bench.api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert (shown["HealthCheckPath"], shown["Matcher"]) == ("/", {"HttpCode": "200-399"})
    bench.api.modify_target_group(TargetGroupArn=group, HealthCheckProtocol="TCP")
    [shown] = bench.api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert "HealthCheckPath" not in shown


def test_what_is_of_the_other_type_is_refused(bench: Bench) -> None:
    network, application = _network(bench), bench.balancer()
    streams, requests = _streams(bench), bench.group()
    listener = {"LoadBalancerArn": network.arn, "Protocol": "TCP", "Port": 9000}
    create = bench.api.create_listener
    assert refused(create, **listener, DefaultActions=_to(requests))[0] == "InvalidConfigurationRequest"
    assert refused(create, **listener, DefaultActions=fixed("no"))[0] == "ValidationError"
    assert (
        refused(create, **{**listener, "Protocol": "HTTP"}, DefaultActions=_to(streams))[0]
        == "ValidationError"
    )
    there = {"LoadBalancerArn": application.arn, "Port": 8080}
    assert refused(create, **there, Protocol="TCP", DefaultActions=_to(streams))[0] == "ValidationError"
    asked = refused(create, **there, Protocol="HTTP", DefaultActions=_to(streams))
    assert asked[0] == "InvalidConfigurationRequest"
    group = refused(
        bench.api.modify_target_group_attributes,
        TargetGroupArn=streams,
        Attributes=[{"Key": "slow_start.duration_seconds", "Value": "30"}],
    )
    assert group[0] == "ValidationError"


@pytest.mark.parametrize(
    ("key", "value"),
    [("load_balancing.cross_zone.enabled", "true"), ("deletion_protection.enabled", "false")],
)
def test_it_has_attributes_of_its_own(bench: Bench, key: str, value: str) -> None:
    balancer = _network(bench)
    bench.api.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": key, "Value": value}]
    )
    told = bench.api.describe_load_balancer_attributes(LoadBalancerArn=balancer.arn)["Attributes"]
    shown = {it["Key"]: it["Value"] for it in told}
    assert shown[key] == value
    assert "routing.http2.enabled" not in shown
