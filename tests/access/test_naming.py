"""Nobody in the audit log looks like the platform, or like another, by the choice of a name."""

from __future__ import annotations

import asyncio

import pytest

from pavedroad.access.model import AuditQuery, Role
from pavedroad.access.naming import check_name
from pavedroad.access.service import Access
from pavedroad.core.errors import Conflict, InvalidInput


@pytest.mark.parametrize(
    "name",
    [
        *("ci", "ada", "Ada Lovelace", "ci@example.com", "deploy-bot_2", "Zoë", "山田", "O'Neill", "a.b:c"),
        *("Анна", "Ωμέγα"),
    ],
)
def test_people_and_programs_are_called_what_they_like(name: str) -> None:
    check_name(name, ["ci", "ada", "someone"])


@pytest.mark.parametrize(
    "name",
    [
        "paved up",
        "Paved Up",
        "paved-up",
        "PAVED\u00a0UP",
        "paved",
        "pavedroad",
        "administrator",
        "Administrator",
        "ａｄｍｉｎｉｓｔｒａｔｏｒ",
        "аdministrator",
        "раvеd uр",
        "ЅУЅТЕМ",
        "admın",
        "αdmin",
        "admin",
        "system",
        "S y s t e m",
        "clean-up",
        "cleanup",
        "stranger",
        "unknown",
        "",
        " ",
        "---",
        " ci",
        "ci ",
        "a  b",
        "a\nb",
        "a\tb",
        "a\x00b",
        "a\x1b[31mb",
        "a\x9bb",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\ufeffb",
        "a\u2028b",
        "a\udc80b",
        "ﬁne",
        "x" * 101,
    ],
    ids=ascii,
)
def test_a_name_that_misleads_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_name(name)
    assert refusal.value.next_step


@pytest.mark.parametrize("name", ["CI Bot", "ci-bot", "ci.bot", "ＣＩ-bot".replace("ＣＩ", "Ci")])
def test_a_name_that_looks_like_another_s_is_refused(name: str) -> None:
    with pytest.raises(Conflict, match="looks like 'ci bot'"):
        check_name(name, ["ada", "ci bot"])


async def test_a_token_may_be_replaced_by_one_of_the_same_name(access: Access) -> None:
    await access.tokens.make("ci", [Role.DEPLOYER], by="ada")
    again = await access.tokens.make("ci", [Role.DEPLOYER], by="ada")
    with pytest.raises(Conflict):
        await access.tokens.make("CI", [Role.DEPLOYER], by="ada")
    for token in await access.tokens.all():
        await access.revoke(token.id)
    assert (await access.tokens.make("CI", [Role.DEPLOYER], by="ada")).token.id != again.token.id


async def test_two_of_one_name_are_told_apart_by_what_they_are(access: Access) -> None:
    made = [await access.tokens.make("ci", [Role.DEPLOYER], by="ada") for _ in range(2)]
    for token in made:
        async with access.acting(await access.authenticate(token.secret), "deploy", "hello"):
            pass
    entries = await access.audit.entries(AuditQuery())
    assert [(it.principal, it.kind, it.actor_id) for it in entries] == [
        ("ci", "token", token.token.id) for token in reversed(made)
    ]


async def test_of_names_that_look_alike_one_is_made_although_they_come_at_once(access: Access) -> None:
    made = await asyncio.gather(
        *(access.tokens.make(name, [Role.VIEWER], by="test") for name in ("ada", "Ada", "a-da", "A DA")),
        return_exceptions=True,
    )
    assert sum(isinstance(it, Conflict) for it in made) == 3
    assert len(await access.tokens.all()) == 1
