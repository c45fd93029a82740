"""The documentation's shell commands, page by page.

A block of `sh` or `python` is run as it stands, after COMMANDS of `<!-- before: COMMANDS -->` above it, or
says in `<!-- not run: WHY -->` why not. A block of `text` after it is what it writes, `…` for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<kind>before|not run): ?(?P<said>.*?) ?-->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TYPED = re.compile(r"^(?:\$ |paved |make |aws |eval |cd |export )", re.MULTILINE)
_HEREDOC = "END_OF_BLOCK"


@dataclass(frozen=True, slots=True)
class Block:
    """`shows`: what it writes, a regular expression; empty where the page does not say it."""

    line: int
    text: str
    before: str
    shows: str


def blocks(page: Path) -> list[Block]:
    """Those to run, in their order."""
    text = page.read_text()
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("text"))
        match match["language"]:
            case "sh" | "python" if match["kind"] == "not run":
                continue
            case "sh":
                found.append(Block(line, match["text"], match["said"] or "", ""))
            case "python":
                typed = f"python - <<'{_HEREDOC}'\n{match['text']}{_HEREDOC}\n"
                found.append(Block(line, typed, match["said"] or "", ""))
            case "text":
                shown = ".*".join(map(re.escape, match["text"].strip().split("…")))
                found[-1] = Block(found[-1].line, found[-1].text, found[-1].before, shown)
            case _:
                continue
    return found


def faults(page: Path) -> list[str]:
    """Blocks that a reader would type and nothing runs, and those that are not run for no reason."""
    found: list[str] = []
    for match in _BLOCK.finditer(page.read_text()):
        first = match["text"].partition("\n")[0]
        if match["kind"] == "not run" and len((match["said"] or "").split()) < 3:
            found.append(f"{page.name}: {first}: why is it not run?")
        if match["language"] not in {"sh", "python", "text"} and _TYPED.search(match["text"]):
            found.append(f"{page.name}: {first}: commands belong into a block of sh")
    return found


def script(blocks: list[Block]) -> str:
    """For bash: one session for all of a page. Ends at the first command that fails, after its name."""
    lines = ["set -eEuo pipefail", "trap 'echo \"@failed: $BASH_COMMAND\"' ERR"]
    for number, block in enumerate(blocks):
        lines += [block.before, f"printf '\\n@block %s\\n' {number}", block.text]
    return "\n".join(lines)


def outputs(written: str) -> list[str]:
    """What each block wrote, as far as it came."""
    return re.split(r"^@block \d+\n", written, flags=re.MULTILINE)[1:]
