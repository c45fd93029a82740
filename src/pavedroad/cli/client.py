"""The HTTP API as the commands use it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from pavedroad import __version__
from pavedroad.cli.coming_back import ComingBack
from pavedroad.cli.failures import told
from pavedroad.cli.wording import next_step_of, sentence_of
from pavedroad.core.errors import InvalidInput, PavedError, Unauthenticated, Unavailable
from pavedroad.core.names import is_segment
from pavedroad.core.places import Places
from pavedroad.core.showing import shown

_SECONDS = 60.0
_UPLOAD_SECONDS = 600.0
_CONNECT_SECONDS = 5.0
_PAUSE = 0.2
_START = "Start it with `paved up`."
_SIGN_IN = "Correct or unset PAVED_TOKEN; an administrator makes tokens: paved token create NAME."


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event: its name, and its data from JSON."""

    name: str
    data: Any


class CutOff(Unavailable):
    """The platform ended before its answer did, and is starting again."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request; `seconds` is how long no byte may come, None is for ever."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | IO[bytes] | None
    seconds: float | None


class Client:
    """One platform's API. Every failure is a `PavedError` with a sentence.

    By the standard library: to load more would take longer than most commands do."""

    def __init__(self, url: str, token: str, *, coming_back: ComingBack | None = None) -> None:
        """`coming_back` knows whether it is worth to wait for a platform that cannot be reached."""
        self.url = url.rstrip("/")
        self.token = token
        self._coming_back = coming_back
        try:
            self._place = urlsplit(self.url)
            self._port = self._place.port
            if not self._place.hostname or self._place.scheme not in {"http", "https"}:
                raise ValueError("it begins with http:// or https:// and a host")
            self._place.hostname.encode("idna")
        except ValueError as error:
            raise Unavailable(
                f"'{self.url}' is no address: {error}.", next_step="Correct or unset PAVED_URL."
            ) from error

    @classmethod
    def here(cls) -> Client:
        """The platform of `PAVED_URL`, else the one that runs on this machine."""
        places = Places.default()
        url = os.environ.get("PAVED_URL", "")
        if not url:
            url = ComingBack(places).url()
        return cls(url, _token(places), coming_back=ComingBack(places))

    def get(self, path: str, **query: str | int | None) -> Any:
        return self._json("GET", path, query)

    def post(self, path: str, body: Any = None, *, within: float = _SECONDS) -> Any:
        return self._json("POST", path, body=body, within=within)

    def put(self, path: str, body: Any) -> Any:
        return self._json("PUT", path, body=body)

    def delete(self, path: str, *, within: float = _SECONDS) -> Any:
        return self._json("DELETE", path, within=within)

    def upload(self, path: str, archive: IO[bytes], **query: str | None) -> Any:
        """A POST of a zstd-compressed archive, as large as it is."""
        headers = {
            "Content-Type": "application/zstd",
            "Content-Length": str(os.fstat(archive.fileno()).st_size),
        }
        return self._read(_Asked("POST", self._target(path, query), headers, archive, _UPLOAD_SECONDS))

    def follow(self, path: str, **query: str) -> Iterator[ServerEvent]:
        """Server-sent events of a route until it ends them."""
        with (
            self._reaching(),
            self._answer(_Asked("GET", self._target(path, query), {}, None, None)) as answer,
        ):
            if answer.status >= 400:
                raise _refusal(self.url + path, answer.status, answer.read())
            yield from parse_events(line.decode(errors="replace").rstrip("\r\n") for line in answer)

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None] | None = None,
        *,
        body: Any = None,
        within: float = _SECONDS,
    ) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._read(_Asked(method, self._target(path, query or {}), headers, content, within))

    def _target(self, path: str, query: Mapping[str, str | int | None]) -> str:
        given = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self._place.path}{path}?{given}" if given else f"{self._place.path}{path}"

    def _read(self, asked: _Asked) -> Any:
        with self._reaching(), self._answer(asked) as answer:
            status, content = answer.status, answer.read()
        if status >= 300:
            raise _refusal(self.url + asked.target, status, content)
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise _refusal(self.url + asked.target, status, content) from None

    @contextmanager
    def _answer(self, asked: _Asked) -> Generator[HTTPResponse]:
        """While the platform starts again, whatever has not reached it and all reads wait."""
        since = time.monotonic()
        while True:
            connection, reached = self._connection(), False
            try:
                connection.connect()
                reached = True
                answer = self._said(connection, asked)
                break
            except BaseException as error:
                connection.close()
                lost = isinstance(error, OSError | HTTPException) and not isinstance(error, TimeoutError)
                may_be_repeated = asked.method == "GET" or not reached
                if not lost or not may_be_repeated or not self._comes_back(time.monotonic() - since):
                    raise
            time.sleep(_PAUSE)
        try:
            yield answer
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._place.scheme == "https" else HTTPConnection
        return kind(self._place.hostname or "", self._port, timeout=_CONNECT_SECONDS)

    def _said(self, connection: HTTPConnection, asked: _Asked) -> HTTPResponse:
        connection.sock.settimeout(asked.seconds)
        ours = {"User-Agent": f"paved/{__version__}"}
        if self.token:
            ours["Authorization"] = f"Bearer {self.token}"
        connection.request(asked.method, asked.target, asked.body, {**ours, **asked.headers})
        return connection.getresponse()

    def _comes_back(self, waited: float = 0.0) -> bool:
        return self._coming_back is not None and self._coming_back.is_worth_waiting(self.url, waited)

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except TimeoutError as error:
            raise Unavailable(
                f"{self.url} did not answer in time.", next_step="Try `paved status`."
            ) from error
        except (OSError, HTTPException) as error:
            if self._comes_back():
                raise CutOff(
                    "The platform ended in the middle of this; whether it was done is not known.",
                    next_step="It starts again: look with `paved audit` before you ask anew.",
                ) from error
            why = str(error) or type(error).__name__
            raise Unavailable(f"{self.url} cannot be reached: {why}.", next_step=_START) from error


def parse_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events in the lines of an event stream."""
    name, data = "message", list[str]()
    for line in lines:
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "" and data:
            yield ServerEvent(name, json.loads("\n".join(data)))
        if line == "":
            name, data = "message", []
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)


def segment(name: str) -> str:
    """A name as one segment of a path; `InvalidInput` where it can be none."""
    if not is_segment(name):
        raise InvalidInput(f"'{shown(name)}' is no name.", next_step="Name one thing, such as `api`.")
    return quote(name, safe="")


def _token(places: Places) -> str:
    if named := os.environ.get("PAVED_TOKEN", "").strip():
        if not _can_be_sent(named):
            raise Unauthenticated(
                "What PAVED_TOKEN holds is no token.", next_step="Correct or unset PAVED_TOKEN."
            )
        return named
    try:
        token = places.token.read_bytes().strip().decode(errors="replace")
        why = None if _can_be_sent(token) else "what it holds is no token"
    except OSError as error:
        token, why = "", error.strerror
    if why is not None:
        raise Unauthenticated(
            f"There is no token: {places.token} cannot be read ({why}).",
            next_step="Set PAVED_TOKEN, or run `paved up` as this user.",
        )
    return token


def _can_be_sent(token: str) -> bool:
    """As a header: what cannot be would be shown, by the error that refuses it."""
    return token.isascii() and token.isprintable() and token != ""


def _refusal(url: str, status: int, content: bytes) -> PavedError:
    try:
        problem: dict[str, Any] = json.loads(content)
        next_step = next_step_of(problem.get("next_step"))
        if status == 401:
            next_step = _SIGN_IN  # the API's own speaks of headers
        return told(problem["code"], sentence_of(problem["detail"]), next_step)
    except (ValueError, KeyError, TypeError):
        return PavedError(
            f"{url} answered {status} without saying why.",
            next_step="Is this address Pavedroad's? See `paved status`.",
        )
