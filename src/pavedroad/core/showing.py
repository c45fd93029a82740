"""Text that we did not write, as it may be shown: it moves no cursor, opens no link, and hides nothing."""

from __future__ import annotations

import re

_MISLEADING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for the tab and the end of a line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # which way to read
    "\u200b\u2028\u2029\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # what is not seen
    "\ud800-\udfff]"  # what cannot be written
)
_PICTURES = 0x2400
_DELETE = 0x7F
LINES = 2000
"""Of a console, where nobody says how many."""


def shown(text: str) -> str:
    """The text with a visible character in the place of each that would do something."""
    return _MISLEADING.sub(_picture, text)


def last_lines(text: str, lines: int) -> str:
    """The end of a text; a last line that has no end yet counts, too."""
    whole = text.removesuffix("\n")
    return "\n".join(whole.split("\n")[-lines:]) + text[len(whole) :] if lines else ""


def _picture(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < ord(" "):
        return chr(_PICTURES + number)
    return "␡" if number == _DELETE else "\ufffd"
