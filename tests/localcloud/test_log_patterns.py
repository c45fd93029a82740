"""Filter patterns find what AWS's documentation says that they find."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.log_patterns import PatternError, matcher

_LINE = '127.0.0.1 frank [10/Oct/2026:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
_EVENT = '{"level": "ERROR", "n": 7, "who": {"ip": "10.0.0.5"}, "tags": ["a", "b"], "none": null, "on": true}'


@pytest.mark.parametrize(
    ("pattern", "message", "found"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR", True),
        ("ERROR", "an error", False),
        ("ERROR four", "four times ERROR", True),
        ('"four times"', "times four", False),
        ("ERROR -four", "four times ERROR", False),
        ("ERROR -four", "ERROR", True),
        ("?WARN ?five", "five", True),
        ("?WARN ?five", "six", False),
        ("%E.*r%", "Err", True),
        ("{ $.level = ERROR }", _EVENT, True),
        ('{ $.level = "ERR*" && $.n > 6 }', _EVENT, True),
        ("{ $.n > 7 || ($.n < 7 && $.n = 7) }", _EVENT, False),
        ("{ $.n >= 7.0 }", _EVENT, True),
        ("{ $.level != ERROR }", _EVENT, False),
        ("{ $.who.ip = 10.0.* }", _EVENT, True),
        ("{ $.who.ip = %^10% }", _EVENT, True),
        ("{ $.tags[1] = b }", _EVENT, True),
        ("{ $.tags[*] = c }", _EVENT, False),
        ("{ $.none IS NULL }", _EVENT, True),
        ("{ $.on IS TRUE }", _EVENT, True),
        ("{ $.nowhere NOT EXISTS }", _EVENT, True),
        ("{ $.nowhere != 1 }", _EVENT, False),
        ("{ $.level = ERROR }", "level ERROR", False),
        ("[ip, user, time, request, status = 4*, size > 1000]", _LINE, True),
        ("[ip, user, time, request, status = 5*, size]", _LINE, False),
        ("[ip, user, time, request, status = 200 || status = 404, size]", _LINE, True),
        ("[ip, user]", _LINE, False),
        ("[ip = 127.*, ...]", _LINE, True),
        ("[..., size < 1000]", _LINE, False),
    ],
)
def test_what_a_pattern_finds(pattern: str, message: str, *, found: bool) -> None:
    assert matcher(pattern)(message) is found


@pytest.mark.parametrize(
    "pattern", ["{ $.a = }", "{ $.a", "[a", "%(%", "{ ($.a = 1 }", "{}", "{ $.a ~ 1 }", '"open']
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        matcher(pattern)
