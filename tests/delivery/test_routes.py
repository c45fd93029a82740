"""Delivery over HTTP: its routes, its refusals, and the story as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pavedroad.access.model import Role
from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import PavedError
from pavedroad.delivery.routes import router
from pavedroad.platform.connections import Connection
from tests.delivery.road import Road, manifest_of
from tests.waiting import eventually_async


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PavedError)
    return JSONResponse({"code": error.code, "detail": error.sentence}, error.status)


async def _bearer(road: Road, role: Role) -> dict[str, str]:
    made = await road.access.tokens.make(f"the-{role}", [role], by="test")
    return {"Authorization": f"Bearer {made.secret}"}


@pytest.fixture
def app(road: Road) -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    app.state.access, app.state.delivery, app.state.events = road.access, road.delivery, road.events
    app.add_exception_handler(PavedError, _problem)
    return app


@pytest.fixture
async def http(app: FastAPI, road: Road) -> AsyncIterator[httpx.AsyncClient]:
    headers = await _bearer(road, Role.DEPLOYER)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://paved", headers=headers) as client:
        yield client


async def _deploy(http: httpx.AsyncClient, road: Road, version: str, **manifest: Any) -> dict[str, Any]:
    """Deploy a version and follow it to its end."""
    body = {"manifest": manifest_of(**manifest), "image_id": await road.image(version)}
    begun = await http.post("/v1/deployments", json=body)
    assert begun.status_code == 202, begun.text
    return (await _events(http, begun.json()["id"]))[-1][1]


async def _events(
    http: httpx.AsyncClient, deployment: str, **headers: str
) -> list[tuple[str, dict[str, Any]]]:
    answer = await http.get(f"/v1/deployments/{deployment}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = (dict(line.split(": ", 1) for line in block.splitlines()) for block in answer.text.split("\n\n"))
    return [(block["event"], json.loads(block["data"])) for block in blocks if block]


async def test_ship_upgrade_and_roll_back_over_http(http: httpx.AsyncClient, road: Road) -> None:
    assert (await _deploy(http, road, "1.0"))["phase"] == "succeeded"
    assert (await _deploy(http, road, "2.0"))["server_group"] == "hello-v001"
    done = await http.post("/v1/clusters/hello/rollback")
    assert (done.status_code, done.json()["enabled"]) == (200, "hello-v000")
    again = await http.post("/v1/clusters/hello/rollback", json={"to": "hello-v001"})
    assert again.json()["disabled"] == "hello-v000"
    (cluster,) = (await http.get("/v1/clusters", params={"application": "hello"})).json()
    assert [group["weight"] for group in cluster["server_groups"]] == [100, 0]
    assert (await http.get("/v1/clusters", params={"application": "other"})).json() == []
    assert (await http.get("/v1/applications")).json()[0]["clusters"] == ["hello"]


async def test_whoever_hangs_up_ends_the_warm_up_and_the_group_is_shrunk_again(
    http: httpx.AsyncClient, app: FastAPI, road: Road
) -> None:
    await _deploy(http, road, "1.0")
    await _deploy(http, road, "2.0")
    await http.put("/v1/server-groups/hello-v000/capacity", json={"minimum": 0, "desired": 0, "maximum": 2})
    refused = await http.post("/v1/clusters/hello/rollback", json={"when_cold": "refuse"})
    assert (refused.status_code, refused.json()["code"]) == (409, "cold")
    road.cloud.faults[await road.image("1.0")] = Fault("unhealthy", "still starting")

    async def desires(count: int) -> bool:
        return (await road.cloud.server_group("hello-v000")).desired == count

    async with _served(app) as url:
        asking = asyncio.create_task(
            httpx.AsyncClient(headers=http.headers).post(f"{url}/v1/clusters/hello/rollback", timeout=60)
        )
        await eventually_async(lambda: desires(2))
        asking.cancel()
        await eventually_async(lambda: desires(0))
        await eventually_async(lambda: _outcome(road, "the-deployer"))


async def _outcome(road: Road, who: str) -> bool:
    entries = await road.audited(action="rollback", principal=who)
    return "hung up" in str(entries[0].detail["reason"])


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real socket."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", lifespan="off", http=Connection)
    )
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually_async(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def test_the_story_is_whole_from_its_first_line_also_when_it_has_ended(
    http: httpx.AsyncClient, road: Road
) -> None:
    ended = await _deploy(http, road, "1.0")
    events = await _events(http, ended["id"])
    assert [told["number"] for name, told in events if name == "progress"] == list(range(1, len(events)))
    assert events[-1][0] == "finished"
    assert len(events[-1][1]["progress"]) == len(events) - 1
    rest = await _events(http, ended["id"], **{"Last-Event-ID": "2"})
    assert rest[0][1]["number"] == 3


async def test_a_failure_is_told_with_its_reason(http: httpx.AsyncClient, road: Road) -> None:
    road.cloud.faults[await road.image("1.0")] = Fault("crashes", "exited with status 1")
    ended = await _deploy(http, road, "1.0")
    assert ended["phase"] == "failed"
    assert "exited with status 1" in ended["error"]
    listed = (await http.get("/v1/deployments", params={"cluster": "hello"})).json()
    assert [view["id"] for view in listed] == [ended["id"]]
    assert (await http.get(f"/v1/deployments/{ended['id']}")).json()["error"] == ended["error"]


async def test_server_groups_are_read_resized_switched_and_deleted(
    http: httpx.AsyncClient, road: Road
) -> None:
    await _deploy(http, road, "1.0")
    await _deploy(http, road, "2.0")
    assert (await http.post("/v1/server-groups/hello-v000/enable")).json()["weight"] == 50
    assert (await http.post("/v1/server-groups/hello-v001/disable")).json()["enabled"] is False
    sizes = {"minimum": 1, "desired": 1, "maximum": 2}
    assert (await http.put("/v1/server-groups/hello-v001/capacity", json=sizes)).json()["desired"] == 1
    assert (await http.get("/v1/server-groups/hello-v000")).json()["healthy"] == 2
    gone = await http.delete("/v1/server-groups/hello-v001")
    assert (gone.status_code, gone.json()) == (202, {"destroyed": "hello-v001"})
    guarded = await http.delete("/v1/server-groups/hello-v000")
    assert (guarded.status_code, guarded.json()["code"]) == (409, "guarded")
    assert (await http.delete("/v1/clusters/hello")).status_code == 202

    async def gone_for_good() -> bool:
        return (await http.get("/v1/clusters/hello")).status_code == 404

    await eventually_async(gone_for_good)


async def test_consoles_are_read_by_instance_and_by_group(http: httpx.AsyncClient, road: Road) -> None:
    await _deploy(http, road, "1.0")
    members = (await road.cloud.server_group("hello-v000")).members
    for member in members:
        road.cloud.consoles[member.instance_id] = f"I am {member.instance_id}\n"
    one = (await http.get(f"/v1/instances/{members[0].instance_id}/console")).json()
    assert one == {"console": f"I am {members[0].instance_id}\n"}
    road.cloud.consoles[members[0].instance_id] += "a\rb\nlast"
    ends = [
        (await http.get(f"/v1/{what}/console", params={"lines": 2})).json()["console"]
        for what in (f"instances/{members[0].instance_id}", "server-groups/hello-v000")
    ]
    assert ends[0] == "a\rb\nlast"
    assert f"==> {members[0].instance_id} <==\na\rb\nlast\n" in ends[1]
    every = (await http.get("/v1/server-groups/hello-v000/console")).json()["console"]
    assert all(f"==> {m.instance_id} <==\nI am {m.instance_id}" in every for m in members)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/clusters/nobody", "There is no cluster 'nobody'."),
        ("/v1/server-groups/nobody-v001", "There is no server group 'nobody-v001'."),
        ("/v1/server-groups/nobody", "its name ends in a version"),
        ("/v1/deployments/dep-none", "There is no deployment 'dep-none'."),
        ("/v1/deployments/dep-none/events", "There is no deployment 'dep-none'."),
        ("/v1/instances/i-0/console", "There is no instance 'i-0'."),
    ],
)
async def test_what_is_not_there_is_a_404_in_one_sentence(
    http: httpx.AsyncClient, path: str, sentence: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"manifest": {}, "image_id": ""}, {"manifest": {}, "image_id": "x", "when_busy": "maybe"}]
)
async def test_bodies_of_the_wrong_shape_are_refused(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await http.post("/v1/deployments", json=body)).status_code == 422


async def test_without_a_token_nothing_and_as_a_viewer_nothing_changes(
    http: httpx.AsyncClient, road: Road
) -> None:
    await _deploy(http, road, "1.0")
    assert (await http.get("/v1/clusters", headers={"Authorization": ""})).status_code == 401
    viewer = await _bearer(road, Role.VIEWER)
    assert (await http.get("/v1/clusters", headers=viewer)).status_code == 200
    for method, path in (
        ("POST", "/v1/clusters/hello/rollback"),
        ("DELETE", "/v1/clusters/hello"),
        ("POST", "/v1/server-groups/hello-v000/disable"),
        ("DELETE", "/v1/server-groups/hello-v000"),
        ("POST", "/v1/deployments/dep-1/cancel"),
    ):
        assert (await http.request(method, path, headers=viewer)).status_code == 403


def test_every_route_says_what_it_does() -> None:
    app = FastAPI()
    app.include_router(router)
    operations = [op for path in app.openapi()["paths"].values() for op in path.values()]
    assert len(operations) == 19
    assert all(operation["summary"] for operation in operations)
