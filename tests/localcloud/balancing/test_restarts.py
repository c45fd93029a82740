"""Balancers outlive the processes that they are made of."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, refused, weigh
from tests.waiting import eventually


def _impatient(bench: Bench) -> Any:
    """A client that does not try again."""
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "elbv2",
        region_name="us-east-1",
        endpoint_url=bench.cloud.endpoint,
        aws_access_key_id=bench.cloud.key.access_key_id,
        aws_secret_access_key=bench.cloud.key.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def _is_saved(bench: Bench, since: float) -> bool:
    snapshot = bench.cloud.home / "state.snapshot"
    return snapshot.exists() and snapshot.stat().st_mtime >= since


def _answers(balancer: Balancer, text: str) -> bool:
    try:
        return balancer.get().text == text
    except httpx.HTTPError:
        return False


@pytest.mark.slow
def test_a_cloud_that_was_stopped_balances_again_at_the_same_addresses(own_bench: Bench) -> None:
    bench = own_bench
    group = bench.group(bench.service("v1"))
    balancer = bench.balancer(weigh({group: 1}))
    bench.rule(balancer, 1, [{"Field": "path-pattern", "Values": ["/fixed"]}], fixed("still here"))
    bench.all_healthy(group)
    before = bench.api.describe_load_balancers()["LoadBalancers"]
    bench.cloud.stop()
    bench.cloud.start()
    assert bench.api.describe_load_balancers()["LoadBalancers"] == before
    eventually(lambda: _answers(balancer, "v1"), within=60)
    assert balancer.get("/fixed").text == "still here"
    bench.all_healthy(group)


def test_a_host_killed_with_minus_9_comes_back_with_all_its_balancers(own_bench: Bench) -> None:
    bench = own_bench
    group = bench.group(bench.service("v1"))
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    bench.cloud.part("host").kill()
    eventually(lambda: not _answers(balancer, "v1"), within=20)
    eventually(lambda: _answers(balancer, "v1"), within=60)
    bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=fixed("flipped"))
    assert balancer.get().text == "flipped"


def test_an_api_killed_with_minus_9_costs_no_request(own_bench: Bench) -> None:
    bench = own_bench
    group = bench.group(bench.service("v1"))
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    changed = time.time()
    bench.api.add_tags(ResourceArns=[balancer.arn], Tags=[{"Key": "a", "Value": "b"}])
    eventually(lambda: _is_saved(bench, changed), within=30)
    ended, failures, served = threading.Event(), list[str](), list[str]()

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=20) as client:
            while not ended.wait(0.01):
                try:
                    answer = client.get(f"http://{balancer.address}:8080/")
                    (served if answer.status_code == 200 else failures).append(answer.text)
                except httpx.HTTPError as error:
                    failures.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        bench.cloud.part("api").kill()
        eventually(lambda: _flips(bench, balancer, group), within=60)
        bench.all_healthy(group)
        count = len(served)
        eventually(lambda: len(served) > count + 20)
    finally:
        ended.set()
        asking.join()
    assert failures == []


def _flips(bench: Bench, balancer: Balancer, group: str) -> bool:
    try:
        bench.api.modify_listener(ListenerArn=balancer.listener, DefaultActions=weigh({group: 2}))
    except Exception:
        return False
    return True


@pytest.mark.slow
def test_what_the_balancers_do_not_take_in_time_is_refused_and_nothing_has_changed(own_bench: Bench) -> None:
    bench = own_bench
    balancer = bench.balancer(fixed("before"))
    host = bench.cloud.part("host")
    host.suspend()
    try:
        code, message = refused(
            _impatient(bench).modify_listener, ListenerArn=balancer.listener, DefaultActions=fixed("after")
        )
    finally:
        host.resume()
    assert code == "ServiceUnavailable"
    assert "have not taken the change" in message
    listed = bench.api.describe_listeners(ListenerArns=[balancer.listener])["Listeners"][0]
    assert listed["DefaultActions"][0]["FixedResponseConfig"]["MessageBody"] == "before"
    bench.rule(balancer, 1, [{"Field": "path-pattern", "Values": ["/new"]}], fixed("new"))
    assert (balancer.get().text, balancer.get("/new").text) == ("before", "new")
