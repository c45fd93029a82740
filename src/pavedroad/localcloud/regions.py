"""AWS's commercial regions, as this cloud has them: three zones each, and nothing in any until it is used."""

from __future__ import annotations

from dataclasses import dataclass

HOME = "us-east-1"
"""Where a call is for that names no region, and where the services live that have none."""


@dataclass(frozen=True, slots=True)
class Zone:
    """By its name (`eu-central-1a`) and the id that is the same in every account (`euc1-az1`)."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Region:
    """`title` is AWS's English for it. One that is `optional` an account has to enable; here all are."""

    name: str
    title: str
    zones: tuple[Zone, ...]
    optional: bool = False


_TITLES = {
    "us-east-1": "US East (N. Virginia)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "Europe (Ireland)",
    "af-south-1": "Africa (Cape Town)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "ap-east-2": "Asia Pacific (Taipei)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-south-2": "Asia Pacific (Hyderabad)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-southeast-3": "Asia Pacific (Jakarta)",
    "ap-southeast-4": "Asia Pacific (Melbourne)",
    "ap-southeast-5": "Asia Pacific (Malaysia)",
    "ap-southeast-6": "Asia Pacific (New Zealand)",
    "ap-southeast-7": "Asia Pacific (Thailand)",
    "ca-central-1": "Canada (Central)",
    "ca-west-1": "Canada West (Calgary)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-central-2": "Europe (Zurich)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-south-1": "Europe (Milan)",
    "eu-south-2": "Europe (Spain)",
    "eu-west-2": "Europe (London)",
    "eu-west-3": "Europe (Paris)",
    "il-central-1": "Israel (Tel Aviv)",
    "me-central-1": "Middle East (UAE)",
    "me-south-1": "Middle East (Bahrain)",
    "mx-central-1": "Mexico (Central)",
    "sa-east-1": "South America (Sao Paulo)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
}
"""In the order in which addresses are given out (`blocks`): new ones come last."""

_ZONES = {"ap-northeast-1": "a4 c1 d2", "ca-central-1": "a1 b2 d4"}
"""Letter and number of the id, where they are not a, b, c and 1, 2, 3."""

_OPTIONAL = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4"),
        *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1"),
        *("eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    }
)
_SHORT = {
    "central": "c",
    "east": "e",
    "north": "n",
    "northeast": "ne",
    "south": "s",
    "southeast": "se",
    "west": "w",
}


def _region(name: str, title: str) -> Region:
    area, direction, number = name.split("-")
    short = f"{area}{_SHORT[direction]}{number}"
    zones = tuple(
        Zone(f"{name}{letter}", f"{short}-az{at}") for letter, at in _ZONES.get(name, "a1 b2 c3").split()
    )
    return Region(name, title, zones, name in _OPTIONAL)


REGIONS = {name: _region(name, title) for name, title in _TITLES.items()}
"""By name."""


def said() -> str:
    """Their names, for whoever named another."""
    return ", ".join(sorted(REGIONS))
