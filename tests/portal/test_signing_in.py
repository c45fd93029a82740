"""Signing in and out in a real browser, and what that leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.running_platform import Platform


@pytest.fixture
def context(browser: Browser, platform: Platform) -> Iterator[BrowserContext]:
    """A browser that nobody is signed in with."""
    made = browser.new_context(base_url=platform.url)
    yield made
    made.close()


def link(platform: Platform) -> str:
    with platform.client() as api:
        return platform.url + api.post("/v1/sign-in-links").json()["path"]


def sign_in(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Sign in").click()
    return page


def session_of(context: BrowserContext, platform: Platform) -> str:
    """Its id, as the API lists it: the newest."""
    with platform.client() as api:
        return api.get("/v1/sessions").json()[0]["id"]


def test_nobody_gets_in_without_the_token(context: BrowserContext, platform: Platform) -> None:
    page = context.new_page()
    page.goto("/clusters/anything")
    expect(page).to_have_url(re.compile("/login$"))
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The token is wrong")).to_be_visible()
    page.get_by_label("Token").fill(platform.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/")
    expect(page).to_have_url(re.compile("/login$"))


def test_a_link_signs_in_by_its_button_and_once(context: BrowserContext, platform: Platform) -> None:
    url = link(platform)
    secret = url.partition("#")[2]
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_text("This link signs this browser in, once.")).to_be_visible()
    assert page.url == f"{platform.url}/login"  # it stays in no history either
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    assert asked
    assert not [it for it in asked if secret in it]
    page.get_by_role("button", name="Sign out").click()
    again = sign_in(context, url)
    expect(again.get_by_text("was used before")).to_contain_text("paved open")


def test_a_link_that_is_only_looked_at_is_still_good(context: BrowserContext, platform: Platform) -> None:
    url = link(platform)
    for _ in range(2):
        assert httpx.get(url).status_code == 200
        context.new_page().goto(url)
    expect(sign_in(context, url).get_by_role("heading", name="Clusters")).to_be_visible()


def test_a_link_works_without_scripts_when_its_secret_is_pasted(browser: Browser, platform: Platform) -> None:
    context = browser.new_context(base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    url = link(platform)
    page.goto(url)
    expect(page.get_by_text("paste what follows")).to_be_visible()
    page.get_by_label("Token").fill(url.partition("#")[2])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    context.close()


@pytest.mark.parametrize("query", ["?token={token}", "?link={link}", "?token={token}#{link}"])
def test_nothing_that_is_only_read_signs_in(platform: Platform, query: str) -> None:
    secret = link(platform).partition("#")[2]
    with httpx.Client(base_url=platform.url, follow_redirects=True) as client:
        shown = client.get("/login" + query.format(token=platform.token, link=secret))
        assert shown.status_code == 200
        assert not client.cookies
        assert client.get("/").url.path == "/login"


def test_the_cookie_holds_no_token_and_no_script_sees_it(context: BrowserContext, platform: Platform) -> None:
    page = sign_in(context, link(platform))
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    [cookie] = context.cookies()
    assert cookie.get("name") == f"pavedroad_session_{platform.port}"
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Strict"
    assert platform.token not in str(cookie)
    assert page.evaluate("document.cookie") == ""
    bearer = {"Authorization": f"Bearer {cookie.get('value')}"}
    assert httpx.get(f"{platform.url}/v1/status", headers=bearer).status_code == 401


def test_a_cookie_from_before_sessions_is_taken_back(context: BrowserContext, platform: Platform) -> None:
    context.add_cookies([{"name": "pavedroad_session", "value": platform.token, "url": platform.url}])
    context.new_page().goto("/")
    assert not context.cookies()


@pytest.mark.parametrize("how", ["ended", "revoked"])
def test_a_page_is_live_no_longer_than_its_session(
    context: BrowserContext, platform: Platform, how: str
) -> None:
    with platform.client() as api:
        made = api.post("/v1/tokens", json={"name": f"brief-{how}", "roles": ["viewer"]}).json()
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("Token").fill(made["secret"])
        with page.expect_request(re.compile("/live/")):
            page.get_by_role("button", name="Sign in").click()
        if how == "ended":
            api.delete(f"/v1/sessions/{session_of(context, platform)}").raise_for_status()
        else:
            api.delete(f"/v1/tokens/{made['token']['id']}").raise_for_status()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/")
    expect(page).to_have_url(re.compile("/login$"))


def test_a_stream_of_the_api_ends_with_its_token(platform: Platform) -> None:
    with platform.client() as api:
        made = api.post("/v1/tokens", json={"name": "follower", "roles": ["viewer"]}).json()
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        with httpx.stream("GET", f"{platform.url}/v1/events", headers=bearer, timeout=60) as events:
            lines = events.iter_lines()
            assert next(lines).startswith(":")
            api.delete(f"/v1/tokens/{made['token']['id']}").raise_for_status()
            list(lines)
        assert httpx.get(f"{platform.url}/v1/events", headers=bearer).status_code == 401


def test_sessions_are_listed_and_ended_on_a_page_and_by_command(
    browser: Browser, context: BrowserContext, platform: Platform
) -> None:
    page = sign_in(context, link(platform))
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    own = session_of(context, platform)
    other = browser.new_context(base_url=platform.url)
    elsewhere = sign_in(other, link(platform))
    expect(elsewhere.get_by_role("heading", name="Clusters")).to_be_visible()
    theirs = session_of(other, platform)
    page.goto("/sessions")
    expect(page.get_by_role("row").filter(has_text=own)).to_contain_text("this one")
    page.get_by_role("row").filter(has_text=theirs).get_by_role("button", name="End").click()
    expect(page.get_by_text(theirs)).to_have_count(0)
    expect(elsewhere).to_have_url(re.compile("/login$"))
    other.close()
    assert own in [it["id"] for it in json.loads(platform.paved("session", "list", "--json").stdout)]
    assert own in platform.paved("session", "list").stdout
    assert "has ended" in platform.paved("session", "end", own).stdout
    page.goto("/")
    expect(page).to_have_url(re.compile("/login$"))


def test_another_site_cannot_press_the_buttons(context: BrowserContext, platform: Platform) -> None:
    page = sign_in(context, link(platform))
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    [cookie] = context.cookies()
    ours = {cookie.get("name", ""): cookie.get("value", "")}
    with httpx.Client(base_url=platform.url, cookies=ours) as client:
        for path in ("/clusters/shop/rollback", "/logout", "/login"):
            for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {}):
                assert client.post(path, headers=headers).status_code == 403, (path, headers)
        assert client.get("/").status_code == 200


def test_who_guesses_is_told_to_wait_and_the_owner_comes_in(fresh_platform: Platform) -> None:
    platform = fresh_platform
    platform.start()
    with httpx.Client(base_url=platform.url, headers={"Origin": platform.url}) as client:
        answers = [client.post("/login", data={"token": f"paved_{number}"}) for number in range(7)]
        assert [it.status_code for it in answers] == [401] * 5 + [429] * 2
        assert [it.headers.get("retry-after") for it in answers[5:]] == ["1", "2"]
        assert "Wait 2 s" in answers[-1].text
        assert client.post("/login", data={"token": platform.token}).status_code == 303
    told = json.loads(platform.paved("audit", "--who", "stranger", "--json").stdout)["entries"]
    assert [(it["action"], it["outcome"], it["kind"]) for it in told] == [
        ("sign-in", "refused", "stranger")
    ] * 5
    assert "session ses-" in platform.paved("audit").stdout
