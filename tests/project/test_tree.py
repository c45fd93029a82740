"""What holds for the tree as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LONGEST = 500


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "examples"])
def test_no_file_is_over_500_lines(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts and ".venv" not in path.parts
        if (count := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long, f"over {LONGEST} lines, so asking to be two files: {long}"


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "base", "misc", "common"}
    assert not [path for path in SOURCES if path.stem in drawers or path.parent.name in drawers]


def test_no_import_hides_in_a_function() -> None:
    hidden = re.compile(r"^[ \t]+(?:from [\w.]+ import|import \w)", re.MULTILINE)
    offenders = []
    for path in SOURCES:
        text = path.read_text()
        for match in hidden.finditer(text):
            before = text[: match.start()].rstrip().splitlines()
            guarded = before and before[-1].strip().startswith(
                ("if TYPE_CHECKING", "try:", "from ", "import ")
            )
            if not guarded:
                offenders.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}")
    assert not offenders, f"imports hidden in functions: {offenders}"


def test_every_public_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if "migrations/versions" not in str(path) and not _starts_with_docstring(path)
    ]
    assert not silent, f"no docstring: {silent}"


def _starts_with_docstring(path: Path) -> bool:
    code = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return bool(code) and code[0].startswith('"""')
