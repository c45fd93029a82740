"""The page of operations names exactly those that the private cloud's own services offer."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import pavedroad.localcloud.autoscaling
import pavedroad.localcloud.balancing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "private-cloud.md"


def _offered(package: str, places: list[str]) -> set[str]:
    names: set[str] = set()
    for module in pkgutil.walk_packages(places, f"{package}."):
        operations = getattr(importlib.import_module(module.name), "OPERATIONS", ())
        names |= set(operations)
    return names


@pytest.mark.parametrize(
    ("heading", "module"),
    [("AutoScaling", pavedroad.localcloud.autoscaling), ("ELBv2", pavedroad.localcloud.balancing)],
)
def test_the_page_tells_the_truth(heading: str, module: object) -> None:
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    written = set(re.findall(r"`([A-Z]\w+)`", section)) - {"UnsupportedOperation"}
    offered = _offered(module.__name__, list(module.__path__))  # type: ignore[attr-defined]
    assert len(offered) > 20
    assert written == offered
