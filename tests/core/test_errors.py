"""The tree of errors is the one that its docstring draws."""

from __future__ import annotations

import re

from pavedroad.core import errors
from pavedroad.core.errors import PavedError


def _all(kind: type[PavedError]) -> list[type[PavedError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all(child))]


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+)\s+([\w-]+)\s+\d+", errors.__doc__ or ""))
    statuses = dict(re.findall(r"[├└]── (\w+)\s+[\w-]+\s+(\d+)", errors.__doc__ or ""))
    ours = [kind for kind in _all(PavedError)[1:] if kind.__module__ == errors.__name__]
    assert drawn == {kind.__name__: kind.code for kind in ours}
    assert statuses == {kind.__name__: str(kind.status) for kind in ours}


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in _all(PavedError) if "code" in vars(kind)]
    assert len(codes) == len(set(codes))


def test_an_error_carries_its_sentence_and_next_step() -> None:
    error = errors.NotFound("There is no cluster 'x'.", next_step="paved clusters")
    assert (str(error), error.next_step) == ("There is no cluster 'x'.", "paved clusters")
