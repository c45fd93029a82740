"""Every commercial region of AWS is there, by AWS's own facts."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from pavedroad.localcloud.regions import REGIONS

_FACTS = Path(botocore.__file__).parent / "data" / "partitions.json"


def test_they_are_aws_s_commercial_ones_by_their_titles() -> None:
    commercial = next(it for it in json.loads(_FACTS.read_text())["partitions"] if it["id"] == "aws")
    known = {name: it["description"] for name, it in commercial["regions"].items() if name != "aws-global"}
    assert {name: it.title for name, it in REGIONS.items()} == known


@pytest.mark.parametrize("name", REGIONS)
def test_each_has_three_zones_of_its_own(name: str) -> None:
    zones = REGIONS[name].zones
    assert len({zone.name for zone in zones}) == len({zone.id for zone in zones}) == 3
    assert all(zone.name.startswith(name) for zone in zones)
    others = {zone.id for other in REGIONS.values() if other.name != name for zone in other.zones}
    assert not others & {zone.id for zone in zones}
