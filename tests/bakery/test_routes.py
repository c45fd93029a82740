"""The bakery over HTTP, on a real server's application."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pavedroad.access.model import Role
from pavedroad.access.service import Access
from pavedroad.bakery.packing import pack_folder
from pavedroad.bakery.queueing import MOST
from pavedroad.bakery.routes import router
from pavedroad.core.clock import SystemClock
from pavedroad.core.confinement import READABLE
from pavedroad.core.errors import PavedError
from pavedroad.core.places import Places
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.manifest.loading import load
from pavedroad.platform.problems import problem_response
from tests.bakery.kitchen import Kitchen, left_in, write
from tests.waiting import eventually_async

MANIFEST = "application: site\nowner: team-road\ncommand: ./serve\n"


@pytest.fixture
async def client(kitchen: Kitchen, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    database = Database(sqlite_url(tmp_path / "access.db"))
    migrate(database)
    clock = SystemClock()
    access = Access(database, clock)
    app = FastAPI()
    app.state.access, app.state.bakery = access, kitchen.bakery
    app.include_router(router)

    async def refuse(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, PavedError)
        return problem_response(error)

    app.add_exception_handler(PavedError, refuse)
    secrets = {
        role: (await access.tokens.make(f"the-{role}", [role], by="test", expires_at=None)).secret
        for role in Role
    }
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://paved",
        headers={"Authorization": f"Bearer {secrets[Role.DEPLOYER]}", "Content-Type": "application/zstd"},
    ) as client:
        client.headers["X-Viewer"] = secrets[Role.VIEWER]
        yield client
    await kitchen.bakery.close()
    database.close()


def packed(folder: Path, **files: str) -> bytes:
    write(folder, {"paved.yaml": MANIFEST, "serve": "#!/bin/sh\n", **files})
    parcel = pack_folder(folder, load(folder), folder.parent / "parcel")
    return parcel.place.read_bytes()


async def events(client: httpx.AsyncClient, bake: str, **query: int) -> list[tuple[str, dict[str, object]]]:
    heard: list[tuple[str, dict[str, object]]] = []
    kind = ""
    async with client.stream("GET", f"/v1/bakes/{bake}/events", params=query) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            name, _, text = line.partition(": ")
            if name == "event":
                kind = text
            elif name == "data":
                heard.append((kind, json.loads(text)))
    return heard


async def test_a_folder_is_baked_and_its_story_told(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.post("/v1/bakes", content=packed(tmp_path / "site"), params={"version": "7"})
    assert answer.status_code == 202
    bake = answer.json()["id"]
    story = await events(client, bake)
    kind, last = story[-1]
    assert (kind, last["state"], last["error"]) == ("finished", "succeeded", "")
    lines = [data["line"] for kind, data in story if kind == "progress"]
    assert any(str(line).startswith("Registered ami-") for line in lines)
    assert len(await events(client, bake, after=len(lines))) == 1
    view = (await client.get(f"/v1/bakes/{bake}")).json()
    assert view["result"]["version"] == "7"
    assert view["lines"] == lines
    (image,) = (await client.get("/v1/images", params={"application": "site"})).json()
    assert image["id"] == view["result"]["image_id"]
    assert (await client.delete(f"/v1/images/{image['id']}")).status_code == 204
    assert (await client.delete(f"/v1/images/{image['id']}")).status_code == 404


async def test_a_bake_that_fails_ends_its_story_with_the_reason(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = packed(tmp_path / "site", **{"paved.yaml": MANIFEST + "build: echo no; exit 1\n"})
    bake = (await client.post("/v1/bakes", content=body)).json()["id"]
    _, last = (await events(client, bake))[-1]
    assert (last["state"], last["code"]) == ("failed", "bake-failed")
    assert "Its last lines:\nno" in str(last["error"])


async def test_a_refused_manifest_is_told_at_once(client: httpx.AsyncClient, tmp_path: Path) -> None:
    manifest = load(write(tmp_path / "good", {"paved.yaml": MANIFEST}))
    folder = write(tmp_path / "site", {"paved.yaml": MANIFEST + "prot: 1\n"})
    body = pack_folder(folder, manifest, tmp_path / "parcel").place.read_bytes()
    answer = await client.post("/v1/bakes", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("paved.yaml:4:1: prot is not a field; did you mean 'port'?")


@pytest.mark.parametrize(
    ("body", "headers", "params", "status"),
    [
        (b"", {}, {}, 400),
        (b"hello", {}, {}, 400),
        (b"{}", {"Content-Type": "application/json"}, {}, 400),
        (b"x", {"Authorization": "Bearer wrong"}, {}, 401),
        (b"x", {"Authorization": ""}, {}, 401),
    ],
)
async def test_what_is_no_folder_is_refused(
    client: httpx.AsyncClient,
    places: Places,
    body: bytes,
    headers: dict[str, str],
    params: dict[str, str],
    status: int,
) -> None:
    answer = await client.post("/v1/bakes", content=body, headers=headers, params=params)
    assert answer.status_code == status
    assert left_in(places.builds) == []


async def test_a_manifest_that_is_a_link_tells_nothing_of_this_machine(
    client: httpx.AsyncClient, places: Places, tmp_path: Path
) -> None:
    """Made of links that look harmless one by one; and what no file system takes is the sender's fault."""
    write(places.home, {"secret": "application: [the-secret"})
    up = "/".join([".."] * 8)
    bodies = {
        "a link": [("paved.yaml", f"x/y/{up}/{places.home}/secret"), ("d/e", "f"), ("x", "d"), ("d/y", "..")],
        "a link straight": [("paved.yaml", str(places.home / "secret"))],
        "a circle": [("paved.yaml", "b"), ("b", "paved.yaml")],
        "a long name": [("n" * 300, "b")],
    }
    for what, links in bodies.items():
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w") as archive:
            for name, target in links:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, target
                archive.addfile(info)
        answer = await client.post("/v1/bakes", content=body.getvalue())
        assert answer.status_code == 400, what
        assert "not a tar archive" in answer.json()["detail"]
        assert "the-secret" not in answer.text
    assert left_in(places.builds) == []


async def test_a_version_that_is_none_is_refused(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.post("/v1/bakes", content=packed(tmp_path / "site"), params={"version": "a b"})
    assert (answer.status_code, "is no version" in answer.json()["detail"]) == (400, True)


async def test_a_viewer_may_look_but_not_bake(client: httpx.AsyncClient, tmp_path: Path) -> None:
    viewer = {"Authorization": f"Bearer {client.headers['X-Viewer']}"}
    assert (
        await client.post("/v1/bakes", content=packed(tmp_path / "site"), headers=viewer)
    ).status_code == 403
    assert (await client.get("/v1/images", headers=viewer)).status_code == 200


async def test_what_may_go_is_said_to_everybody_and_taken_by_who_may_bake(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    bake = (await client.post("/v1/bakes", content=packed(tmp_path / "site"))).json()["id"]
    await state_of(client, bake, "succeeded")
    viewer = {"Authorization": f"Bearer {client.headers['X-Viewer']}"}
    plan = (await client.get("/v1/images/prune", params={"keep": 0}, headers=viewer)).json()
    assert (len(plan["images"]), plan["objects"], plan["done"]) == (1, 2, False)
    assert (await client.post("/v1/images/prune", params={"keep": 0}, headers=viewer)).status_code == 403
    done = (await client.post("/v1/images/prune", params={"keep": 0})).json()
    assert (len(done["images"]), done["objects"], done["done"]) == (1, 2, True)
    assert (await client.get("/v1/images")).json() == []


async def test_a_body_over_the_limit_is_refused_announced_or_not(
    client: httpx.AsyncClient, kitchen: Kitchen, places: Places
) -> None:
    kitchen.bakery.largest_bytes = 1000
    assert (await client.post("/v1/bakes", content=bytes(2000))).status_code == 413

    async def stream() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield bytes(100)

    assert (await client.post("/v1/bakes", content=stream())).status_code == 413
    assert left_in(places.builds) == []


async def test_an_unknown_bake_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/bakes/nothing")).status_code == 404
    assert (await client.get("/v1/bakes/nothing/events")).status_code == 404


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that builds can see."""
    gate = tmp_path / "gate"
    gate.mkdir()
    monkeypatch.setenv(READABLE, str(gate))
    return gate


def waits_for(folder: Path) -> str:
    """A build that ends when the file `go` is there."""
    return f"build: echo on; while [ ! -e {folder}/go ]; do sleep 0.05; done\n"


async def state_of(client: httpx.AsyncClient, bake: str, state: str) -> dict[str, object]:
    async def there() -> dict[str, object] | None:
        view = (await client.get(f"/v1/bakes/{bake}")).json()
        return view if view["state"] == state else None

    found = await eventually_async(there)
    assert found is not None
    return found


async def test_bakes_wait_in_line_and_say_behind_how_many(
    client: httpx.AsyncClient, kitchen: Kitchen, tmp_path: Path, places: Places, gate: Path
) -> None:
    bakes: list[str] = []
    for number in range(4):
        body = packed(tmp_path / "site", **{"paved.yaml": MANIFEST + waits_for(gate), "n": str(number)})
        bakes.append((await client.post("/v1/bakes", content=body)).json()["id"])
    first, second, third, fourth = bakes
    for bake in (first, second):
        await state_of(client, bake, "running")
    assert (await state_of(client, third, "waiting"))["lines"] == ["2 bakes are before this one"]
    assert (await state_of(client, fourth, "waiting"))["lines"] == ["3 bakes are before this one"]
    answer = await client.delete(f"/v1/bakes/{third}")
    assert answer.status_code == 202
    gone = await state_of(client, third, "failed")
    assert (gone["code"], str(gone["error"]).endswith("cancelled it.")) == ("cancelled", True)
    await client.delete(f"/v1/bakes/{first}")
    await state_of(client, fourth, "running")
    (gate / "go").touch()
    for bake in (second, fourth):
        await state_of(client, bake, "succeeded")
    assert left_in(places.builds) == []


async def test_a_line_that_is_full_says_when_to_come_again(
    client: httpx.AsyncClient, kitchen: Kitchen, tmp_path: Path, places: Places, gate: Path
) -> None:
    body = packed(tmp_path / "site", **{"paved.yaml": MANIFEST + waits_for(gate)})
    bakes = [(await client.post("/v1/bakes", content=body)).json()["id"] for _ in range(MOST)]
    answer = await client.post("/v1/bakes", content=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "30"
    (gate / "go").touch()
    for bake in bakes:
        await state_of(client, bake, "succeeded")
    again = await client.post("/v1/bakes", content=body)
    await state_of(client, again.json()["id"], "succeeded")
    assert left_in(places.builds) == []


async def test_what_waits_keeps_no_more_on_disk_than_there_is_room_for(
    client: httpx.AsyncClient, kitchen: Kitchen, tmp_path: Path, places: Places, gate: Path
) -> None:
    kitchen.bakery.line.most_bytes = 3000
    text = {"paved.yaml": MANIFEST + waits_for(gate), "a": "x" * 2500}
    bake = (await client.post("/v1/bakes", content=packed(tmp_path / "site", **text))).json()["id"]
    await state_of(client, bake, "running")

    async def stream() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield bytes(100)

    for content in (bytes(1000), stream()):
        answer = await client.post("/v1/bakes", content=content)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    (gate / "go").touch()
    await state_of(client, bake, "succeeded")
    assert left_in(places.builds) == []


async def test_a_stopped_platform_ends_its_bakes(
    client: httpx.AsyncClient, kitchen: Kitchen, tmp_path: Path, places: Places
) -> None:
    body = packed(tmp_path / "site", **{"paved.yaml": MANIFEST + "build: echo on; sleep 60\n"})
    bake = (await client.post("/v1/bakes", content=body)).json()["id"]

    async def begun() -> bool:
        return "on" in kitchen.bakery.jobs.view(bake).lines

    await eventually_async(begun)
    await kitchen.bakery.close()
    view = kitchen.bakery.jobs.view(bake)
    assert (view.state, view.error) == ("failed", "The platform was stopped.")
    assert left_in(places.builds) == []
