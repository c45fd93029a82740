"""The tree of errors is the one that its docstring draws."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pavedroad
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


def _with_codes(path: Path) -> Iterator[str]:
    """The classes of exceptions in a file that have a code of their own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and {"code", "status"} <= {
            target.id
            for line in node.body
            if isinstance(line, ast.Assign)
            for target in line.targets
            if isinstance(target, ast.Name)
        }:
            yield node.name


def test_no_code_stands_outside_the_tree() -> None:
    files = Path(pavedroad.__file__).parent.rglob("*.py")
    outside = {str(file): list(_with_codes(file)) for file in files if file.name != "errors.py"}
    assert {name: found for name, found in outside.items() if found} == {}
    assert "TooSlow" in list(_with_codes(Path(errors.__file__)))


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in _all(PavedError) if "code" in vars(kind)]
    assert len(codes) == len(set(codes))


def test_an_error_carries_its_sentence_and_next_step() -> None:
    error = errors.NotFound("There is no cluster 'x'.", next_step="paved clusters")
    assert (str(error), error.next_step) == ("There is no cluster 'x'.", "paved clusters")
