"""Names by which this machine is called, pages that ask, and all that only looks like either."""

from __future__ import annotations

import pytest

from pavedroad.core.callers import is_called_here, is_loopback, is_page_elsewhere, is_perhaps_a_page

HERE = ("127.0.0.1", "127.8.9.10", "localhost", "LocalHost", "[::1]", "bucket.s3.localhost", "a_b.localhost")
ELSEWHERE = (
    "",
    "127.evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "xlocalhost",
    "127.1",
    "127.0.0.01",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "0.0.0.0",
    "128.0.0.1",
    "169.254.169.254",
    "[::2]",
    "[::ffff:127.0.0.1]",
    "::1",
    "localhost.",
    "user@localhost",
    "localhost evil.example",
    "evil.example, localhost",
    "localhost, evil.example",
    "127.0.0.1:4566:4566",
    "１２７.0.0.1",
    "localhost:٤٥٦٦",
    "localhost\n",
)


@pytest.mark.parametrize("name", HERE)
def test_this_machines_names_are_known_with_the_ports_that_are_listened_at(name: str) -> None:
    assert is_called_here(name, 4566)
    assert is_called_here(f"{name}:4566", 4566)
    assert not is_called_here(f"{name}:80", 4566)
    assert not is_called_here(f"{name}:", 4566)
    assert not is_page_elsewhere({"origin": f"http://{name}:3000"})


@pytest.mark.parametrize("name", ELSEWHERE)
def test_names_that_only_look_like_it_are_strangers(name: str) -> None:
    assert not is_called_here(name, 4566)
    assert not is_called_here(f"{name}:4566", 4566)
    assert is_page_elsewhere({"origin": f"http://{name}"})
    assert is_page_elsewhere({"origin": f"http://{name}:4566"})


@pytest.mark.parametrize("origin", ["null", "", "file://", "chrome-extension://abc", "http://", "localhost"])
def test_an_origin_that_is_no_page_of_this_machine_is_elsewhere(origin: str) -> None:
    assert is_page_elsewhere({"origin": origin})


@pytest.mark.parametrize(
    ("site", "elsewhere"),
    [("cross-site", True), ("same-site", True), ("who knows", True), ("same-origin", False), ("none", False)],
)
def test_browsers_say_whose_page_asks(site: str, elsewhere: bool) -> None:
    assert is_page_elsewhere({"sec-fetch-site": site}) is elsewhere
    assert is_page_elsewhere({"sec-fetch-site": site, "origin": "http://localhost:4566"}) is elsewhere
    assert is_page_elsewhere({"sec-fetch-site": site, "origin": "https://evil.example"})


def test_who_says_nothing_is_no_page() -> None:
    assert not is_page_elsewhere({})


@pytest.mark.parametrize(
    ("headers", "perhaps"),
    [
        ({}, False),
        ({"user-agent": "Boto3/1.43"}, False),
        ({"user-agent": "Mozilla/5.0 (old)"}, True),
        ({"user-agent": "Mozilla/5.0", "sec-fetch-site": "none"}, False),
        ({"user-agent": "Mozilla/5.0", "authorization": "AWS4-HMAC-SHA256 ..."}, False),
        ({"referer": "https://evil.example/page"}, True),
        ({"referer": "http://127.evil.example/"}, True),
        ({"referer": "http://localhost:4566/page"}, False),
    ],
)
def test_an_old_browser_is_told_by_what_it_says_besides(headers: dict[str, str], perhaps: bool) -> None:
    assert is_perhaps_a_page(headers) is perhaps


def test_a_host_is_no_more_than_a_name_and_a_port() -> None:
    assert not is_called_here("localhost/x", 4566)


def test_addresses_are_parsed_as_addresses() -> None:
    assert is_loopback("127.255.255.254")
    assert not is_loopback("127.256.0.1")
