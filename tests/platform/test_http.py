"""The HTTP API's manners: who may come in, what is refused and how."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from pavedroad.platform.app import routers
from tests.running_platform import Platform


@pytest.fixture
def api(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client() as client:
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"].endswith(f"/{code}")
    assert body["title"]
    assert body["detail"].endswith(".")
    return body


def test_healthz_needs_no_token(platform: Platform) -> None:
    answer = httpx.get(f"{platform.url}/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def _guarded_routes() -> list[tuple[str, str]]:
    return sorted(
        (method, re.sub(r"{\w+}", "x", route.path))
        for router in routers()[1:]
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    )


@pytest.mark.parametrize("token", [None, "paved_wrong"])
def test_every_route_needs_a_good_token(platform: Platform, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    routes = _guarded_routes()
    assert len(routes) > 20
    with httpx.Client(base_url=platform.url, headers=headers) as client:
        for method, path in routes:
            answer = client.request(method, path)
            assert problem(answer, 401, "unauthenticated")["next_step"], f"{method} {path}"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_body_that_is_not_json_is_refused(api: httpx.Client) -> None:
    answer = api.post("/v1/deployments", content=b"nope", headers={"Content-Type": "application/json"})
    assert "not JSON" in problem(answer, 400, "invalid-input")["detail"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"manifest": ' + b"9" * 5000 + b"}", "number in it is too long"),
    ],
)
def test_a_body_that_breaks_the_reader_is_refused_with_its_reason(
    api: httpx.Client, body: bytes, why: str
) -> None:
    answer = api.post("/v1/deployments", content=body, headers={"Content-Type": "application/json"})
    refusal = problem(answer, 400, "invalid-input")
    assert why in refusal["detail"]
    assert refusal["next_step"]


def test_a_wrong_field_is_named(api: httpx.Client) -> None:
    body = problem(
        api.post("/v1/deployments", json={"manifest": 3, "image_id": "ami-1"}), 400, "invalid-input"
    )
    assert body["field"] == "manifest"
    assert "'manifest' in the body" in body["detail"]


def test_a_large_body_is_refused_whether_or_not_it_says_its_size(api: httpx.Client) -> None:
    declared = api.post("/v1/deployments", content=b"x" * 10_000_000)
    assert "1 MB" in problem(declared, 413, "too-large")["detail"]
    chunked = api.post("/v1/deployments", content=(b"x" * 100_000 for _ in range(20)))
    problem(chunked, 413, "too-large")
    assert api.get("/healthz").status_code == 200


def test_an_unknown_path_and_a_wrong_method_are_problems(api: httpx.Client) -> None:
    assert "/v1/nothing" in problem(api.get("/v1/nothing"), 404, "not-found")["detail"]
    answer = api.delete("/v1/clusters")
    assert problem(answer, 405, "method-not-allowed")["next_step"] == "Use GET."
    assert answer.headers["allow"] == "GET"


def test_an_unknown_cluster_is_not_found(api: httpx.Client) -> None:
    assert "nowhere" in problem(api.get("/v1/clusters/nowhere"), 404, "not-found")["detail"]


@pytest.mark.parametrize("region", ["mars-1", "\u00d2 x"])
def test_a_region_that_is_none_is_the_askers_mistake(api: httpx.Client, region: str) -> None:
    refusal = problem(api.get("/v1/images", params={"region": region}), 400, "invalid-input")
    assert "us-east-1" in refusal["next_step"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4570", "127.0.0.1.evil.example", "", "[::1", "["]
)
def test_another_host_s_name_is_refused(platform: Platform, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
    connection.putrequest("GET", "/healthz", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 421
    assert json.loads(answer.read())["code"] == "misdirected"
    connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_s_names_are_answered(platform: Platform, host: str) -> None:
    answer = httpx.get(f"{platform.url}/healthz", headers={"Host": f"{host}:{platform.port}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/clusters", "/login", "/nowhere"])
def test_every_answer_carries_the_headers_that_browsers_heed(platform: Platform, path: str) -> None:
    headers = httpx.get(f"{platform.url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]


def test_openapi_describes_every_route(api: httpx.Client) -> None:
    described = api.get("/v1/openapi.json").json()
    paths = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert len(paths) > 20
    for router in routers():
        for route in router.routes:
            assert isinstance(route, APIRoute)
            assert {(method, route.path) for method in route.methods} <= paths
    assert "application/problem+json" in json.dumps(described["paths"]["/v1/deployments"]["post"])


def test_the_schema_of_paved_yaml_is_served(api: httpx.Client) -> None:
    assert api.get("/v1/schema").json()["title"] == "paved.yaml"


def test_status_says_what_runs(api: httpx.Client, platform: Platform) -> None:
    status = api.get("/v1/status").json()
    assert status["url"] == platform.url
    assert "0.0.0.0" in status["cloud"].pop("services_listen")
    assert status["cloud"] == {
        "private": True,
        "endpoint": platform.endpoint,
        "region": "us-east-1",
        "reachable": True,
        "reason": "",
    }
    assert {part["name"]: part["state"] for part in status["parts"]} == {
        "private cloud": "ready",
        "platform": "ready",
    }
    assert status["uptime_seconds"] > 0


def test_events_are_streamed(api: httpx.Client) -> None:
    with api.stream("GET", "/v1/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert next(answer.iter_lines()).startswith(":")
