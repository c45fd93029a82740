"""Faults by way of the platform: only for those who may, audited, in the private cloud's own shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI

from pavedroad.access.model import AuditQuery, Principal, Role
from pavedroad.access.routes import principal
from pavedroad.access.service import Access
from pavedroad.chaos.routes import router
from pavedroad.chaos.service import FaultInjection
from pavedroad.core.clock import ManualClock
from pavedroad.core.errors import Conflict, Forbidden, NotFound
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.platform import problems
from tests.localcloud.faults.bench import ONE, FaultBench

DEPLOYER = Principal("dev", frozenset({Role.DEPLOYER}))
VIEWER = Principal("guest", frozenset({Role.VIEWER}))


@pytest.fixture
def bench(tmp_path: Path) -> FaultBench:
    return FaultBench(tmp_path)


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    database = Database(sqlite_url(tmp_path / "platform.db"))
    migrate(database)
    clock = ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    yield Access(database, clock)
    database.close()


@pytest.fixture
def faults(bench: FaultBench, access: Access) -> FaultInjection:
    return FaultInjection(bench.client, access)


@pytest.fixture
async def api(faults: FaultInjection, access: Access) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.faults, app.state.access = faults, access
    problems.install(app)
    app.include_router(router, dependencies=[Depends(principal)])
    app.dependency_overrides[principal] = lambda: DEPLOYER
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_who_may_not_deploy_may_look_but_break_nothing(
    faults: FaultInjection, access: Access, bench: FaultBench
) -> None:
    with pytest.raises(Forbidden):
        await faults.start(VIEWER, "zone-down", "us-east-1a")
    assert bench.client.all() == []
    assert (await faults.all()).faults == []
    [entry] = await access.audit.entries(AuditQuery())
    assert (entry.principal, entry.action, entry.subject, entry.outcome) == (
        *("guest", "start-fault", "us-east-1a"),
        "refused",
    )


async def test_each_start_and_end_is_in_the_audit_log(faults: FaultInjection, access: Access) -> None:
    made = await faults.start(DEPLOYER, "instance-hung", ONE, seconds=60)
    await faults.start(DEPLOYER, "zone-down", "us-east-1a", parameters={"unreachable": True})
    await faults.end(DEPLOYER, made.id)
    assert [fault.kind for fault in await faults.end_all(DEPLOYER)] == ["zone-down"]
    begun = await access.audit.entries(AuditQuery(outcome="begun"))
    entries = await access.audit.entries(AuditQuery(outcome="done"))
    assert [it.action for it in begun] == [it.action for it in entries]
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("end-fault", "all"),
        ("end-fault", made.id),
        ("start-fault", "us-east-1a"),
        ("start-fault", ONE),
    ]
    assert entries[2].detail["parameters"] == {"unreachable": True}


async def test_a_cloud_that_is_not_ours_is_not_broken(access: Access) -> None:
    with pytest.raises(Conflict, match="does not fail on purpose"):
        await FaultInjection(None, access).start(DEPLOYER, "zone-down", "us-east-1a")


async def test_a_fault_over_http_is_what_the_cloud_says(api: httpx.AsyncClient, bench: FaultBench) -> None:
    asked = {"kind": "zone-down", "target": "us-east-1a", "seconds": 120, "parameters": {"unreachable": True}}
    answer = await api.post("/v1/faults", json=asked)
    assert answer.status_code == 201
    [known] = bench.client.all()
    assert {key: answer.json()[key] for key in ("id", "kind", "target", "reason", "parameters", "state")} == {
        key: known[key] for key in ("id", "kind", "target", "reason", "parameters", "state")
    }
    listed = (await api.get("/v1/faults")).json()
    assert [fault["id"] for fault in listed["faults"]] == [known["id"]]
    assert {kind["name"]: kind["target"] for kind in listed["kinds"]}["zone-down"] == "zone"
    assert (await api.get(f"/v1/faults/{known['id']}")).json()["state"] == "active"
    assert (await api.delete(f"/v1/faults/{known['id']}")).json()["ended_because"] == "it was ended"
    assert (await api.delete("/v1/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"kind": "zone-down", "target": "mars-1a"}, 400, "mars-1a"),
        ({"kind": "meteor", "target": "us-east-1a"}, 400, "There is no such kind of fault"),
        ({"kind": "zone-down", "target": "us-east-1a", "seconds": -1}, 400, "seconds"),
        ({"kind": "zone-down", "target": "us-east-1a", "parameters": {"seconds": 1}}, 400, "'seconds'"),
        ({"kind": "zone-down", "target": "us-east-1a", "parameters": {"target": "x"}}, 400, "'target'"),
        ({"kind": "instance-hung", "target": "i-0123456789abcdeff"}, 404, "i-0123456789abcdeff"),
    ],
)
async def test_bad_input_is_a_problem_and_breaks_nothing(
    api: httpx.AsyncClient, bench: FaultBench, body: dict[str, Any], status: int, says: str
) -> None:
    answer = await api.post("/v1/faults", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert bench.client.all() == []


@pytest.mark.parametrize("fault_id", ["fault-0", "..", "a/b", "\xa2\x118w", "%"])
async def test_an_unknown_fault_is_said_whatever_it_is_called(faults: FaultInjection, fault_id: str) -> None:
    with pytest.raises(NotFound):
        await faults.get(fault_id)
    with pytest.raises(NotFound):
        await faults.end(DEPLOYER, fault_id)
