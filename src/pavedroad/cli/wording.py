"""What the API says of a request, as whoever typed a command would say it."""

from __future__ import annotations

import re

_OF_THE_API = re.compile(r"\b(?:GET|POST|PUT|DELETE) /|Content-Type|\bwhen_\w+:")
_FIELD = re.compile(r"'([\w.]+)' in the (?:body|query|path): ")
# Where an option or argument has another name than the field that it fills.
_NAMES = {
    "application": "APPLICATION",
    "desired": "DESIRED",
    "expires_at": "--days",
    "image_id": "--image",
    "maximum": "--max",
    "minimum": "--min",
    "name": "NAME",
    "principal": "--who",
    "roles": "--role",
}


def sentence_of(detail: str) -> str:
    """`'keep' in the query: input should be ...` is `--keep: input should be ...`."""
    return _FIELD.sub(_option, detail)


def next_step_of(next_step: str | None) -> str | None:
    """One that speaks of routes and bodies is of no use at a command line."""
    if next_step and _OF_THE_API.search(next_step):
        return "See what the command takes: add --help to it."
    return next_step


def _option(field: re.Match[str]) -> str:
    name = field[1].partition(".")[0]
    return f"{_NAMES.get(name, '--' + name.replace('_', '-'))}: "
