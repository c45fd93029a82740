"""The commands' small client, against answers that a server gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pavedroad.cli.client import Client, parse_events, segment
from pavedroad.cli.exits import Exit
from pavedroad.cli.logs import fresh
from pavedroad.core import errors
from pavedroad.core.errors import Guarded, InvalidInput, PavedError, Unavailable


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], tuple[int, bytes]]) -> Generator[str]:
    """The address of one that answers every request so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            status, body = answer(self)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        serving = Thread(target=listening.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            serving.join()


def test_the_token_is_sent_and_what_is_asked_for() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(asked: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        seen.append((asked.path, asked.headers["authorization"]))
        return 200, b"[]"

    with server(answer) as url:
        assert Client(f"{url}/road/", "secret").get("/v1/clusters", application="a&b", cluster=None) == []
    assert seen == [("/road/v1/clusters?application=a%26b", "Bearer secret")]


def test_a_problem_is_raised_as_the_error_that_it_was() -> None:
    problem = {"code": "guarded", "detail": "It is the last that serves.", "next_step": "Deploy another."}
    with server(lambda _: (409, json.dumps(problem).encode())) as url, pytest.raises(Guarded) as refusal:
        Client(url, "secret").post("/v1/x", {"a": "\ud83d"})
    assert refusal.value.sentence == "It is the last that serves."
    assert refusal.value.next_step == "Deploy another."


def test_what_the_api_says_of_fields_is_said_of_options() -> None:
    problem = {
        "code": "invalid-input",
        "detail": "'principal' in the query: string should have at most 9 characters.",
        "next_step": "GET /v1/openapi.json describes every request.",
    }
    with server(lambda _: (400, json.dumps(problem).encode())) as url, pytest.raises(InvalidInput) as refusal:
        Client(url, "secret").get("/v1/audit")
    assert refusal.value.sentence == "--who: string should have at most 9 characters."
    assert "/v1" not in str(refusal.value.next_step)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "a\0", "a\nb", "\x1b[2J", "\u202ea"])
def test_a_name_that_would_be_another_address_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is no name") as refusal:
        segment(name)
    assert "\x1b" not in refusal.value.sentence


def test_a_name_is_one_segment_of_an_address() -> None:
    assert [segment(name) for name in ("api-main", "a b", "a%2fb", "ü", "...")] == [
        *("api-main", "a%20b", "a%252fb", "%C3%BC", "...")
    ]


@pytest.mark.parametrize(("status", "body"), [(502, b"<html>"), (200, b"<html>"), (302, b"")])
def test_an_answer_that_is_not_ours_is_said(status: int, body: bytes) -> None:
    silent = pytest.raises(PavedError, match=f"answered {status} without saying why")
    with server(lambda _: (status, body)) as url, silent:
        Client(url, "secret").get("/v1/x")


def test_no_answer_is_unavailable() -> None:
    with server(lambda _: (200, b"")) as url:
        pass
    with pytest.raises(Unavailable, match="cannot be reached"):
        Client(url, "").get("/v1/x")


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
