"""Each guest's metadata service: AWS's own client finds what it looks for, and only the holder of a token."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest

from pavedroad.core import seclusion
from pavedroad.localcloud.host import peers
from pavedroad.localcloud.host.imds import GatewayImds
from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually

_CREDENTIALS = {
    "Code": "Success",
    "LastUpdated": "2030-01-01T00:00:00Z",
    "Type": "AWS-HMAC",
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "secret",
    "Token": "session",
    "Expiration": "2099-01-01T00:00:00Z",
}
_METADATA = {
    "meta-data/placement/availability-zone": "us-east-1a",
    "meta-data/placement/region": "us-east-1",
    "meta-data/tags/instance/Name": "web",
    "meta-data/iam/security-credentials/web-role": json.dumps(_CREDENTIALS),
    "dynamic/instance-identity/document": '{"region": "us-east-1"}',
}
_IP_MINTTL = 21
"""Of Linux: packets that have fewer hops left are dropped as they come."""
_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"


@pytest.fixture(scope="module")
def service(machine: Machine) -> httpx.Client:
    """The metadata service of a guest that requires tokens."""
    it = guest("sleep 1000", user_data="colour: green", metadata=_METADATA, require_token=True)
    machine.want(it)
    machine.running(it)
    return httpx.Client(base_url=f"http://{it.address}:1338")


@pytest.fixture(scope="module")
def token(service: httpx.Client) -> dict[str, str]:
    answer = service.put("/latest/api/token", headers={_TTL: "60"})
    assert (answer.status_code, answer.headers[_TTL]) == (200, "60")
    return {_TOKEN: answer.text}


def test_folders_are_listed_as_aws_lists_them(service: httpx.Client, token: dict[str, str]) -> None:
    assert service.get("/latest/", headers=token).text == "dynamic/\nmeta-data/\nuser-data"
    assert service.get("/latest/meta-data/", headers=token).text == "iam/\ninstance-id\nplacement/\ntags/"
    assert service.get("/latest/meta-data/placement", headers=token).text == "availability-zone\nregion"
    assert service.get("/2021-07-15/meta-data/placement/region", headers=token).text == "us-east-1"


def test_texts_and_user_data_are_read(service: httpx.Client, token: dict[str, str]) -> None:
    assert service.get("/latest/meta-data/tags/instance/Name", headers=token).text == "web"
    assert service.get("/latest/user-data", headers=token).text == "colour: green"
    document = service.get("/latest/dynamic/instance-identity/document", headers=token)
    assert document.json()["region"] == "us-east-1"
    assert document.headers["content-type"] == "text/plain"


def test_what_is_not_there_is_not_found(service: httpx.Client, token: dict[str, str]) -> None:
    for path in (
        "/latest/meta-data/nothing",
        "/nothing",
        "/latest/../../etc/passwd",
        "/latest/meta-data/x/y",
    ):
        assert service.get(path, headers=token).status_code == 404


def test_without_a_token_or_with_a_wrong_one_nothing_is_told(service: httpx.Client) -> None:
    assert service.get("/latest/meta-data/").status_code == 401
    for wrong in (b"x", b"9999999999-abc", b"nan-", "9999999999999-é".encode()):
        assert service.get("/latest/meta-data/", headers=[(_TOKEN.encode(), wrong)]).status_code == 401


@pytest.mark.parametrize("ttl", ["0", "21601", "soon", "", "-5", "9" * 5000])
def test_a_senseless_lifetime_of_a_token_is_refused(service: httpx.Client, ttl: str) -> None:
    assert service.put("/latest/api/token", headers={_TTL: ttl}).status_code == 400
    assert service.put("/latest/api/token").status_code == 400


def test_a_forwarded_request_gets_no_token(service: httpx.Client) -> None:
    answer = service.put("/latest/api/token", headers={_TTL: "60", "X-Forwarded-For": "1.2.3.4"})
    assert answer.status_code == 403


def test_a_token_ends_with_its_lifetime(service: httpx.Client) -> None:
    token = {_TOKEN: service.put("/latest/api/token", headers={_TTL: "1"}).text}
    eventually(lambda: service.get("/latest/meta-data/", headers=token).status_code == 401)


def test_other_methods_and_broken_requests_are_refused(service: httpx.Client, token: dict[str, str]) -> None:
    assert service.delete("/latest/meta-data/", headers=token).status_code == 405
    assert service.post("/latest/meta-data/", headers=token, content=b"x" * 100_000).status_code in (400, 405)


def test_a_guest_without_user_data_has_none_and_version_one_is_allowed(machine: Machine) -> None:
    it = guest("sleep 1000")
    machine.want(it)
    machine.running(it)
    service = f"http://{it.address}:1338"
    assert httpx.get(f"{service}/latest/user-data").status_code == 404
    assert httpx.get(f"{service}/latest/meta-data/instance-id").text == it.id
    machine.want(replace(it, metadata={**it.metadata, "meta-data/tags/instance/Name": "new"}))
    eventually(lambda: httpx.get(f"{service}/latest/meta-data/tags/instance/Name").text == "new")


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells packets by the hops that they have left"
)
def test_a_token_travels_as_many_hops_as_the_instance_says_and_what_it_opens_any(machine: Machine) -> None:
    it = guest("sleep 1000", metadata=_METADATA)
    machine.want(it)
    machine.running(it)
    assert token_beyond_a_router(it.address) == b""
    machine.want(replace(it, metadata_hops=2))
    assert eventually(lambda: token_beyond_a_router(it.address)).startswith(b"HTTP/1.1 200")


def token_beyond_a_router(address: str) -> bytes:
    """What comes of a token for one whose packets have one hop more to go than those of who is beside it."""
    with socket.create_connection((address, 1338), timeout=0.5) as client:
        client.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, 2)
        client.sendall(f"PUT /latest/api/token HTTP/1.1\r\nHost: {address}\r\n{_TTL}: 60\r\n\r\n".encode())
        try:
            answer = client.recv(4096)
            client.sendall(f"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            return answer if client.recv(4096).startswith(b"HTTP/1.1 200") else b""
        except TimeoutError:
            return b""


_FETCH = """
import boto3
from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher
found = boto3.Session().get_credentials()
print(found.method, found.access_key, found.get_frozen_credentials().token)
print("complete")
"""


def test_boto3_inside_a_guest_finds_its_roles_credentials(machine: Machine) -> None:
    it = guest(f"{sys.executable} -c '{_FETCH}'", metadata=_METADATA, require_token=True)
    machine.want(it)
    assert "iam-role ASIAEXAMPLE session" in machine.printed(it, "complete")


async def test_guests_that_boot_at_once_share_the_gateway_of_their_networks() -> None:
    gateway = "127.13.77.1"
    service = GatewayImds(gateway, f"http://{gateway}:1338")
    booting = [guest() for _ in range(20)]
    try:
        assert set(await asyncio.gather(*map(service.open, booting))) == {f"http://{gateway}:1338"}
    finally:
        service.close_all()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "metadata.evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "localhost:1338"},
        {"Host": ""},
        {"Origin": "http://127.0.0.1:1338"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_other_names_and_browsers_are_refused(
    service: httpx.Client, token: dict[str, str], headers: dict[str, str]
) -> None:
    assert service.get("/latest/meta-data/instance-id", headers={**token, **headers}).status_code == 403
    assert service.put("/latest/api/token", headers={_TTL: "60", **headers}).status_code == 403


def test_the_name_that_aws_has_for_it_is_its_own(service: httpx.Client, token: dict[str, str]) -> None:
    for host in ("169.254.169.254", f"{service.base_url.host}:1338", service.base_url.host):
        assert service.get("/latest/user-data", headers={**token, "Host": host}).status_code == 200


_ASK = """
import http.client, sys
client = http.client.HTTPConnection(sys.argv[1], 1338)
client.request("PUT", "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
print(client.getresponse().status)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_this_machine_is_a_stranger(service: httpx.Client) -> None:
    ask = ["/usr/bin/python3", "-c", _ASK, service.base_url.host]
    asked = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *ask]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "403\n"
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "200\n"


@pytest.mark.skipif(seclusion.way() != "users", reason="guests are our own user's here")
def test_another_guest_is_a_stranger(machine: Machine) -> None:
    asked = guest("sleep 1000", metadata=_METADATA)
    machine.want(asked)
    machine.running(asked)
    fetch = f"/usr/bin/python3 -c '{_ASK}' {asked.address}; /usr/bin/python3 -c '{_ASK}' $HOST; echo complete"
    asking = guest(f"{fetch}; sleep 1000")
    machine.want(asking)
    assert machine.printed(asking, "complete").splitlines() == ["403", "200", "complete"]


async def test_who_has_a_guests_address_without_its_network_is_no_guest() -> None:
    """Any user may ask from any address of 127.0.0.0/8 that is no other network's."""
    gateway = "127.13.78.1"
    imds = GatewayImds(gateway, f"http://{gateway}:1338")
    it = guest()
    try:
        await imds.open(it)
        answers = [await asyncio.to_thread(_ask_from, it.address, gateway, user) for user in _users()]
    finally:
        imds.close_all()
    assert answers == [b"HTTP/1.1 200", b"HTTP/1.1 403"][: len(answers)]


def _users() -> list[int]:
    return [os.geteuid(), 65534] if os.geteuid() == 0 else [os.geteuid()]


def _ask_from(address: str, gateway: str, user: int) -> bytes:
    with socket.socket() as client:
        os.fchown(client.fileno(), user, -1)  # whose it is, as if that user had made it
        client.bind((address, 0))
        client.settimeout(10)
        client.connect((gateway, 1338))
        client.sendall(f"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: {gateway}\r\n\r\n".encode())
        return client.recv(4096)[:12]


async def test_nobody_fills_the_memory_by_what_is_asked_or_left_unread() -> None:
    gateway = "127.13.78.2"
    imds = GatewayImds(gateway, f"http://{gateway}:1338")
    await imds.open(guest())
    try:
        assert (await asyncio.to_thread(_ask_at_length, gateway)).startswith(b"HTTP/1.1 400")
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(_ask_without_end, gateway)
    finally:
        imds.close_all()


def _ask_at_length(gateway: str) -> bytes:
    with socket.create_connection((gateway, 1338), timeout=10) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {gateway}\r\n".encode())
        for number in range(70):
            client.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())
        return client.recv(4096)


def _ask_without_end(gateway: str) -> None:
    """Returns never: what is not taken for a second is taken no more."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(1)
        client.connect((gateway, 1338))
        while True:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {gateway}\r\n\r\n".encode() * 100)


async def test_the_kernels_list_of_connections_says_the_same_as_its_answers() -> None:
    with (
        socket.create_server(("127.13.79.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        ends = client.getsockname(), server.getsockname()
        assert peers.by_question(*ends) == peers.by_list(*ends) == os.geteuid()
    assert peers.user_of(("127.0.0.1", 1), ends[1]) is None
