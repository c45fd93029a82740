"""The patterns of ignore files, as git reads them: each speaks of an entry itself, never of what is in it.

Patterns and paths are compared byte by byte, as git does: both are read as Latin-1, with a letter for each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_ANY_FOLDERS = "(?:[^/]+/)*"
_WITHOUT_SPACES = re.compile(r"((?:\\.|[^\\])*?) *", re.DOTALL)
_BRACKET = re.compile(r"\[([!^]?)(\]?(?:\\.|\[:\w+:\]|[^]\\])*)\]", re.DOTALL)
_MEMBER = re.compile(r"\[:(\w+):\]|\\?(.)(?:-\\?(.))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line; `of_names` is one without a slash, which holds for names in whatever folder."""

    ignores: bool
    folders_only: bool
    of_names: bool
    form: re.Pattern[str]

    def names(self, path: str, *, folder: bool) -> bool:
        if self.folders_only and not folder:
            return False
        return bool(self.form.fullmatch(path.rpartition("/")[2] if self.of_names else path))


@dataclass(frozen=True, slots=True)
class Patterns:
    """Those of one file, in their order."""

    patterns: tuple[Pattern, ...]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Patterns:
        """What git would never match is left out."""
        return cls(tuple(pattern for line in lines if (pattern := _pattern(_bytewise(line))) is not None))

    @classmethod
    def of_file(cls, content: bytes) -> Patterns:
        text = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))
        return cls.of(line.removesuffix("\r") for line in text.split("\n"))

    def say(self, path: str, *, folder: bool = False) -> bool | None:
        """Whether an entry is ignored, by the last one that names it; None where none does."""
        path = _bytewise(path)
        return next((it.ignores for it in reversed(self.patterns) if it.names(path, folder=folder)), None)

    def name(self, path: str) -> bool:
        """Whether a file is ignored, or a folder that it is in."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.say(folder, folder=True) for folder in above) or bool(self.say(path))


def _pattern(line: str) -> Pattern | None:
    whole = _WITHOUT_SPACES.fullmatch(line)
    text = whole[1] if whole is not None else ""
    if not text or text.startswith("#"):
        return None
    ignores, text = (False, text[1:]) if text.startswith("!") else (True, text)
    folders_only, text = (True, text[:-1]) if text.endswith("/") else (False, text)
    if not text:
        return None
    of_names = "/" not in text
    try:
        return Pattern(ignores, folders_only, of_names, re.compile(_form(text.removeprefix("/")), re.DOTALL))
    except (re.error, _Unmatchable):
        return None


class _Unmatchable(Exception):
    """Such as a bracket that nothing closes."""


def _form(text: str) -> str:
    parts = text.split("/")
    forms: list[str] = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            forms.append(".+" if last else _ANY_FOLDERS)
        else:
            forms.append(_part(part) + ("" if last else "/"))
    return "".join(forms)


def _part(text: str) -> str:
    """Of a name between slashes."""
    form, at = "", 0
    while at < len(text):
        letter = text[at]
        at += 1
        if letter == "*":
            form += "" if form.endswith("[^/]*") else "[^/]*"
        elif letter == "?":
            form += "[^/]"
        elif letter == "[":
            bracket = _BRACKET.match(text, at - 1)
            if bracket is None:
                raise _Unmatchable
            form += _any_of(bracket[2], negated=bool(bracket[1]))
            at = bracket.end()
        elif letter == "\\":
            if at == len(text):
                raise _Unmatchable
            form += re.escape(text[at])
            at += 1
        else:
            form += re.escape(letter)
    return form


def _any_of(members: str, *, negated: bool) -> str:
    made = ""
    for member in _MEMBER.finditer(members):
        name, first, last = member.groups()
        if name is not None:
            if name not in _CLASSES:
                raise _Unmatchable
            made += _CLASSES[name]
        elif last is None:
            made += re.escape(first)
        elif first <= last:
            made += f"{re.escape(first)}-{re.escape(last)}"
    if not made:
        return "[^/]" if negated else "(?!)"
    return f"[^/{made}]" if negated else f"(?!/)[{made}]"


def _bytewise(text: str | Sequence[str]) -> str:
    return os.fsencode(str(text)).decode("latin-1")
