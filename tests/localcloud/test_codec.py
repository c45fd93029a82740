"""What is said over the host's socket comes out as it went in, or as an error that says where it is wrong."""

from __future__ import annotations

import json

import pytest

from pavedroad.localcloud.codec import DecodeError
from pavedroad.localcloud.wanted import (
    WIRE,
    Condition,
    FixedResponse,
    Forward,
    Front,
    Guest,
    GuestImage,
    Layer,
    Pool,
    Probe,
    Redirect,
    Rule,
    Target,
    Wanted,
    WantedChange,
)

_GUEST = Guest(
    "i-1",
    2,
    "us-east-1",
    "us-east-1a",
    "127.16.0.4",
    GuestImage("ami-1", (Layer("sha256:00", ".venv", shared=True),), "./serve", {"A": "b"}, 5),
    "",
    "t3.micro",
    {},
    {"meta-data/instance-id": "i-1"},
)
_POOL = Pool(
    "tg", "HTTP", Probe("HTTP", "/", 5, 2.5, 2, 2, "200"), (Target("i-1", "127.16.0.4", 80, 81, "a", False),)
)
_FRONT = Front(
    "listener",
    "127.16.0.5",
    8080,
    (
        Rule(1, (Condition("http-header", ("a*",), "X-Beta"),), FixedResponse(404, "text/plain", "ü")),
        Rule(2, (Condition("path-pattern", ("/old",)),), Redirect(301, "HTTPS", "h", "443", "/", "q")),
        Rule(3, (), Forward({"tg": 1})),
    ),
)


def test_all_that_is_wanted_survives_the_way() -> None:
    wanted = Wanted(7, (_GUEST,), (_POOL,), (_FRONT,))
    assert WIRE.loads(Wanted, WIRE.dumps(wanted)) == wanted


def test_a_change_survives_the_way_and_null_takes_away() -> None:
    change = WantedChange("epoch", 8, {"i-1": _GUEST, "i-2": None}, {"tg": None}, {"listener": _FRONT})
    assert WIRE.loads(WantedChange, WIRE.dumps(change)) == change


def test_an_action_says_its_kind() -> None:
    rules = json.loads(WIRE.dumps(_FRONT))["rules"]
    assert [rule["action"]["kind"] for rule in rules] == ["fixed-response", "redirect", "forward"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "should be an object"),
        ('{"epoch": "e"}', "lacks revision"),
        ('{"epoch": "e", "revision": true}', "should be int, and is bool @ WantedChange.revision"),
        ('{"epoch": "e", "revision": 1, "pools": []}', "should be an object @ WantedChange.pools"),
        ('{"epoch": "e", "revision": 1, "colour": 1}', "does not know colour @ WantedChange"),
        (
            '{"epoch": "e", "revision": 1, "fronts": {"f": {"arn": 1}}}',
            "should be str, and is int @ WantedChange.fronts['f'].arn",
        ),
    ],
)
def test_what_is_broken_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        WIRE.loads(WantedChange, text)
    assert said in str(caught.value)
