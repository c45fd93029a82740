"""When the host is gone, nobody is called healthy on its word of before."""

from __future__ import annotations

import httpx
import psutil
import pytest

from tests.localcloud.balancing.bench import Bench, weigh
from tests.waiting import eventually


def test_without_a_host_health_is_not_known_until_the_next_one_finds_it(own_bench: Bench) -> None:
    bench = own_bench
    group = bench.group(bench.service("one"))
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    launcher, host = psutil.Process(bench.cloud.pid), bench.cloud.part("host")
    launcher.suspend()  # so that it starts no other meanwhile
    try:
        host.kill()
        eventually(lambda: bench.states(group) == {"unavailable"})
        (told,) = bench.health(group).values()
        assert told["Reason"] == "Elb.InternalError"
        assert told["Description"].startswith("Health checks are not known: the host has not answered since ")
        assert str(bench.cloud.health["host"]).startswith("not connected")
        with pytest.raises(httpx.HTTPError):
            balancer.get()
    finally:
        launcher.resume()
    bench.all_healthy(group)
    eventually(lambda: bench.cloud.health["host"] == "connected")
    assert balancer.get().text == "one"
