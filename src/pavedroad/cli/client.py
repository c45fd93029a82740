"""The HTTP API as the commands use it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote

import httpx

from pavedroad.cli.coming_back import ComingBack
from pavedroad.cli.failures import told
from pavedroad.core.errors import InvalidInput, PavedError, Unauthenticated, Unavailable
from pavedroad.core.names import is_segment
from pavedroad.core.places import Places
from pavedroad.core.showing import shown

_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(_SECONDS, connect=5)
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


class Client:
    """One platform's API. Every failure is a `PavedError` with a sentence."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        coming_back: ComingBack | None = None,
    ) -> None:
        """`coming_back` knows whether it is worth to wait for a platform that cannot be reached."""
        self.url = url.rstrip("/")
        self.token = token
        self._coming_back = coming_back
        with self._reaching():
            self._http = httpx.Client(
                base_url=self.url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT,
                trust_env=False,
                transport=transport,
            )

    @classmethod
    def here(cls) -> Client:
        """The platform of `PAVED_URL`, else the one that runs on this machine."""
        places = Places.default()
        url = os.environ.get("PAVED_URL", "")
        if not url:
            url = ComingBack(places).url()
        return cls(url, _token(places), coming_back=ComingBack(places))

    def get(self, path: str, **query: str | int | None) -> Any:
        return self._json(
            "GET", path, params={key: value for key, value in query.items() if value is not None}
        )

    def post(self, path: str, body: Any = None, *, within: float = _SECONDS) -> Any:
        return self._json("POST", path, json=body, timeout=httpx.Timeout(within, connect=5))

    def put(self, path: str, body: Any) -> Any:
        return self._json("PUT", path, json=body)

    def delete(self, path: str, *, within: float = _SECONDS) -> Any:
        return self._json("DELETE", path, timeout=httpx.Timeout(within, connect=5))

    def upload(self, path: str, archive: IO[bytes], **query: str | None) -> Any:
        """A POST of a zstd-compressed archive, as large as it is."""
        params = {key: value for key, value in query.items() if value is not None}
        headers = {"Content-Type": "application/zstd"}
        patient = httpx.Timeout(600, connect=5)
        return self._json("POST", path, content=archive, params=params, headers=headers, timeout=patient)

    def follow(self, path: str, **query: str) -> Iterator[ServerEvent]:
        """Server-sent events of a route until it ends them."""
        patient = httpx.Timeout(None, connect=5)
        asked = self._http.build_request("GET", path, params=query, timeout=patient)
        with self._reaching(), closing(self._sent(asked, stream=True)) as answer:
            if answer.is_error:
                answer.read()
                raise _refusal(answer)
            yield from parse_events(answer.iter_lines())

    def _json(self, method: str, path: str, **request: Any) -> Any:
        with self._reaching():
            answer = self._sent(self._http.build_request(method, path, **request))
        if answer.is_error:
            raise _refusal(answer)
        return answer.json() if answer.content else None

    def _sent(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The answer; while the platform starts again, whatever has not reached it and all reads wait."""
        since = time.monotonic()
        while True:
            try:
                return self._http.send(request, stream=stream)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                may_be_repeated = request.method == "GET" or isinstance(error, httpx.ConnectError)
                if not may_be_repeated or not self._comes_back(time.monotonic() - since):
                    raise
            time.sleep(_PAUSE)

    def _comes_back(self, waited: float = 0.0) -> bool:
        return self._coming_back is not None and self._coming_back.is_worth_waiting(self.url, waited)

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"{self.url} did not answer in time.", next_step="Try `paved status`."
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            why = str(error).removesuffix(".")
            raise Unavailable(
                f"'{self.url}' is no address: {why}.", next_step="Correct or unset PAVED_URL."
            ) from error
        except httpx.TransportError as error:
            if self._comes_back():
                raise CutOff(
                    "The platform ended in the middle of this; whether it was done is not known.",
                    next_step="It starts again: look with `paved audit` before you ask anew.",
                ) from error
            raise Unavailable(f"{self.url} cannot be reached: {error}.", next_step=_START) from error


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


def _refusal(answer: httpx.Response) -> PavedError:
    try:
        problem: dict[str, Any] = answer.json()
        next_step = problem.get("next_step")
        if answer.status_code == 401:
            next_step = _SIGN_IN  # the API's own speaks of headers
        return told(problem["code"], problem["detail"], next_step)
    except (ValueError, KeyError, TypeError):
        return PavedError(
            f"{answer.request.url} answered {answer.status_code} without saying why.",
            next_step="Is this address Pavedroad's? See `paved status`.",
        )
