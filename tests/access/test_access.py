"""Tokens open the door, roles say how far."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from pavedroad.access.model import ALLOWED, AuditQuery, Credential, Principal, Role
from pavedroad.access.service import Access
from pavedroad.core.clock import ManualClock
from pavedroad.core.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    StateUnreadable,
    Unauthenticated,
    Unavailable,
)
from pavedroad.database.engine import Database

VIEWER = Principal("vic", frozenset({Role.VIEWER}))
DEPLOYER = Principal("dee", frozenset({Role.DEPLOYER}))
ADMIN = Principal("ada", frozenset({Role.ADMIN}))


async def test_a_token_speaks_for_its_name_and_roles(access: Access) -> None:
    made = await access.tokens.make("ci", [Role.DEPLOYER], by="ada")
    by = Credential("token", made.token.id, token_id=made.token.id)
    assert await access.authenticate(made.secret) == Principal("ci", frozenset({Role.DEPLOYER}), by)


@pytest.mark.parametrize("token", [None, "", "paved_wrong", "x" * 10_000])
async def test_no_token_or_a_wrong_one_is_unauthenticated_with_a_next_step(
    access: Access, token: str | None
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await access.authenticate(token)
    assert "Authorization" in (refusal.value.next_step or "")


async def test_a_revoked_or_expired_token_opens_nothing(access: Access, clock: ManualClock) -> None:
    revoked = await access.tokens.make("old", [Role.ADMIN], by="ada")
    await access.tokens.revoke(revoked.token.id)
    brief = await access.tokens.make("brief", [Role.ADMIN], by="ada", expires_at=clock.now() + timedelta(1))
    assert await access.authenticate(brief.secret)
    clock.advance(timedelta(days=1).total_seconds())
    for secret in (revoked.secret, brief.secret):
        with pytest.raises(Unauthenticated):
            await access.authenticate(secret)


async def test_revoking_what_is_not_there_says_so(access: Access) -> None:
    with pytest.raises(NotFound, match="tok-nothing"):
        await access.tokens.revoke("tok-nothing")


async def test_the_database_never_holds_a_secret(access: Access, database: Database, tmp_path: Path) -> None:
    made = await access.tokens.make("ci", [Role.DEPLOYER], by="ada")
    await access.audit.record(ADMIN, "deploy", "hello", "done", {"token": made.secret, "note": "fine"})
    database.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert made.secret.encode() not in written
    assert made.secret not in repr(made)


async def test_the_first_token_is_private_and_kept_over_restarts(access: Access, tmp_path: Path) -> None:
    path = tmp_path / "home" / "token"
    await access.tokens.keep_first(path)
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    await access.tokens.keep_first(path)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (first, 0o600)
    assert Role.ADMIN in (await access.authenticate(first.strip())).roles


async def test_a_first_token_that_was_revoked_is_made_anew(access: Access, tmp_path: Path) -> None:
    path = tmp_path / "token"
    await access.tokens.keep_first(path)
    assert await access.authenticate(path.read_text().strip())
    await access.tokens.revoke((await access.tokens.all())[0].id)
    await access.tokens.keep_first(path)
    assert await access.authenticate(path.read_text().strip())


@pytest.mark.parametrize("text", [b"garbage\n", b"", b"\xff", b"paved_" + b"x" * 20])
async def test_a_garbled_first_token_is_refused_and_stays(
    access: Access, tmp_path: Path, text: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(text)
    with pytest.raises(StateUnreadable, match="what it holds is no token"):
        await access.tokens.keep_first(path)
    assert path.read_bytes() == text


async def test_a_token_file_that_cannot_be_written_is_one_sentence(access: Access, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        await access.tokens.keep_first(tmp_path / "file" / "token")


@pytest.mark.parametrize(("action", "roles"), ALLOWED.items())
def test_each_role_may_do_just_what_the_table_says(
    access: Access, action: str, roles: frozenset[Role]
) -> None:
    for principal in (VIEWER, DEPLOYER, ADMIN):
        if principal.roles & roles:
            access.authorise(principal, action)
        else:
            with pytest.raises(Forbidden, match=principal.name):
                access.authorise(principal, action)


def test_what_the_table_does_not_know_nobody_may(access: Access) -> None:
    with pytest.raises(Forbidden):
        access.authorise(ADMIN, "launch-rockets")


async def test_what_is_done_refused_or_broken_is_in_the_log(access: Access) -> None:
    async with access.acting(DEPLOYER, "deploy", "hello") as told:
        told["image"] = "ami-1"
    with pytest.raises(Forbidden):
        async with access.acting(VIEWER, "deploy", "hello"):
            raise AssertionError("never reached")
    with pytest.raises(InvalidInput):
        async with access.acting(DEPLOYER, "resize", "hello-v001"):
            raise InvalidInput("too many")
    with pytest.raises(ZeroDivisionError):
        async with access.acting(DEPLOYER, "enable", "hello-v001"):
            raise ZeroDivisionError
    entries = await access.audit.entries(AuditQuery())
    assert [(e.principal, e.action, e.outcome) for e in entries] == [
        ("dee", "enable", "failed"),
        ("dee", "resize", "refused"),
        ("dee", "resize", "begun"),
        ("vic", "deploy", "refused"),
        ("dee", "deploy", "done"),
    ]
    assert entries[1].detail["reason"] == "too many"
    assert entries[4].detail == {"image": "ami-1"}


async def test_the_log_is_filtered_and_paged(access: Access, clock: ManualClock) -> None:
    for number in range(25):
        await access.audit.record(ADMIN if number % 2 else DEPLOYER, "deploy", f"c{number % 5}", "done")
        clock.advance(60)
    mine = await access.audit.entries(AuditQuery(principal="dee", subject="c2"))
    assert {(entry.principal, entry.subject) for entry in mine} == {("dee", "c2")}
    first = await access.audit.entries(AuditQuery(limit=10))
    rest = await access.audit.entries(AuditQuery(limit=100, before=first[-1].id))
    assert [entry.id for entry in first + rest] == list(range(25, 0, -1))
    newest = await access.audit.entries(AuditQuery(since=clock.now() - timedelta(minutes=3)))
    assert len(newest) == 3
    oldest = await access.audit.entries(AuditQuery(until=clock.now() - timedelta(minutes=23)))
    assert len(oldest) == 2


async def test_secrets_in_details_are_hidden_however_deep(access: Access) -> None:
    detail = {"env": {"DB_PASSWORD": "hunter2", "PORT": "8080"}, "list": [{"api_key": "k"}]}
    await access.audit.record(ADMIN, "deploy", "hello", "done", detail)
    (entry,) = await access.audit.entries(AuditQuery())
    assert entry.detail == {
        "env": {"DB_PASSWORD": "(hidden)", "PORT": "8080"},
        "list": [{"api_key": "(hidden)"}],
    }
