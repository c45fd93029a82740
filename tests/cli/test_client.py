"""The commands' small client, against answers that a server gives."""

from __future__ import annotations

import httpx
import pytest

from pavedroad.cli.client import Client, parse_events, segment
from pavedroad.cli.exits import Exit
from pavedroad.cli.logs import fresh
from pavedroad.core import errors
from pavedroad.core.errors import Guarded, InvalidInput, PavedError, Unavailable


def client(answer: httpx.Response) -> Client:
    return Client("http://paved", "secret", transport=httpx.MockTransport(lambda _: answer))


def test_the_token_is_sent() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json=[])

    Client("http://paved", "secret", transport=httpx.MockTransport(answer)).get("/v1/clusters")
    assert seen == ["Bearer secret"]


def test_a_problem_is_raised_as_the_error_that_it_was() -> None:
    problem = {"code": "guarded", "detail": "It is the last that serves.", "next_step": "Deploy another."}
    with pytest.raises(Guarded) as refusal:
        client(httpx.Response(409, json=problem)).post("/v1/x")
    assert refusal.value.sentence == "It is the last that serves."
    assert refusal.value.next_step == "Deploy another."


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "a\0", "a\nb", "\x1b[2J", "\u202ea"])
def test_a_name_that_would_be_another_address_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is no name") as refusal:
        segment(name)
    assert "\x1b" not in refusal.value.sentence


def test_a_name_is_one_segment_of_an_address() -> None:
    assert [segment(name) for name in ("api-main", "a b", "a%2fb", "ü", "...")] == [
        *("api-main", "a%20b", "a%252fb", "%C3%BC", "...")
    ]


def test_an_answer_that_is_not_ours_is_said() -> None:
    with pytest.raises(PavedError, match="answered 502 without saying why"):
        client(httpx.Response(502, text="<html>")).get("/v1/x")


def test_no_answer_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unavailable, match="cannot be reached"):
        Client("http://paved", "", transport=httpx.MockTransport(refuse)).get("/v1/x")


def test_events_are_read_from_their_lines() -> None:
    lines = [": hello", "", "event: a", "data: {", 'data: "x": 1}', "", "data: 2", "", "event: lost"]
    assert [(event.name, event.data) for event in parse_events(lines)] == [("a", {"x": 1}), ("message", 2)]


def test_every_error_has_an_exit_code_of_its_own_meaning() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PavedError)
    ]
    inner = [kind.code for kind in kinds if Exit.of(kind.code) is Exit.INTERNAL]
    assert inner == ["internal"]


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("", "a\n", "a\n"),
        ("a\n", "a\nb\n", "b\n"),
        ("a\nb\n", "a\nb\n", ""),
        ("x" * 1000 + "end\n", "x" * 600 + "end\nnew\n", "new\n"),
        ("gone\n", "other\n", "other\n"),
    ],
)
def test_following_a_console_shows_each_line_once(before: str, now: str, new: str) -> None:
    assert fresh(before, now) == new
