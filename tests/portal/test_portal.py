"""The portal in a real browser: what a developer sees and does there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.running_platform import Platform

ROOT = Path(__file__).resolve().parents[2]


def _deploy(platform: Platform, name: str, version: str, folder: Path) -> None:
    target = folder / name
    if not target.exists():
        shutil.copytree(ROOT / "examples" / "hello", target)
        manifest = target / "paved.yaml"
        manifest.write_text(manifest.read_text().replace("application: hello", f"application: {name}"))
    (target / "version.txt").write_text(version)
    platform.paved("deploy", str(target), "--version", version)


@pytest.fixture(scope="module")
def shop(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster with two versions, the second serving."""
    folder = tmp_path_factory.mktemp("shop")
    _deploy(platform, "shop", "1.0.0", folder)
    _deploy(platform, "shop", "2.0.0", folder)
    yield "shop"
    platform.paved("destroy", "shop", "--yes")


def test_a_cluster_is_shown_whole(page: Page, shop: str) -> None:
    page.goto("/")
    card = page.get_by_role("article").filter(has=page.get_by_role("link", name=shop, exact=True))
    expect(card).to_contain_text("serving")
    card.get_by_role("link", name=shop, exact=True).click()
    serving = page.get_by_role("article").filter(has_text="100 %")
    expect(serving).to_contain_text("shop-v001")
    expect(serving).to_contain_text("2.0.0")
    expect(serving.locator("li.good")).to_have_count(3)
    for zone in ("us-east-1a", "us-east-1b", "us-east-1c"):
        expect(serving).to_contain_text(zone)
    expect(page.get_by_role("article").filter(has_text="no traffic")).to_contain_text("shop-v000")


def test_what_happens_in_the_cloud_is_seen_without_a_reload(
    page: Page, platform: Platform, shop: str
) -> None:
    page.goto(f"/clusters/{shop}")
    expect(page.locator(".group.serving li.good")).to_have_count(3)
    cluster = json.loads(platform.paved("clusters", shop, "--json").stdout)[0]
    victim = next(group for group in cluster["server_groups"] if group["enabled"])["instances"][0]["id"]
    shown = page.locator(".group.serving li").filter(has_text=victim)
    expect(shown).to_be_visible()
    platform.aws("ec2").terminate_instances(InstanceIds=[victim])
    expect(shown).to_be_hidden(timeout=60_000)
    expect(page.locator(".group.serving li.good")).to_have_count(3, timeout=60_000)


def test_rollback_and_deploy_are_a_button_each(page: Page, platform: Platform, shop: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/clusters/{shop}")
    url = page.get_by_role("main").get_by_role("link", name="http://127.").first.get_attribute("href")
    assert url
    assert httpx.get(url).json()["version"] == "2.0.0"
    page.get_by_role("button", name="Roll back to 1.0.0").click()
    expect(page.get_by_role("status")).to_contain_text("shop is again served by shop-v000, version 1.0.0")
    expect(page.locator(".group.serving")).to_contain_text("shop-v000")
    assert httpx.get(url).json()["version"] == "1.0.0"

    page.get_by_label("Image").select_option(label=_option(page, "2.0.0"))
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page).to_have_url(re.compile("/deployments/"))
    expect(page.get_by_text("succeeded").first).to_be_visible(timeout=120_000)
    assert httpx.get(url).json()["version"] == "2.0.0"


def _option(page: Page, version: str) -> str:
    return next(text for text in page.locator("#image option").all_inner_texts() if text.startswith(version))


def test_a_rollback_says_first_from_where_to_where(page: Page, platform: Platform, shop: str) -> None:
    said: list[str] = []

    def read(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", read)
    page.goto(f"/clusters/{shop}")
    page.get_by_role("button", name="Roll back to").click()
    plan = platform.client().get(f"/v1/clusters/{shop}/rollback").json()
    [sentence] = said
    assert sentence.partition(", version")[0] == plan["sentence"].partition(", version")[0]
    for group in (plan["to"], *plan["losing"]):
        assert f"{group['name']}, version {group['version']}" in sentence


def test_a_viewer_sees_no_button_that_refuses(browser: Browser, platform: Platform, shop: str) -> None:
    with platform.client() as api:
        made = api.post("/v1/tokens", json={"name": "onlooker", "roles": ["viewer"]}).json()
        deployment = api.get("/v1/deployments").json()[0]["id"]
    context = browser.new_context(base_url=platform.url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Token").fill(made["secret"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    for path in ("/", f"/clusters/{shop}", "/images", "/faults", f"/deployments/{deployment}"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    context.close()


def test_a_page_says_that_it_is_cut_off_and_comes_back_by_itself(
    page: Page, platform: Platform, shop: str
) -> None:
    page.goto(f"/clusters/{shop}")
    line = page.locator("#connection")
    expect(page.locator(".group.serving")).to_be_visible()
    expect(line).to_be_hidden()
    parts = json.loads((platform.home / "running.json").read_text())["parts"]
    os.kill(next(part["pid"] for part in parts if part["name"] == "platform"), signal.SIGKILL)
    expect(line).to_contain_text(re.compile(r"Disconnected: this is as of \d\d:\d\d:\d\d UTC"))
    expect(line).to_be_hidden(timeout=60_000)
    expect(page.locator(".group.serving li.good")).to_have_count(3, timeout=60_000)


def test_the_last_group_that_serves_is_not_disabled(page: Page, shop: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/clusters/{shop}")
    page.locator(".group.serving").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status").locator(".bad")).to_be_visible()
    expect(page.locator(".group.serving")).to_have_count(1)


def test_records_are_pages_of_their_own(page: Page, shop: str) -> None:
    page.goto("/images")
    expect(page.get_by_role("cell", name="2.0.0").first).to_be_visible()
    page.get_by_role("button", name="What may go?").click()
    expect(page.locator("#pruning")).to_contain_text("newest of their application")
    page.goto("/audit")
    expect(page.get_by_role("cell", name="deploy", exact=True).first).to_be_visible()
    page.goto("/deployments")
    expect(page.get_by_role("cell", name=re.compile("shop-v00")).first).to_be_visible()
    page.goto(f"/clusters/{shop}")
    page.locator(".instances a").first.click()
    expect(page.locator(".console")).to_contain_text("hello")


def test_a_fault_is_started_seen_and_ended(page: Page, platform: Platform) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/faults")
    page.get_by_label("Kind").select_option("api")
    page.get_by_label("Operation").fill("sqs:ListQueues")
    page.get_by_label("Rate").fill("0.5")
    page.get_by_role("button", name="Start").click()
    fault = page.get_by_role("row").filter(has_text="sqs:ListQueues")
    expect(fault).to_contain_text("50 % of the calls of sqs:ListQueues are throttled")
    [known] = json.loads(platform.paved("cloud", "fault", "list", "--json").stdout)
    assert (known["target"], known["state"]) == ("sqs:ListQueues", "active")
    fault.get_by_role("button", name="End").click()
    expect(fault).to_contain_text("it was ended")
    audit = json.loads(platform.paved("audit", "--json").stdout)["entries"]
    did = [(entry["action"], entry["outcome"]) for entry in audit[:4]]
    assert did == [(action, it) for action in ("end-fault", "start-fault") for it in ("done", "begun")]
    page.get_by_label("Operation").fill("nothing:Known")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status").locator(".bad")).to_contain_text("nothing")


def test_an_unknown_cluster_is_a_page_that_says_so(page: Page) -> None:
    answer = page.goto("/clusters/nothing-like-it")
    assert answer
    assert answer.status == 404
    expect(page.get_by_text("nothing-like-it")).to_be_visible()


def test_no_page_needs_anything_from_elsewhere(page: Page, platform: Platform, shop: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    for path in (
        "/",
        f"/clusters/{shop}",
        "/images",
        "/deployments",
        "/faults",
        "/audit",
        "/sessions",
        "/login",
    ):
        page.goto(path)
    assert asked
    assert not [url for url in asked if not url.startswith((platform.url, "data:"))]
    assert not errors
