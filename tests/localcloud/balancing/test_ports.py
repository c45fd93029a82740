"""A listener's port that may not be had is mapped to one that may, and the balancer says which."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from pavedroad.localcloud.balancing.ports import choose_port
from tests.localcloud.balancing.bench import Bench, fixed
from tests.localcloud.balancing.service import fresh_address

pytestmark = pytest.mark.ordinary


def _url(bench: Bench, arn: str) -> str:
    tags = bench.api.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}["pavedroad:url"]


@contextmanager
def _not_to_be_had(address: str, port: int) -> Generator[None]:
    """Somebody holds it, unless it is one of those that an ordinary user may not have anyway."""
    with ExitStack() as held:
        with suppress(PermissionError):
            held.enter_context(socket.create_server((address, port)))
        yield


def test_a_free_port_is_taken_as_asked() -> None:
    assert choose_port([fresh_address()], 8080, ()) == 8080


def test_low_ports_go_to_the_familiar_high_ones_and_others_ten_thousand_up() -> None:
    address = fresh_address()
    assert choose_port([address], 80, {80}) == 8080
    assert choose_port([address], 443, {443}) == 8443
    assert choose_port([address], 8080, {8080}) == 18080
    assert choose_port([address], 80, {80, 8080}) == 10080
    assert choose_port([address], 80, {80, 8080, 10080}) == 20000


def test_a_port_that_somebody_holds_is_passed_over() -> None:
    address = fresh_address()
    with socket.create_server((address, 8080)):
        assert choose_port([address], 8080, ()) == 18080


def test_a_port_is_free_when_it_is_at_every_address() -> None:
    one, two = fresh_address(), fresh_address()
    with socket.create_server((two, 8080)):
        assert choose_port([one, two], 8080, ()) == 18080


def test_an_address_that_is_not_of_this_machine_has_no_ports() -> None:
    assert choose_port(["192.0.2.1"], 8080, ()) is None


def test_a_listener_on_a_taken_port_answers_at_the_url_that_its_balancer_carries(bench: Bench) -> None:
    balancer = bench.balancer()
    with socket.create_server((balancer.address, 8080)):
        listener = bench.api.create_listener(
            LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=8080, DefaultActions=fixed("moved")
        )["Listeners"][0]
        assert listener["Port"] == 8080
        url = _url(bench, balancer.arn)
        assert url == f"http://{balancer.address}:18080"
        assert httpx.get(url, trust_env=False).text == "moved"


def test_two_listeners_of_one_balancer_never_get_one_port(bench: Bench) -> None:
    balancer = bench.balancer()
    with _not_to_be_had(balancer.address, 80):
        for port, body in ((80, "first"), (8080, "second")):
            bench.api.create_listener(
                LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=port, DefaultActions=fixed(body)
            )
        url = _url(bench, balancer.arn)
        assert url == f"http://{balancer.address}:8080"
        assert httpx.get(url, trust_env=False).text == "first"
        assert httpx.get(f"http://{balancer.address}:18080", trust_env=False).text == "second"


def test_a_listener_can_move_to_another_port(bench: Bench) -> None:
    balancer = bench.balancer(fixed("here"))
    bench.api.modify_listener(ListenerArn=balancer.listener, Port=9090)
    assert httpx.get(f"http://{balancer.address}:9090", trust_env=False).text == "here"
