"""Classic load balancers: what tools of an earlier time know, on real instances."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.localcloud.balancing.classic import PORT, QUICK, Classics, answers, listener, refused, said
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


@pytest.fixture
def classics(cloud: RunningCloud) -> Generator[Classics]:
    made = Classics(cloud)
    yield made
    made.close()


def test_http_and_tcp_reach_instances_that_are_in_service_and_no_others(classics: Classics) -> None:
    name, address = classics.make(listener(8080), listener(8081, "TCP"))
    assert answers(address, 1) == {"503"}
    first, second = classics.serving(2)
    classics.register(name, first, second)
    classics.in_service(name, first, second)
    assert answers(address) == {first, second}
    heard = said(address, 8081, b"GET / HTTP/1.0\r\n\r\n")
    assert heard.split()[-1].decode() in (first, second)
    classics.deregister(name, first)
    assert answers(address) == {second}
    assert set(classics.states(name)) == {second}


def test_an_instance_that_fails_its_check_is_out_of_service_and_says_why(classics: Classics) -> None:
    name, address = classics.make()
    [instance] = classics.serving()
    classics.register(name, instance)
    classics.in_service(name, instance)
    check = {"Target": f"HTTP:{PORT}/missing", **QUICK}
    given = classics.api.configure_health_check(LoadBalancerName=name, HealthCheck=check)
    assert given["HealthCheck"] == classics.described(name)["HealthCheck"] == check
    eventually(lambda: classics.states(name)[instance] == ("OutOfService", "Instance"), within=90)
    [found] = classics.api.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
    assert found["Description"].startswith("Instance has failed at least the UnhealthyThreshold number")
    assert "404" in found["Description"]
    classics.ec2.stop_instances(InstanceIds=[instance])
    eventually(
        lambda: (
            classics.api.describe_instance_health(LoadBalancerName=name)["InstanceStates"][0]["Description"]
            == "Instance is in the stopped state."
        ),
        within=90,
    )
    assert answers(address, 1) == {"503"}


def test_an_instance_in_a_zone_that_is_not_enabled_gets_nothing_until_it_is(classics: Classics) -> None:
    name, address = classics.make(AvailabilityZones=["us-east-1b"])
    [instance] = classics.serving()
    classics.register(name, instance)
    assert classics.states(name)[instance] == ("OutOfService", "ELB")
    on = classics.api.enable_availability_zones_for_load_balancer(
        LoadBalancerName=name, AvailabilityZones=["us-east-1a"]
    )
    assert on["AvailabilityZones"] == ["us-east-1a", "us-east-1b"]
    classics.in_service(name, instance)
    assert answers(address, 4) == {instance}
    off = classics.api.disable_availability_zones_for_load_balancer(
        LoadBalancerName=name, AvailabilityZones=["us-east-1a"]
    )
    assert off["AvailabilityZones"] == ["us-east-1b"]
    last = {"LoadBalancerName": name, "AvailabilityZones": ["us-east-1b"]}
    turn_off = classics.api.disable_availability_zones_for_load_balancer
    assert refused(turn_off, **last) == "InvalidConfigurationRequest"


def test_clients_stay_by_the_balancers_cookie(classics: Classics) -> None:
    name, address = classics.make()
    both = classics.serving(2)
    classics.register(name, *both)
    classics.in_service(name, *both)
    classics.api.create_lb_cookie_stickiness_policy(
        LoadBalancerName=name, PolicyName="stay", CookieExpirationPeriod=60
    )
    classics.api.set_load_balancer_policies_of_listener(
        LoadBalancerName=name, LoadBalancerPort=8080, PolicyNames=["stay"]
    )
    with httpx.Client(timeout=20, trust_env=False) as client:
        met = {client.get(f"http://{address}:8080/").text for _ in range(12)}
        assert list(client.cookies) == ["AWSELB"]
    assert len(met) == 1
    described = classics.described(name)
    assert described["ListenerDescriptions"][0]["PolicyNames"] == ["stay"]
    sticky = described["Policies"]["LBCookieStickinessPolicies"]
    assert sticky == [{"PolicyName": "stay", "CookieExpirationPeriod": 60}]
    used = {"LoadBalancerName": name, "PolicyName": "stay"}
    assert refused(classics.api.delete_load_balancer_policy, **used) == "InvalidConfigurationRequest"
    classics.api.set_load_balancer_policies_of_listener(
        LoadBalancerName=name, LoadBalancerPort=8080, PolicyNames=[]
    )
    classics.api.delete_load_balancer_policy(**used)
    assert classics.described(name)["Policies"]["LBCookieStickinessPolicies"] == []


def test_it_is_described_as_it_was_made(classics: Classics) -> None:
    subnets = sorted(
        it["SubnetId"]
        for it in classics.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])[
            "Subnets"
        ]
    )[:2]
    name, address = classics.make(
        listener(8080, at=PORT + 1), Subnets=subnets, Scheme="internal", Tags=[{"Key": "team", "Value": "x"}]
    )
    found = classics.described(name)
    assert found["DNSName"] == address
    assert sorted(found["Subnets"]) == subnets
    assert found["Scheme"] == "internal"
    assert found["Instances"] == []
    assert found["SourceSecurityGroup"]["GroupName"] == "default"
    assert found["ListenerDescriptions"] == [
        {"Listener": listener(8080, at=PORT + 1), "PolicyNames": []},
    ]
    [tagged] = classics.api.describe_tags(LoadBalancerNames=[name])["TagDescriptions"]
    assert {"Key": "team", "Value": "x"} in tagged["Tags"]
    classics.api.remove_tags(LoadBalancerNames=[name], Tags=[{"Key": "team"}])
    [tagged] = classics.api.describe_tags(LoadBalancerNames=[name])["TagDescriptions"]
    assert "team" not in [it["Key"] for it in tagged["Tags"]]
    newer = classics.cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert name not in [it["LoadBalancerName"] for it in newer]


def test_attributes_are_kept_and_draining_waits_for_requests(classics: Classics) -> None:
    name, _ = classics.make()
    wanted: dict[str, Any] = {
        "CrossZoneLoadBalancing": {"Enabled": True},
        "ConnectionDraining": {"Enabled": True, "Timeout": 7},
        "ConnectionSettings": {"IdleTimeout": 33},
    }
    classics.api.modify_load_balancer_attributes(LoadBalancerName=name, LoadBalancerAttributes=wanted)
    found = classics.api.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"]
    assert {key: found[key] for key in wanted} == wanted
    only = {"ConnectionSettings": {"IdleTimeout": 34}}
    classics.api.modify_load_balancer_attributes(LoadBalancerName=name, LoadBalancerAttributes=only)
    found = classics.api.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"]
    assert found["ConnectionDraining"] == wanted["ConnectionDraining"]


def test_listeners_come_and_go(classics: Classics) -> None:
    name, address = classics.make()
    [instance] = classics.serving()
    classics.register(name, instance)
    classics.in_service(name, instance)
    create = classics.api.create_load_balancer_listeners
    create(LoadBalancerName=name, Listeners=[listener(8082)])
    eventually(lambda: answers(address, 1, 8082) == {instance}, within=60)
    create(LoadBalancerName=name, Listeners=[listener(8082)])
    assert refused(create, LoadBalancerName=name, Listeners=[listener(8082, at=1)]) == "DuplicateListener"
    classics.api.delete_load_balancer_listeners(LoadBalancerName=name, LoadBalancerPorts=[8080, 9999])
    ports = [it["Listener"]["LoadBalancerPort"] for it in classics.described(name)["ListenerDescriptions"]]
    assert ports == [8082]
    classics.in_service(name, instance)
    with pytest.raises(OSError, match="refused"):
        said(address, 8080, b"")


@pytest.mark.parametrize(
    ("listeners", "code"),
    [
        ([listener(8080, "HTTP", "TCP")], "InvalidConfigurationRequest"),
        ([listener(8080, "HTTPS")], "InvalidConfigurationRequest"),
        ([listener(8080, "SPDY")], "UnsupportedProtocol"),
        ([listener(8080), listener(8080)], "DuplicateListener"),
        ([listener(8080, at=70000)], "ValidationError"),
        ([listener(70000)], "ValidationError"),
        (
            [listener(8443, "HTTPS", SSLCertificateId="arn:aws:acm:us-east-1:1:certificate/none")],
            "CertificateNotFound",
        ),
        ([], "InvalidConfigurationRequest"),
    ],
)
def test_listeners_that_cannot_be_are_refused_and_nothing_is_made(
    classics: Classics, listeners: list[dict[str, Any]], code: str
) -> None:
    create = classics.api.create_load_balancer
    asked = {"LoadBalancerName": "refused", "Listeners": listeners, "AvailabilityZones": classics.zones}
    assert refused(create, **asked) == code
    describe = classics.api.describe_load_balancers
    assert refused(describe, LoadBalancerNames=["refused"]) == "LoadBalancerNotFound"


@pytest.mark.parametrize(
    "target", ["HTTP:80", "TCP:80/", "HTTP:0/", "UDP:80", "HTTP:80 /", "HTTP:70000/", "80/", ""]
)
def test_a_health_check_that_cannot_be_is_refused_and_the_old_one_stays(
    classics: Classics, target: str
) -> None:
    name, _ = classics.make()
    configure, check = classics.api.configure_health_check, {"Target": target, **QUICK}
    assert refused(configure, LoadBalancerName=name, HealthCheck=check) == "ValidationError"
    assert classics.described(name)["HealthCheck"]["Target"] == f"TCP:{PORT}"


def test_what_is_unknown_is_said_in_awss_words(classics: Classics) -> None:
    name, _ = classics.make()
    api = classics.api
    there, nobody = {"LoadBalancerName": name}, [{"InstanceId": "i-00000000000000000"}]
    assert refused(api.describe_instance_health, LoadBalancerName="none") == "LoadBalancerNotFound"
    register = api.register_instances_with_load_balancer
    assert refused(register, **there, Instances=nobody) == "InvalidInstance"
    assert refused(api.describe_instance_health, **there, Instances=nobody) == "InvalidInstance"
    policies = api.set_load_balancer_policies_of_listener
    assert refused(policies, **there, LoadBalancerPort=1, PolicyNames=[]) == "ListenerNotFound"
    assert refused(policies, **there, LoadBalancerPort=8080, PolicyNames=["x"]) == "PolicyNotFound"
    kind = {"PolicyName": "p", "PolicyTypeName": "None"}
    assert refused(api.create_load_balancer_policy, **there, **kind) == "PolicyTypeNotFound"
    assert refused(api.describe_load_balancer_policies, **there, PolicyNames=["x"]) == "PolicyNotFound"
    same = {"Listeners": [listener(9)], "AvailabilityZones": classics.zones}
    assert refused(api.create_load_balancer, **there, **same) == "DuplicateLoadBalancerName"
    api.delete_load_balancer(LoadBalancerName="none")
