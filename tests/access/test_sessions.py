"""Links sign in once; sessions last as long as they are used, and as their token does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from pavedroad.access import sessions
from pavedroad.access.model import AuditQuery, NewSession, Principal, Role, SignInLink
from pavedroad.access.service import Access
from pavedroad.core.clock import ManualClock
from pavedroad.core.errors import Forbidden, NotFound, TooManyAttempts, Unauthenticated
from pavedroad.database.engine import Database

ADMIN, VIEWER = [Role.ADMIN], [Role.VIEWER]


async def someone(access: Access, roles: list[Role], name: str = "ada") -> Principal:
    made = await access.tokens.make(name, roles, by="test")
    return await access.authenticate(made.secret)


async def signed_in(access: Access, by: Principal) -> NewSession:
    link = await access.make_link(by)
    return await access.sign_in(link.secret, browser="Firefox", remote="127.0.0.1")


async def test_a_link_signs_in_whoever_made_it_once(access: Access) -> None:
    ada = await someone(access, VIEWER)
    link = await access.make_link(ada)
    begun = await access.sign_in(link.secret, browser="Firefox", remote="127.0.0.1")
    who = await access.resume(begun.secret)
    assert (who.name, who.roles) == (ada.name, ada.roles)
    assert (who.credential.kind, who.credential.id) == ("session", begun.session.id)
    with pytest.raises(Unauthenticated, match="used before") as refusal:
        await access.sign_in(link.secret, browser="Firefox", remote="127.0.0.1")
    assert "paved open" in (refusal.value.next_step or "")


async def test_of_many_who_use_a_link_at_once_one_comes_in(access: Access) -> None:
    link = await access.make_link(await someone(access, VIEWER))
    tried = await asyncio.gather(
        *(access.sign_in(link.secret, browser="", remote="") for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(it, NewSession) for it in tried) == 1
    assert sum(isinstance(it, (Unauthenticated, TooManyAttempts)) for it in tried) == 19


async def test_a_link_is_used_up_only_with_the_session_that_it_begins(
    access: Access, database: Database
) -> None:
    link = await access.make_link(await someone(access, VIEWER))
    refuse = "CREATE TRIGGER no_room BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'no room'); END"
    with database.engine.begin() as connection:
        connection.execute(sa.text(refuse))
    with pytest.raises(IntegrityError, match="no room"):
        await access.sign_in(link.secret, browser="", remote="")
    with database.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER no_room"))
    begun = await access.sign_in(link.secret, browser="", remote="")
    assert (await access.resume(begun.secret)).name == "ada"


async def test_a_link_expires_within_minutes(access: Access, clock: ManualClock) -> None:
    link = await access.make_link(await someone(access, VIEWER))
    assert link.expires_at - clock.now() == timedelta(minutes=10)
    clock.advance(600)
    with pytest.raises(Unauthenticated, match="expired"):
        await access.sign_in(link.secret, browser="", remote="")


async def test_a_link_is_worth_nothing_without_its_token(access: Access) -> None:
    ada = await someone(access, VIEWER)
    link = await access.make_link(ada)
    await access.revoke(ada.credential.token_id)
    with pytest.raises(Unauthenticated, match="revoked"):
        await access.sign_in(link.secret, browser="", remote="")
    with pytest.raises(Unauthenticated, match="no such"):
        await access.sign_in("once_nothing", browser="", remote="")


async def test_a_token_signs_in_as_a_link_does(access: Access) -> None:
    made = await access.tokens.make("ci", VIEWER, by="test")
    begun = await access.sign_in(made.secret, browser="", remote="")
    assert (await access.resume(begun.secret)).name == "ci"
    with pytest.raises(Unauthenticated):
        await access.resume(made.secret)  # a token is no session's secret
    with pytest.raises(Unauthenticated):
        await access.authenticate(begun.secret)  # nor the other way round


async def test_a_session_that_is_used_lasts_and_one_that_is_not_ends(
    access: Access, clock: ManualClock
) -> None:
    ada = await someone(access, VIEWER)
    used, idle, watched = [await signed_in(access, ada) for _ in range(3)]
    for _ in range(3):
        clock.advance(timedelta(hours=5).total_seconds())
        assert await access.resume(used.secret)
        if clock.monotonic() < timedelta(hours=12).total_seconds():
            assert await access.resume(watched.secret, seen=False)
    for ended in (idle, watched):
        with pytest.raises(Unauthenticated, match="ended"):
            await access.resume(ended.secret)
    assert [it.id for it in await access.sessions.all()] == [used.session.id]


async def test_no_session_lasts_longer_than_thirty_days_or_its_token(
    access: Access, clock: ManualClock
) -> None:
    ada = await someone(access, VIEWER)
    brief = await access.tokens.make("brief", VIEWER, by="test", expires_at=clock.now() + timedelta(days=1))
    long, short = await signed_in(access, ada), await access.sign_in(brief.secret, browser="", remote="")
    lasted = {long.secret: 0, short.secret: 0}
    for _ in range(80):
        clock.advance(timedelta(hours=10).total_seconds())
        for secret in lasted:
            try:
                await access.resume(secret)
            except Unauthenticated:
                continue
            lasted[secret] += 10
    assert lasted == {long.secret: 710, short.secret: 20}


@pytest.mark.parametrize("how", ["sign out", "revoke", "end"])
async def test_a_session_ends_at_once(access: Access, how: str) -> None:
    ada, root = await someone(access, VIEWER), await someone(access, ADMIN, "ruth")
    begun, other = await signed_in(access, ada), await signed_in(access, root)
    who = await access.resume(begun.secret)
    told: list[str] = []
    with access.lasting.hold(who, lambda: told.append("ended")):
        if how == "sign out":
            await access.end_session(who, begun.session.id)
        elif how == "revoke":
            await access.revoke(ada.credential.token_id)
        else:
            await access.end_session(root, begun.session.id)
        assert told == ["ended"]
    with pytest.raises(Unauthenticated):
        await access.resume(begun.secret)
    assert await access.resume(other.secret)


async def test_a_token_has_so_many_sessions_and_the_oldest_ends_with_its_streams(
    access: Access, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_SESSIONS_AT_ONCE", 3)
    ada, vic = await someone(access, VIEWER), await someone(access, VIEWER, "vic")
    of_vic = await signed_in(access, vic)
    begun: list[NewSession] = []
    for _ in range(3):
        begun.append(await signed_in(access, ada))
        clock.advance(1)
    await access.end_session(ada, begun[1].session.id)
    told: list[str] = []
    with access.lasting.hold(await access.resume(begun[0].secret), lambda: told.append("ended")):
        begun.append(await signed_in(access, ada))
        assert told == [], "the one that was over made room"
        clock.advance(1)
        begun.append(await signed_in(access, ada))
        assert told == ["ended"]
    left = [it.id for it in await access.sessions.all(ada.credential.token_id)]
    assert left == [it.session.id for it in (begun[4], begun[3], begun[2])]
    assert await access.resume(of_vic.secret)


async def test_what_begins_just_as_its_session_ends_does_not_last(access: Access) -> None:
    begun = await signed_in(access, await someone(access, VIEWER))
    who = await access.resume(begun.secret)
    await access.end_session(who, begun.session.id)
    told = asyncio.Event()
    with access.lasting.hold(who, told.set):
        await asyncio.wait_for(told.wait(), 10)


async def test_what_goes_on_ends_when_its_token_expires(access: Access, clock: ManualClock) -> None:
    made = await access.tokens.make("ci", VIEWER, by="test", expires_at=clock.now() + timedelta(seconds=0.05))
    told = asyncio.Event()
    with access.lasting.hold(await access.authenticate(made.secret), told.set):
        await asyncio.wait_for(told.wait(), 10)


async def test_only_administrators_see_and_end_the_sessions_of_others(access: Access) -> None:
    ada, vic, root = [await someone(access, roles, "x") for roles in (VIEWER, VIEWER, ADMIN)]
    of_ada, of_vic = await signed_in(access, ada), await signed_in(access, vic)
    with pytest.raises(NotFound):
        await access.end_session(vic, of_ada.session.id)
    assert await access.resume(of_ada.secret)
    assert [it.id for it in await access.sessions.all(access.only(vic))] == [of_vic.session.id]
    assert len(await access.sessions.all(access.only(root))) == 2
    with pytest.raises(Forbidden):
        await access.make_link(Principal("nobody", frozenset()))


async def test_the_database_holds_no_secret_of_links_and_sessions(
    access: Access, database: Database, tmp_path: Path
) -> None:
    link = await access.make_link(await someone(access, VIEWER))
    begun = await access.sign_in(link.secret, browser="", remote="")
    database.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (link.secret, begun.secret):
        assert secret.encode() not in written
        assert secret not in repr((link, begun))


async def test_links_do_not_pile_up(access: Access, clock: ManualClock) -> None:
    ada = await someone(access, VIEWER)
    links: list[SignInLink] = []
    for _ in range(110):
        links.append(await access.make_link(ada))
        clock.advance(1)
    with pytest.raises(Unauthenticated, match="no such"):
        await access.sign_in(links[0].secret, browser="", remote="")
    assert await access.sign_in(links[-1].secret, browser="", remote="")


async def test_the_log_says_who_signed_in_by_kind_and_id(access: Access) -> None:
    ada = await someone(access, VIEWER)
    begun = await signed_in(access, ada)
    signed, linked = (await access.audit.entries(AuditQuery()))[:2]
    assert (signed.principal, signed.kind, signed.actor_id) == ("ada", "session", begun.session.id)
    assert (linked.principal, linked.kind, linked.actor_id) == ("ada", "token", ada.credential.id)
    assert (signed.action, linked.action) == ("sign-in", "make-link")
    assert signed.detail == {"by": "link", "browser": "Firefox", "remote": "127.0.0.1"}


async def test_whoever_makes_many_links_takes_none_from_another(access: Access) -> None:
    link = await access.make_link(await someone(access, ADMIN))
    bob = await someone(access, VIEWER, "bob")
    for _ in range(101):
        await access.make_link(bob)
    assert (await access.sign_in(link.secret, browser="", remote="")).session.name == "ada"
