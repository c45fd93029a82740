"""AWS's wildcards as expressions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pavedroad.localcloud.envoy import patterns


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
def test_a_pattern_without_wildcards_matches_itself_alone(text: str) -> None:
    quoted = "".join(f"\\{symbol}" if symbol in "*?\\" else symbol for symbol in text)
    expression = patterns.expression(quoted)
    assert re.fullmatch(expression, text)
    assert not re.fullmatch(expression, text + "x")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*c", "abbbc", True),
        ("a*c", "ac", True),
        ("a?c", "ac", False),
        ("a\\?c", "a?c", True),
        ("*", "", True),
    ],
)
def test_a_star_is_any_number_and_a_question_mark_exactly_one(pattern: str, text: str, fits: bool) -> None:
    assert bool(re.fullmatch(patterns.expression(pattern), text)) is fits
