"""What every request passes first, around a small application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers
from starlette.types import Message

from pavedroad.access.lasting import Lasting
from pavedroad.access.model import Credential, Principal
from pavedroad.core.clock import SystemClock
from pavedroad.core.errors import CloudFailed
from pavedroad.platform import bodies, problems
from pavedroad.platform.doors import Door
from pavedroad.platform.guard import Guard
from tests.waiting import eventually_async

ADA = Principal("ada", frozenset(), Credential("session", "ses-1", "tok-1"))


def application() -> FastAPI:
    """`state.begun` counts the streams whose first line was taken."""
    app = FastAPI()
    app.state.begun = 0
    problems.install(app)

    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("the secret is hunter2")

    @app.get("/v1/cloud")
    async def cloud() -> None:
        raise CloudFailed("The cloud said no.", next_step="Ask again.")

    @app.post("/v1/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.post("/v1/bakes")
    async def upload(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @app.get("/v1/stream")
    async def stream() -> StreamingResponse:
        async def lines() -> AsyncGenerator[bytes]:
            yield b"data: 1\n\n"
            app.state.begun += 1
            await asyncio.Event().wait()

        return StreamingResponse(lines(), media_type="text/event-stream")

    @app.get("/v1/mine")
    async def mine(request: Request) -> StreamingResponse:
        request.state.principal = ADA
        return await stream()

    return app


def guarded(*allowed: str) -> Guard:
    return Guard(application(), Door(allowed_hosts=allowed), Lasting(SystemClock()))


async def have_begun(app: FastAPI, streams: int) -> None:
    async def enough() -> bool:
        return app.state.begun == streams

    await eventually_async(enough)


def client(guard: Guard) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(guard, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_what_breaks_unexpectedly_tells_a_number_and_no_secrets() -> None:
    async with client(guarded()) as api:
        answer = await api.get("/v1/broken")
    assert answer.status_code == 500
    body = answer.json()
    assert body["code"] == "internal"
    assert body["instance"] in body["detail"]
    assert "hunter2" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


async def test_the_platform_s_errors_keep_their_status_and_next_step() -> None:
    async with client(guarded()) as api:
        answer = await api.get("/v1/cloud")
    assert answer.status_code == 502
    assert answer.json()["detail"] == "The cloud said no."
    assert answer.json()["next_step"] == "Ask again."


async def test_a_body_within_the_limit_arrives_whole() -> None:
    async with client(guarded()) as api:
        assert (await api.post("/v1/length", content=b"x" * 1_000_000)).json() == 1_000_000
        assert (await api.post("/v1/length", content=b"x" * 1_000_001)).status_code == 413
        assert (await api.post("/v1/length")).json() == 0


@pytest.mark.parametrize("name", ["%2e%2e", "%2e", "..%2Fx", "a%2Fb", "a%5Cb", "a%00", "%0aa", "%E2%80%AEa"])
async def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    async with client(guarded()) as api:
        answer = await api.get(f"/v1/{name}/cloud")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")
    assert "is no name" in answer.json()["detail"]


async def test_uploads_may_be_large() -> None:
    async with client(guarded()) as api:
        assert (await api.post("/v1/bakes", content=b"x" * 3_000_000)).json() == 3_000_000


async def test_a_name_may_be_allowed() -> None:
    async with client(guarded("paved.example")) as api:
        allowed = await api.post("/v1/length", headers={"Host": "Paved.example:4570"})
        refused = await api.post("/v1/length", headers={"Host": "other.example"})
    assert (allowed.status_code, refused.status_code) == (200, 421)


async def test_a_body_that_does_not_come_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.1)

    async def stuck() -> AsyncGenerator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    async with client(guarded()) as api:
        for path in ("/v1/length", "/v1/bakes"):
            answer = await api.post(path, content=stuck())
            assert (answer.status_code, answer.json()["code"]) == (408, "too-slow")


async def test_bodies_that_wait_together_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_HELD_AT_ONCE", 1000)
    held, more = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        yield b"x" * 900
        held.set()
        await more.wait()

    async with client(guarded()) as api:
        first = asyncio.create_task(api.post("/v1/length", content=slow()))
        await held.wait()
        refused = await api.post("/v1/length", content=b"x" * 900)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        more.set()
        assert (await first).json() == 900
        assert (await api.post("/v1/length", content=b"x" * 900)).json() == 900


@pytest.mark.parametrize("times", [1, 2])
async def test_streams_end_when_the_process_is_to_stop(times: int) -> None:
    app = application()
    guard = Guard(app, Door(), Lasting(SystemClock()))
    async with client(guard) as api:
        asking = [asyncio.create_task(api.get("/v1/stream")) for _ in range(times)]
        await have_begun(app, times)
        assert not any(task.done() for task in asking)
        guard.end_streams()
        answers = await asyncio.wait_for(asyncio.gather(*asking), 10)
    assert [answer.text for answer in answers] == ["data: 1\n\n"] * times


@pytest.mark.parametrize("ended", ["ses-1", "tok-1"])
async def test_a_stream_ends_with_its_session_or_token_and_no_other_does(ended: str) -> None:
    app, lasting = application(), Lasting(SystemClock())
    guard = Guard(app, Door(), lasting)
    async with client(guard) as api:
        other = asyncio.create_task(api.get("/v1/stream"))
        mine = asyncio.create_task(api.get("/v1/mine"))
        await have_begun(app, 2)
        lasting.end("ses-2")
        lasting.end("tok-2")
        assert not mine.done()
        lasting.end(ended)
        assert (await asyncio.wait_for(mine, 10)).text == "data: 1\n\n"
        assert not other.done()
        guard.end_streams()
        await asyncio.wait_for(other, 10)


async def test_half_a_body_is_never_taken_for_a_whole_one() -> None:
    messages = [
        {"type": "http.request", "body": b"[1, 2", "more_body": True},
        {"type": "http.disconnect"},
    ]
    keeper = bodies.Bodies()

    async def receive() -> Message:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    passed, held = await keeper.ahead(Headers({"content-length": "100"}), receive)
    assert (await passed(), held) == ({"type": "http.disconnect"}, 0)
    assert keeper.held == 0
