"""Errors that another process has told of, raised here as what they were there."""

from __future__ import annotations

from pavedroad.core.errors import PavedError


def told(code: str, sentence: str, next_step: str | None) -> PavedError:
    """The error with this code; a code that we do not know is the plain error."""
    return _KINDS.get(code, PavedError)(sentence, next_step=next_step)


def _kinds(root: type[PavedError]) -> dict[str, type[PavedError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        found |= _kinds(kind)
    return found


_KINDS = _kinds(PavedError)
