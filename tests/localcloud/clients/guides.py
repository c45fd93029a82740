"""The examples that AWS ships with its command line, read from there and run as they are written.

Only what stands for something of the reader's own (ids, ARNs with ids) is filled in, as the reader would.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import awscli

EXAMPLES = Path(awscli.__file__).parent / "examples"
_BLOCK = re.compile(r"(?P<lead>[^\n]*)::[ \t]*\n[ \t]*\n(?P<body>(?:[ \t]+[^\n]*\n|[ \t]*\n)+)")
_CONTENTS = re.compile(r"[Cc]ontents of (?:the )?``(?:file://)?(?P<file>[^`]+)``")


@dataclass(frozen=True)
class Example:
    """`words` is the command line after `aws`; `files` are those that it reads, by name."""

    service: str
    operation: str
    number: int
    words: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.number}"


def examples(service: str, *operations: str) -> list[Example]:
    """Those of some operations of a service (all, where none is named), in the order of the pages."""
    pages = [EXAMPLES / service / f"{operation}.rst" for operation in operations]
    found: list[Example] = []
    for page in pages or sorted((EXAMPLES / service).glob("*.rst")):
        found += _of_page(service, page)
    return found


def _of_page(service: str, page: Path) -> list[Example]:
    found: list[Example] = []
    commands: list[tuple[str, dict[str, str]]] = []
    for match in _BLOCK.finditer(page.read_text() + "\n"):
        body = match["body"].strip("\n")
        if body.strip().startswith("aws "):
            commands.append((body.strip(), {}))
        elif commands and (contents := _CONTENTS.search(match["lead"])):
            commands[-1][1][Path(contents["file"]).name] = body
    for number, (command, files) in enumerate(commands, 1):
        text = re.sub(r"\\[ \t]*\n", " ", command)
        words = shlex.split(text)
        found.append(Example(service, page.stem, number, tuple(words[1:]), files))
    return found
