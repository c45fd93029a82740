"""What a rule does with a request: forward, answer, redirect; and what a target gets to see."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pavedroad.localcloud.wanted import Condition, FixedResponse, Forward, Redirect, Target
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import (
    PORT,
    QUICK,
    Balancer,
    Heard,
    fresh_address,
    front,
    pool,
    response,
    rule,
    to,
)

_SAME = {
    "protocol": "#{protocol}",
    "host": "#{host}",
    "port": "#{port}",
    "path": "/#{path}",
    "query": "#{query}",
}


async def test_weights_are_shares_of_the_requests(balancer: Balancer, service: Serve) -> None:
    one, two = await service("one"), await service("two")
    a, b = pool("a", one.target()), pool("b", two.target())
    place = await balancer.serve([a, b], front(rule(Forward({a.arn: 75, b.arn: 25}))))
    counts = await balancer.labels(place, 600)
    assert 380 < counts["one"] < 520
    assert counts["one"] + counts["two"] == 600


async def test_requests_take_turns_among_targets(balancer: Balancer, service: Serve) -> None:
    services = [await service(f"v{number}") for number in range(3)]
    group = pool("a", *(one.target() for one in services))
    place = await balancer.serve([group], front(rule(to(group))))
    counts = await balancer.labels(place, 90)
    assert len(counts) == 3
    assert all(20 < count < 40 for count in counts.values()), counts


@pytest.mark.parametrize("weight", [None, 0], ids=["no shares", "all zero"])
async def test_a_forward_to_nowhere_is_unavailable(
    balancer: Balancer, service: Serve, weight: int | None
) -> None:
    group = pool("a", (await service("v1")).target())
    shares = {} if weight is None else {group.arn: weight}
    place = await balancer.serve([group], front(rule(Forward(shares))))
    answer = await balancer.get(place)
    assert answer.status_code == 503
    assert "503 Service Temporarily Unavailable" in answer.text
    assert answer.headers["server"] == "awselb/2.0"


async def test_a_pool_without_targets_is_unavailable(balancer: Balancer) -> None:
    group = pool("a")
    place = await balancer.serve([group], front(rule(to(group))))
    answer = await balancer.get(place)
    assert answer.status_code == 503
    assert "503 Service Temporarily Unavailable" in answer.text


async def test_a_fixed_response_is_given_to_the_letter(balancer: Balancer) -> None:
    body = '{"maintenance": "100% %REQ(x)%"}'
    place = await balancer.serve([], front(rule(FixedResponse(418, "application/json", body))))
    answer = await balancer.get(place)
    assert (answer.status_code, answer.text) == (418, body)
    assert answer.headers["content-type"] == "application/json"


async def test_a_fixed_response_that_looks_like_a_failure_keeps_its_own_page(balancer: Balancer) -> None:
    place = await balancer.serve([], front(rule(FixedResponse(503, "text/plain", "closed"))))
    answer = await balancer.get(place)
    assert (answer.status_code, answer.text) == (503, "closed")


@pytest.mark.parametrize(
    ("change", "path", "location"),
    [
        ({"protocol": "HTTPS", "port": "443"}, "/a/b?c=d&e", "https://example.org:443/a/b?c=d&e"),
        ({"path": "/new/#{path}/end"}, "/a", "http://example.org:8080/new/a/end"),
        ({"query": "#{query}&from=old"}, "/a?x=%20y", "http://example.org:8080/a?x=%20y&from=old"),
        ({"host": "www.#{host}"}, "/", "http://www.example.org:8080/"),
        ({"query": "", "path": "/"}, "/a?b", "http://example.org:8080/"),
        ({"path": "/100%/#{path}"}, "/a", "http://example.org:8080/100%/a"),
    ],
)
async def test_a_redirect_fills_in_the_requests_own_parts(
    balancer: Balancer, change: dict[str, str], path: str, location: str
) -> None:
    place = await balancer.serve([], front(rule(Redirect(status=301, **{**_SAME, **change}))))
    answer = await balancer.get(place, path, Host="example.org:8080")
    assert answer.status_code == 301
    assert answer.headers["location"] == location


async def test_a_target_sees_the_client_and_the_host_it_asked(balancer: Balancer, service: Serve) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group))))
    target.heard.clear()
    await balancer.get(place, "/x?y", Host="shop.example:81", X_Forwarded_For="1.2.3.4", X_Odd_CASE="kept")
    heard = next(heard for heard in target.heard if heard.line.startswith("GET /x?y"))
    assert heard.headers["host"] == "shop.example:81"
    assert heard.headers["x-forwarded-for"] == "1.2.3.4,127.0.0.1"
    assert heard.headers["x-forwarded-proto"] == "http"
    assert heard.headers["x-forwarded-port"] == "8080"
    assert b"X-Odd-CASE: kept" in heard.raw
    assert not [name for name in heard.headers if name.startswith("x-envoy") or name == "x-request-id"]


async def test_a_target_that_breaks_off_is_a_bad_gateway(balancer: Balancer, service: Serve) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group))))

    async def broken(heard: Heard) -> bytes | None:
        return (
            None
            if "/broken" in heard.line
            else b"nonsense\r\n\r\n"
            if "/odd" in heard.line
            else response("v1")
        )

    target.behave = broken
    for path in ("/broken", "/odd"):
        answer = await balancer.get(place, path)
        assert answer.status_code == 502, path
        assert "502 Bad Gateway" in answer.text
    assert (await balancer.get(place)).status_code == 200


async def test_a_target_that_is_silent_is_a_gateway_timeout(balancer: Balancer, service: Serve) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group)), idle=1))

    async def silent(heard: Heard) -> bytes:
        await asyncio.sleep(0 if "ELB-HealthChecker" in heard.headers.get("user-agent", "") else 4)
        return response("late")

    target.behave = silent
    answer = await balancer.get(place)
    assert answer.status_code == 504
    assert "504 Gateway Time-out" in answer.text


async def test_a_response_may_take_longer_than_the_idle_time_while_it_flows(
    balancer: Balancer, service: Serve
) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group)), idle=1))

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.25)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    await target.stop()
    server = await asyncio.start_server(stream, target.address, target.port)
    async with server:
        assert (await balancer.get(place)).text == "xxxxxxxx"


async def test_websockets_pass(balancer: Balancer, service: Serve) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group))))
    await target.stop()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"websocket" in head:
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
            while data := await reader.read(100):
                writer.write(data.upper())
        writer.close()

    server = await asyncio.start_server(echo, target.address, target.port)
    async with server:
        reader, writer = await asyncio.open_connection(place.address, place.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.close()


async def test_clients_may_speak_http_2_without_asking_and_http_1_0(
    balancer: Balancer, service: Serve
) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group)), address=fresh_address()))
    reader, writer = await asyncio.open_connection(place.address, place.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"v1")
    writer.close()
    reader, writer = await asyncio.open_connection(place.address, place.port)
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    # GET, http, / from HPACK's table, and the authority "x" in plain.
    fields = b"\x82\x86\x84\x01\x01x"
    headers = len(fields).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + fields
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers)
    received = b""
    while b"v1" not in received:
        chunk = await asyncio.wait_for(reader.read(4096), 10)
        assert chunk, received
        received += chunk
    writer.close()


async def test_a_rule_may_send_elsewhere_by_condition(balancer: Balancer, service: Serve) -> None:
    a, b = pool("a", (await service("a")).target()), pool("b", (await service("b")).target())
    place = await balancer.serve(
        [a, b], front(rule(to(b), Condition("path-pattern", ("/b*",))), rule(to(a), priority=2))
    )
    assert (await balancer.get(place, "/b")).text == "b"
    assert (await balancer.get(place, "/")).text == "a"


async def test_a_pool_may_speak_https_with_a_certificate_that_nobody_signed(
    balancer: Balancer, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response("secret"))
        await writer.drain()
        writer.close()

    address = fresh_address()
    target = Target("i-1", address, PORT, PORT, "us-east-1a", draining=False)
    group = replace(pool("a", target, probe=replace(QUICK, protocol="HTTPS")), protocol="HTTPS")
    server = await asyncio.start_server(answer, address, PORT, ssl=context)
    async with server:
        place = await balancer.serve([group], front(rule(to(group))))
        assert (await balancer.get(place)).text == "secret"


async def test_a_body_of_any_size_streams_through(balancer: Balancer, service: Serve) -> None:
    async def count(heard: Heard) -> bytes:
        return response(heard.headers.get("content-length", "0"))

    group = pool("a", (await service("v1", count)).target())
    place = await balancer.serve([group], front(rule(to(group))))
    answer = await balancer.client.post(
        f"http://{place.address}:{place.port}/", content=b"x" * 20_000_000, headers={"Expect": "100-continue"}
    )
    assert answer.text == "20000000"
