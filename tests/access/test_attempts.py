"""Who guesses is slowed down and written down; who is right is never kept out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from pavedroad.access import attempts
from pavedroad.access.model import AuditEntry, AuditQuery, Role
from pavedroad.access.service import Access
from pavedroad.core.clock import ManualClock
from pavedroad.core.errors import TooManyAttempts, Unauthenticated, Unavailable
from pavedroad.database.engine import Database
from tests.waiting import eventually_async

HERE = "127.0.0.1"


async def wrong(access: Access, shown: str = "paved_guess", remote: str = HERE) -> int:
    """How long to wait before the next one."""
    try:
        await access.sign_in(shown, browser="", remote=remote)
    except TooManyAttempts as refusal:
        return refusal.retry_after if "Wait" in (refusal.next_step or "") else -1
    except Unauthenticated:
        return 0
    raise AssertionError("it was right")


async def log(access: Access) -> list[AuditEntry]:
    return await access.audit.entries(AuditQuery(principal="stranger"))


async def test_wrong_ones_wait_twice_as_long_each_time_and_right_ones_come_in(access: Access) -> None:
    made = await access.tokens.make("ci", [Role.VIEWER], by="test")
    link = await access.make_link(await access.authenticate(made.secret))
    waits = [await wrong(access, f"paved_{number}") for number in range(16)]
    assert waits == [0] * 5 + [1, 2, 4, 8, 16, 32] + [60] * 5
    assert await access.sign_in(made.secret, browser="", remote=HERE)
    assert await access.sign_in(link.secret, browser="", remote=HERE)
    assert await access.authenticate(made.secret, remote=HERE)


async def test_links_are_guessed_no_faster_than_tokens(access: Access) -> None:
    assert [await wrong(access, f"once_{number}") for number in range(7)] == [0] * 5 + [1, 2]


async def test_other_addresses_do_not_wait_until_all_together_are_too_many(access: Access) -> None:
    for _ in range(10):
        await wrong(access)
    assert await wrong(access, remote="10.0.0.7") == 0
    waits = [await wrong(access, remote=f"10.0.1.{number}") for number in range(50)]
    assert waits[0] == 0
    assert waits[-1] == 60


async def test_what_was_long_ago_is_forgotten(access: Access, clock: ManualClock) -> None:
    for _ in range(10):
        await wrong(access)
    clock.advance(timedelta(hours=1).total_seconds())
    assert await wrong(access) == 0


async def test_every_attempt_is_in_the_log_and_no_secret_is(
    access: Access, database: Database, tmp_path: Path
) -> None:
    for number in range(1000):
        await wrong(access, f"paved_guessed-{number}")
    await access.attempts.close()
    entries = await log(access)
    assert len(entries) == 6
    assert sum(entry.detail["attempts"] for entry in entries) == 1000
    assert {(it.kind, it.action, it.subject, it.outcome) for it in entries} == {
        ("stranger", "sign-in", HERE, "refused")
    }
    database.close()
    assert b"guessed-" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


async def test_the_rest_is_told_after_a_while(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_TOLD_EVERY", 0.05)
    for _ in range(8):
        await wrong(access)

    async def told() -> bool:
        return sum(entry.detail["attempts"] for entry in await log(access)) == 8

    assert await eventually_async(told)


async def test_what_the_log_does_not_take_is_told_the_next_time(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_TOLD_AT_ONCE", 0)
    told: list[tuple[str, int]] = []

    async def tell(action: str, remote: str, reason: str, count: int) -> None:
        if not told:
            told.append(("nothing", 0))
            raise Unavailable("The disk is full.")
        told.append((remote, count))

    tried = attempts.Attempts(clock, tell)
    for remote in (HERE, HERE, "10.0.0.7"):
        await tried.failed_call(remote, "wrong")
    with pytest.raises(Unavailable):
        await tried.close()
    await tried.close()
    assert sorted(told[1:]) == [("10.0.0.7", 1), (HERE, 2)]


async def test_wrong_bearers_are_told_of_and_slowed_down(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_FREE_CALLS", 3)
    monkeypatch.setattr(attempts, "_WAITING_AT_ONCE", 2)
    monkeypatch.setattr(attempts, "_CALL_WAITS", 0.2)
    made = await access.tokens.make("ci", [Role.VIEWER], by="test")
    tried = await asyncio.gather(
        *(access.authenticate("paved_guess", remote=HERE) for _ in range(10)), return_exceptions=True
    )
    assert [type(it) for it in tried].count(Unauthenticated) == 5
    assert [type(it) for it in tried].count(TooManyAttempts) == 5
    assert (await access.authenticate(made.secret, remote=HERE)).name == "ci"
    await access.attempts.close()
    assert sum(entry.detail["attempts"] for entry in await log(access)) == 10


async def test_who_shows_no_token_at_all_is_not_counted(access: Access) -> None:
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await access.authenticate(None, remote=HERE)
    assert not await log(access)


async def test_many_addresses_fill_no_memory(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_ADDRESSES", 3)
    monkeypatch.setattr(attempts, "_TOLD_AT_ONCE", 0)
    for number in range(20):
        await wrong(access, remote=f"10.0.0.{number}")
    await access.attempts.close()
    entries = await log(access)
    assert len(entries) == 4
    assert sum(entry.detail["attempts"] for entry in entries) == 20
