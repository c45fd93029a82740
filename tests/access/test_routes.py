"""Tokens and the audit log over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pavedroad.access.model import Role
from pavedroad.access.routes import router
from pavedroad.access.service import Access
from pavedroad.core.errors import PavedError


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PavedError)
    return JSONResponse({"code": error.code, "detail": error.sentence}, error.status)


@pytest.fixture
async def http(access: Access) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(router)
    app.state.access = access
    app.add_exception_handler(PavedError, _problem)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://paved") as client:
        yield client


async def _bearer(access: Access, role: Role) -> dict[str, str]:
    made = await access.tokens.make(f"the-{role}", [role], by="test")
    return {"Authorization": f"Bearer {made.secret}"}


async def test_a_token_is_made_used_listed_and_revoked(http: httpx.AsyncClient, access: Access) -> None:
    admin = await _bearer(access, Role.ADMIN)
    made = (await http.post("/v1/tokens", json={"name": "ci", "roles": ["deployer"]}, headers=admin)).json()
    ci = {"Authorization": f"Bearer {made['secret']}"}
    assert (await http.get("/v1/audit", headers=ci)).status_code == 200
    listed = (await http.get("/v1/tokens", headers=admin)).text
    assert made["token"]["id"] in listed
    assert made["secret"] not in listed
    gone = await http.delete(f"/v1/tokens/{made['token']['id']}", headers=admin)
    assert gone.json()["revoked_at"]
    assert (await http.get("/v1/audit", headers=ci)).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer nope"}])
async def test_without_a_good_token_everything_is_401(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    for path in ("/v1/audit", "/v1/tokens"):
        answer = await http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_only_administrators_manage_tokens(http: httpx.AsyncClient, access: Access) -> None:
    deployer = await _bearer(access, Role.DEPLOYER)
    refused = await http.post("/v1/tokens", json={"name": "x", "roles": ["admin"]}, headers=deployer)
    assert refused.status_code == 403
    admin = await _bearer(access, Role.ADMIN)
    page = (await http.get("/v1/audit", params={"outcome": "refused"}, headers=admin)).json()
    assert [entry["principal"] for entry in page["entries"]] == ["the-deployer"]


async def test_the_audit_log_comes_in_pages(http: httpx.AsyncClient, access: Access) -> None:
    admin = await _bearer(access, Role.ADMIN)
    for number in range(5):
        await http.post("/v1/tokens", json={"name": f"t{number}", "roles": ["viewer"]}, headers=admin)
    seen: list[str] = []
    before: dict[str, int] = {}
    while True:
        wanted = {"limit": 2, "outcome": "done", **before}
        page = (await http.get("/v1/audit", params=wanted, headers=admin)).json()
        seen += [entry["subject"] for entry in page["entries"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == ["t4", "t3", "t2", "t1", "t0"]


async def test_filters_that_do_not_exist_are_refused(http: httpx.AsyncClient, access: Access) -> None:
    admin = await _bearer(access, Role.ADMIN)
    assert (await http.get("/v1/audit", params={"who": "me"}, headers=admin)).status_code == 422
