"""Only what people and programs write as numbers is one."""

from __future__ import annotations

import pytest

from pavedroad.core.numbers import count, real, whole

_NO_NUMBERS = (
    "",
    "١٢",
    "²",
    "1_000",
    " 5",
    "5 ",
    "5\n",
    "0x10",
    "nan",
    "inf",
    "-Infinity",
    "1" * 5000,
    "--1",
)


@pytest.mark.parametrize("text", [*_NO_NUMBERS, "1e3", "5.0"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no whole number"):
        whole(text)


@pytest.mark.parametrize("text", [*_NO_NUMBERS, "1e999", "1e9999", ".", "e3"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        real(text)


def test_numbers_are_read() -> None:
    assert [whole(text) for text in ("0", "+5", "-12", "007", "9" * 18)] == [0, 5, -12, 7, 10**18 - 1]
    assert [real(text) for text in ("0", "-1.5", "1e3", ".5", "5.", "1E-2")] == [0, -1.5, 1000, 0.5, 5, 0.01]


def test_a_count_has_digits_alone_and_any_number_of_them() -> None:
    assert [count(text) for text in ("0", "00042", "1" * 5000)] == [0, 42, 10**18 - 1]
    assert [count(text) for text in ("", "²", "١٢", "+5", "-5", "1_0", " 5")] == [None] * 7
