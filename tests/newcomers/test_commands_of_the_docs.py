"""What the README, the tutorial and the how-tos tell to type works as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pavedroad.localcloud.host.network.possible import NetworkImpossible, require_namespaces
from tests.newcomers import pages
from tests.postgres import postgres
from tests.running_platform import Platform

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/tutorial").glob("*.md")),
    *sorted((ROOT / "docs/how-to").glob("*.md")),
]
RUN = [page for page in PAGES if pages.blocks(page)]

UNTIL_IT_SPEAKS = Path(__file__).with_name("until_it_speaks.py")
# What goes on until Ctrl-C is pressed is ended so, once it has said something. Everything is set up already.
SESSION = f"""
paved() {{
    case " $* " in
        *" -f "*|*" --follow "*|*" --watch "*) python {UNTIL_IT_SPEAKS} paved "$@" ;;
        *) command paved "$@" ;;
    esac
}}
make() {{ command make VENV={sys.prefix} --old-file {sys.prefix}/.ready "$@"; }}
"""


def test_whatever_a_reader_would_type_is_run_or_says_why_not() -> None:
    assert [fault for page in PAGES for fault in pages.faults(page)] == []
    assert len(RUN) > 6


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what is in a clone, but for its environment."""
    made = tmp_path / "pavedroad"
    made.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (made / entry.name).symlink_to(entry)
    return made


@pytest.fixture
def surroundings(page: Path, clone: Path) -> Iterator[dict[str, str]]:
    """The page's reader has what it says that they need."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="paved-home-"))
        platform = Platform(Path(home))
        ours = {name: value for name, value in platform.environment.items() if not name.startswith("MAKE")}
        environment = ours | {
            "HOME": str(clone.parent),
            "TMPDIR": str(clone.parent),
            "PATH": f"{sys.prefix}/bin:{platform.environment['PATH']}",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/pavedroad/pavedroad",
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
        }
        match page.name:
            case "first-service.md" if not (ROOT / ".git").exists():
                pytest.skip("there is no repository here to clone")
            case "postgres.md":
                server = urlsplit(stack.enter_context(postgres()))
                environment |= {"PGHOST": parse_qs(server.query)["host"][0], "PGUSER": server.username or ""}
                if not shutil.which("createdb"):
                    newest = max(Path("/usr/lib/postgresql").glob("*/bin"))
                    environment["PATH"] += f":{newest}"
            case "security-groups.md":
                try:
                    require_namespaces()
                except NetworkImpossible as refusal:
                    pytest.skip(f"{refusal.sentence} {refusal.next_step}")
            case _:
                pass
        try:
            yield environment
        finally:
            platform.stop()  # while what it stands on is still there


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_commands_of_a_page_work_as_they_stand(page: Path, clone: Path, surroundings: dict[str, str]) -> None:
    blocks = pages.blocks(page)
    typed = subprocess.run(
        ["bash", "-c", SESSION + pages.script(blocks)],
        cwd=clone,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    written = pages.outputs(typed.stdout)
    assert typed.returncode == 0, f"line {blocks[len(written) - 1].line} of {page.name}:\n{typed.stdout}"
    for block, shown in zip(blocks, written, strict=True):
        assert re.search(block.shows, shown, re.DOTALL), f"line {block.line} of {page.name}:\n{shown}"
