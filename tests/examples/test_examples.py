"""Services that we did not write, unmodified from the package index: shipped, upgraded, rolled back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.platform.conftest import Platform

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """`upgrade` changes the folder into its next version; `shows` reads from the service which one it is."""

    name: str
    upgrade: Callable[[Path], None]
    shows: Callable[[httpx.Client], str]
    before: str
    after: str


def _replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def _title(client: httpx.Client) -> str:
    return client.get("/").text.split("<h1>")[1].split("</h1>")[0]


EXAMPLES_AND_UPGRADES = [
    Example(
        "datasette",
        _replace("paved.yaml", "datasette==0.65.2", "datasette==0.65.3"),
        lambda client: client.get("/-/versions.json").json()["datasette"]["version"],
        "0.65.2",
        "0.65.3",
    ),
    Example(
        "httpbin",
        _replace("paved.yaml", "httpbin[mainapp]==0.10.2", "httpbin[mainapp]==0.10.4"),
        lambda client: client.get("/spec.json").json()["info"]["version"],
        "0.10.2",
        "0.10.4",
    ),
    Example(
        "caddy",
        _replace("site/index.html", "<h1>A paved road</h1>", "<h1>A wider road</h1>"),
        _title,
        "A paved road",
        "A wider road",
    ),
    Example(
        "node",
        _replace("site/index.html", "<h1>A paved road</h1>", "<h1>A wider road</h1>"),
        _title,
        "A paved road",
        "A wider road",
    ),
]


def _cluster(platform: Platform, name: str) -> dict[str, object]:
    [cluster] = [
        entry for entry in json.loads(platform.paved("clusters", "--json").stdout) if entry["name"] == name
    ]
    return cluster


def _serving(cluster: dict[str, object]) -> list[dict[str, object]]:
    groups = cluster["server_groups"]
    assert isinstance(groups, list)
    return [group for group in groups if group["enabled"]]


# Those that install many packages take longest; the Go binary and the Node server go with every change.
LONG = frozenset({"caddy", "datasette", "httpbin"})


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=example.name, marks=[pytest.mark.slow] if example.name in LONG else [])
        for example in EXAMPLES_AND_UPGRADES
    ],
)
def test_a_stranger_s_service_is_deployed_upgraded_and_rolled_back(
    platform: Platform, example: Example, tmp_path: Path
) -> None:
    folder = tmp_path / example.name
    shutil.copytree(EXAMPLES / example.name, folder)
    assert len((folder / "paved.yaml").read_text().splitlines()) <= 15

    platform.paved("deploy", str(folder))
    first = _cluster(platform, example.name)
    [old] = _serving(first)
    assert len({instance["zone"] for instance in old["instances"]}) == 3  # type: ignore[attr-defined]
    with httpx.Client(base_url=str(first["url"])) as client:
        assert example.shows(client) == example.before

        example.upgrade(folder)
        platform.paved("deploy", str(folder))
        [new] = _serving(_cluster(platform, example.name))
        assert new["name"] != old["name"]
        assert new["image_id"] != old["image_id"]
        assert example.shows(client) == example.after

        platform.paved("rollback", example.name)
        [back] = _serving(_cluster(platform, example.name))
        assert back["name"] == old["name"]
        assert example.shows(client) == example.before
    platform.paved("destroy", example.name, "--yes")


def test_what_the_examples_name_is_at_most_15_lines() -> None:
    lengths = {path.parent.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*/paved.yaml")}
    assert set(lengths) == {"hello", "datasette", "httpbin", "caddy", "node"}
    assert max(lengths.values()) <= 15
