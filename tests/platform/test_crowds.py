"""Thousands of connections that ask nothing, at both doors of a running platform."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from pavedroad.core.limits import raise_open_files
from tests.running_platform import Platform

_CROWD = 2000


@pytest.fixture(autouse=True)
def enough_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_open_files()
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2 * _CROWD + 200:
        pytest.skip("this user may not open enough files to be a crowd")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_two_thousand_who_ask_nothing_stop_nobody(platform: Platform) -> None:
    _stop_nobody(platform)


@pytest.mark.slow
def test_nor_do_they_where_few_open_files_are_usual(fresh_platform: Platform) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        fresh_platform.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    _stop_nobody(fresh_platform)


def _stop_nobody(platform: Platform) -> None:
    with ExitStack() as crowd:
        for port in (platform.port, platform.cloud_port):
            for _ in range(_CROWD):
                crowd.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        assert httpx.get(f"{platform.url}/healthz", trust_env=False).status_code == 200
        assert httpx.get(f"{platform.endpoint}/_pavedroad/health", trust_env=False).status_code == 200
        with platform.client() as api:
            status = api.get("/v1/status").json()
        assert status["cloud"]["reachable"]
        assert [part["restarts"] for part in status["parts"]] == [0, 0]
        assert platform.aws("ec2").describe_instances()["Reservations"] is not None
        assert sum(_connections(process) for process in platform.processes()) >= 2 * _CROWD


def _connections(process: psutil.Process) -> int:
    try:
        return len(process.net_connections("tcp"))
    except psutil.Error:
        return 0
