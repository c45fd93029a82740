"""Each attack at the API's and the portal's door, and who must still come in."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from starlette.datastructures import Headers

from pavedroad.core.errors import Forbidden, Misdirected, PavedError
from pavedroad.platform.doors import Door

OURS = "127.0.0.1:4570"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
IMAGE = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


@dataclass(frozen=True)
class Asked:
    host: str | None = OURS
    method: str = "GET"
    path: str = "/v1/clusters"
    headers: tuple[tuple[str, str], ...] = ()

    def at(self, door: Door) -> type[PavedError] | None:
        pairs = [*self.headers, *([("Host", self.host)] if self.host is not None else [])]
        raw = [(name.lower().encode(), value.encode()) for name, value in pairs]
        try:
            door.check(self.method, self.path, Headers(raw=raw))
        except PavedError as refusal:
            return type(refusal) if refusal.next_step else None
        return None


def asked(host: str | None = OURS, method: str = "GET", path: str = "/v1/clusters", **headers: str) -> Asked:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Asked(host, method, path, named)


@pytest.mark.parametrize(
    "attack",
    [
        asked("evil.example"),
        asked("evil.example:4570"),
        asked("127.evil.example:4570"),
        asked("127.0.0.1.evil.example:4570"),
        asked("localhost.evil.example:4570"),
        asked("0.0.0.0:4570"),
        asked("127.0.0.1:4566"),
        asked("localhost:80"),
        asked("10.0.0.7:4570"),
        asked(""),
        asked(None),
        Asked(headers=(("Host", "evil.example"),)),
        Asked(headers=(("Host", OURS),)),
    ],
    ids=str,
)
def test_a_name_that_is_not_ours_is_misdirected(attack: Asked) -> None:
    assert attack.at(Door(4570)) is Misdirected


@pytest.mark.parametrize("path", ["/v1/deployments", "/login", "/healthz", "/live/overview"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example:4570"},
        {"Origin": "http://127.evil.example:4570"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:4570"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "chrome-extension://abcdef"},
        {"Origin": "http://127.0.0.1:4570, http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "anything"},
        {"Sec-Fetch-Site": "cross-site", **IMAGE},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", **NAVIGATION},
    ],
    ids=str,
)
def test_a_page_from_elsewhere_is_refused(path: str, method: str, headers: dict[str, str]) -> None:
    assert Asked(OURS, method, path, tuple(headers.items())).at(Door(4570)) is Forbidden


def test_one_good_origin_does_not_hide_another() -> None:
    both = (("Origin", f"http://{OURS}"), ("Origin", "http://evil.example"))
    assert Asked(headers=both).at(Door(4570)) is Forbidden


@pytest.mark.parametrize(
    "guest",
    [
        asked(),
        asked("127.0.0.1"),
        asked("LOCALHOST:4570"),
        asked("[::1]:4570"),
        asked(method="POST"),
        asked(method="POST", Origin=f"http://{OURS}"),
        asked("localhost:4570", "POST", Origin="http://localhost:4570", Sec_Fetch_Site="same-origin"),
        asked(Sec_Fetch_Site="none"),
        asked(Sec_Fetch_Site="same-origin"),
    ],
    ids=str,
)
def test_our_own_pages_and_programs_come_in(guest: Asked) -> None:
    assert guest.at(Door(4570)) is None


def test_a_link_from_elsewhere_opens_a_page_and_does_no_more() -> None:
    link = tuple({"Sec-Fetch-Site": "cross-site", **NAVIGATION}.items())
    assert Asked(path="/login", headers=link).at(Door(4570)) is None
    assert Asked(path="/login", method="POST", headers=link).at(Door(4570)) is Forbidden
    assert Asked(path="/v1/clusters", headers=link).at(Door(4570)) is Forbidden


def test_a_name_may_be_allowed_with_any_port_or_with_one() -> None:
    door = Door(4570, ["paved.example", "127.0.0.1:8080"])
    https = {"Origin": "https://paved.example", "Sec-Fetch-Site": "same-origin"}
    assert Asked("paved.example", "POST", headers=tuple(https.items())).at(door) is None
    assert asked("Paved.Example:8443").at(door) is None
    assert asked("127.0.0.1:8080", Origin="http://127.0.0.1:8080").at(door) is None
    assert asked("127.0.0.1:8081").at(door) is Misdirected
