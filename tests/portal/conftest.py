from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import chromium
from tests.running_platform import Platform


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """No longer than for this package: it runs an event loop, beside which no other test may have its own."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, platform: Platform) -> Iterator[Page]:
    """Signed in by a link, as `paved open` makes it."""
    context = browser.new_context(base_url=platform.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(json.loads(platform.paved("open", "--json").stdout)["url"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    yield page
    context.close()
